"""docker-compose.security.yml: Kafka answers those whom it knows, and nobody else."""

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
