"""docker-compose.security.yml: Kafka answers those whom it knows, each within its rights, and nobody else."""

from collections.abc import Iterator

import pytest

from tests.compose.account import account
from tests.compose.host import Host
from tests.compose.town import Town, crisis

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def files() -> tuple[str, ...]:
    return ("docker-compose.security.yml",)


@pytest.fixture(scope="module")
def whom_kafka_takes(host: Host) -> Iterator[dict[str, str]]:
    yield host.run_inside("whom_kafka_takes", "careroute")


async def test_the_services_work_behind_names_and_tls(host: Host, town: Town) -> None:
    id = await town.submit("secured-1", crisis())
    await town.is_called(id)
    await town.acknowledge_all()
    found = account(host)
    assert found.clean, found.text


def test_who_has_the_password_of_a_user_is_let_in(whom_kafka_takes: dict[str, str]) -> None:
    assert whom_kafka_takes["operator with its password"] == "let in"


@pytest.mark.parametrize(
    "client",
    [
        "nobody, without TLS",
        "nobody, with TLS",
        "operator with a wrong password",
        "a user that there is not",
        "operator with its password, without TLS",
        "operator, trusting other authorities",
    ],
)
def test_everybody_else_is_refused(client: str, whom_kafka_takes: dict[str, str]) -> None:
    assert whom_kafka_takes[client] != "let in"


def test_a_service_may_do_its_own_work_and_no_other(host: Host) -> None:
    assert host.run_inside("what_kafka_allows", "notify") == {
        "read whom it follows": "done",
        "read whom it does not follow": "TopicAuthorizationFailedError",
        "join another's group": "GroupAuthorizationFailedError",
        "speak for another": "TopicAuthorizationFailedError",
        "make a topic of its own choice": "TopicAuthorizationFailedError",
    }
