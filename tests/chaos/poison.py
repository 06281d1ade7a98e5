"""Messages that nobody can read, put among the good ones."""

import json
import random
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer

from shared.events import Topic
from shared.ids import new_id
from tests.chaos.groups import readers

TOPICS: Final = tuple(topic for topic in Topic if topic is not Topic.MATCHING_ROSTER)

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Bottle:
    """What is in it, and the reason that it must be parked with; with None it is skipped."""

    value: bytes
    headers: Headers
    reason: str | None


def bottles() -> list[Bottle]:
    future = {"type": "ReferralBeamed", "event_id": str(new_id()), "occurred_at": "2031-01-01T00:00:00Z"}
    return [
        Bottle(b'{"type": "Referral', [], "not_json"),
        Bottle(b"\xff\xfe\x00", [], "not_json"),
        Bottle(b'{"type": "ReferralTriaged"}', [], "wrong_shape"),
        Bottle(json.dumps(future).encode(), [], None),
        Bottle(b"{}", [("traceparent", None)], "header_not_utf8"),
        Bottle(b"{}", [("ce_type", b"\xff")], "header_not_utf8"),
        Bottle(b"", [], "empty"),
    ]


@dataclass
class Poison:
    """`put` is where what must be parked stands in Kafka, as topic/partition/offset, with its reason."""

    servers: str
    put: dict[str, str] = field(default_factory=dict)

    async def mix_in(self, seed: str) -> None:
        """Some into each topic that is read."""
        dice = random.Random(seed)
        async with AIOKafkaProducer(
            bootstrap_servers=self.servers, acks="all", enable_idempotence=True
        ) as producer:
            for topic in TOPICS:
                for bottle in dice.sample(bottles(), 3):
                    where = await producer.send_and_wait(
                        topic,
                        value=bottle.value,
                        key=str(dice.random()).encode(),
                        headers=bottle.headers,
                    )
                    if bottle.reason is not None:
                        self.put[f"{where.topic}/{where.partition}/{where.offset}"] = bottle.reason

    async def expected(self) -> set[str]:
        """What must be parked, as the account names it: every group parks its own."""
        groups = await readers(self.servers)
        return {
            f"{group}:{origin} ({reason})"
            for origin, reason in self.put.items()
            for group in groups[origin.split("/")[0]]
        }
