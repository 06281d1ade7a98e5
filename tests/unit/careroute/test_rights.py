"""Each service's rights on Kafka are those it needs, by what its own application says and reads."""

import importlib
from base64 import b64encode
from collections.abc import Iterator

import pytest

from careroute.local.environment import SERVICES
from careroute.rights import Operation, Resource, Right, rights
from shared.events import Topic
from shared.runtime.service import Service

GIVEN = set(rights())


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("INTAKE", "NOTIFY"):
        monkeypatch.setenv(f"{name}_ENCRYPTION_KEYS", f"k1:{b64encode(bytes(32)).decode()}")
    app = importlib.import_module(f"services.{request.param}.app").create_app()
    yield app.state.service


def names(service: Service, operation: Operation, resource: Resource) -> set[str]:
    return {
        right.name
        for right in GIVEN
        if (right.user, right.operation, right.resource) == (service.name, operation, resource)
    }


def test_it_may_make_the_topics_that_it_makes_at_its_start(service: Service) -> None:
    assert service.topics() <= names(service, Operation.CREATE, Resource.TOPIC)


def test_it_reads_its_topics_in_its_groups_and_no_others(service: Service) -> None:
    consumed = {(str(one.topic), one.group) for one in service.consumers}
    assert names(service, Operation.READ, Resource.TOPIC) == {topic for topic, _ in consumed}
    assert names(service, Operation.READ, Resource.GROUP) == {group for _, group in consumed}


def test_it_writes_its_own_topics_and_those_where_it_parks(service: Service) -> None:
    written = names(service, Operation.WRITE, Resource.TOPIC)
    own = {str(topic) for topic in Topic if topic.startswith(f"{service.name}.")}
    assert {name for name in written if not name.endswith(".dead")} == own
    assert {one.topic.dead(one.group) for one in service.consumers} <= written


def test_no_two_services_share_a_group_or_write_the_same_topic() -> None:
    for resource, operation in ((Resource.GROUP, Operation.READ), (Resource.TOPIC, Operation.WRITE)):
        holders: dict[str, set[str]] = {}
        for right in GIVEN:
            if (right.resource, right.operation) == (resource, operation):
                holders.setdefault(right.name, set()).add(right.user)
        assert {name: users for name, users in holders.items() if len(users) > 1} == {}


def test_no_right_is_for_more_than_one_name() -> None:
    assert all(isinstance(right, Right) and "*" not in right.name for right in GIVEN)
