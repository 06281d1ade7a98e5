"""What each service's user may do on a Kafka that asks: say its own topics, read whom it follows, park.

The right to make a topic comes with each, since whichever service starts first makes those that it needs. The
operator's user, who gives these rights, is a superuser of Kafka's own configuration (`super.users`).
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest

from careroute.checks.acted_on import HOPS
from careroute.local.environment import SERVICES
from careroute.local.errors import StackError
from shared.events import Topic
from shared.kafka.client import client_options, explained
from shared.settings import ServiceSettings


class Resource(IntEnum):
    """As numbered by Kafka's protocol, like `Operation`."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    READ = 3
    WRITE = 4
    CREATE = 5


LITERAL: Final = 3
ALLOW: Final = 3
EVERYWHERE: Final = "*"
WHY_NOT: Final = {
    31: "this user may not give rights: name it in super.users",
    54: "Kafka has no authorizer: set authorizer.class.name",
}


class Right(NamedTuple):
    user: str
    operation: Operation
    resource: Resource
    name: str


def rights() -> Iterator[Right]:
    """Of every service, by who follows whom (`careroute/checks/acted_on.py`). Each may describe it, too."""
    for service in SERVICES:
        yield from _topics(service, Operation.WRITE, (topic for topic in Topic if _says(service, topic)))
    for _, service, pattern, groups in HOPS:
        followed = [topic for topic in Topic if topic.startswith(pattern.rstrip("%"))]
        yield from _topics(service, Operation.READ, followed)
        yield from _topics(
            service, Operation.WRITE, (topic.dead(group) for topic in followed for group in groups)
        )
        yield from (Right(service, Operation.READ, Resource.GROUP, group) for group in groups)


def _says(service: str, topic: Topic) -> bool:
    return topic.startswith(f"{service}.")


def _topics(service: str, operation: Operation, names: Iterable[str]) -> Iterator[Right]:
    for name in names:
        yield Right(service, operation, Resource.TOPIC, str(name))
        yield Right(service, Operation.CREATE, Resource.TOPIC, str(name))


async def give(settings: ServiceSettings) -> int:
    """How many there are, given anew or before. Raises `StackError` where Kafka refuses one."""
    client = AIOKafkaClient(**client_options(settings))
    wanted = sorted(set(rights()))
    async with explained(settings):
        await client.bootstrap()
    try:
        for right in wanted:
            answer = await client.send(client.get_random_node(), _request(right))
            for code, message in answer.creation_responses:
                if code:
                    reason = WHY_NOT.get(code) or message or f"error {code}"
                    raise StackError(f"Kafka does not take the rights of {right.user}: {reason}.")
    finally:
        await client.close()
    return len(wanted)


def _request(right: Right) -> CreateAclsRequest:
    return CreateAclsRequest(
        resource_type=right.resource,
        resource_name=right.name,
        resource_pattern_type_filter=LITERAL,
        principal=f"User:{right.user}",
        host=EVERYWHERE,
        operation=right.operation,
        permission_type=ALLOW,
    )
