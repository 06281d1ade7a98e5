"""The whole stack, with stand-ins for the services."""

import ast
import json
import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import jwt
import psutil
import pytest

from careroute.local import SERVICES, Stack, StackError, running
from careroute.local.environment import database_variable
from careroute.local.ledger import lives
from careroute.local.ports import free_port
from careroute.local.waiting import until
from tests.local.conftest import Supervise, own_environment

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's help")
ELSEWHERE = {database_variable(name): f"postgresql://elsewhere/{name}" for name in SERVICES}
OUTSIDE = ELSEWHERE | {"KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092"}


def new_stack(folder: Path, environ: dict[str, str], **wanted: int) -> Stack:
    return Stack(
        folder,
        wanted_ports=wanted,
        application="tests.local.stand_in:create_app",
        environ=own_environment() | environ,
    )


@pytest.fixture
def light(folder: Path) -> Iterator[Stack]:
    """Services alone: Kafka and Postgres are said to be elsewhere."""
    with new_stack(folder, OUTSIDE) as stack:
        yield stack


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def environment_names(stack: Stack, service: str) -> set[str]:
    return set(ast.literal_eval(get(f"{stack.urls[service]}/environment")))


def test_two_whole_stacks_side_by_side(folder: Path) -> None:
    with new_stack(folder / "one", {}) as one, new_stack(folder / "two", {}) as two:
        for stack in (one, two):
            stack.start_infrastructure()
            stack.start_services()
        assert not set(one.ports.values()) & set(two.ports.values())
        assert {get(url) for stack in (one, two) for url in stack.urls.values()} == {"{}"}
        started = [psutil.Process(s.processes.pid(name)) for s in (one, two) for name in s.processes.names()]
        family = [*started, *(child for process in started for child in process.children(recursive=True))]
        assert len(started) == 2 * 6
    assert not any(lives(member) for member in family)
    one.discard()
    two.discard()


@pytest.mark.parametrize(
    "number, code",
    [
        (signal.SIGINT, 0),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=on_linux),
    ],
)
def test_however_it_ends_nothing_is_left(supervise: Supervise, folder: Path, number: int, code: int) -> None:
    first = supervise("stack", folder)
    assert first.end(number) == code
    assert first.family_is_gone()
    second = supervise("stack", folder)
    assert second.end(signal.SIGTERM) == 128 + signal.SIGTERM


def test_a_second_stack_in_the_same_folder_is_refused(supervise: Supervise, folder: Path) -> None:
    first = supervise("stack", folder)
    with new_stack(folder, {}) as second, pytest.raises(StackError, match="is in use by another stack"):
        second.start_infrastructure()
    with pytest.raises(StackError, match="is in use by another stack"):
        second.discard()
    assert all(lives(member) for member in first.family)


def test_each_service_is_told_its_own_secrets_only(light: Stack) -> None:
    light.start_infrastructure()
    light.start_services()
    secret = {"INTAKE_ENCRYPTION_KEYS", *ELSEWHERE}
    told = {name: environment_names(light, name) for name in SERVICES}
    assert {name: told[name] & secret for name in SERVICES} == {
        name: {database_variable(name)} | ({"INTAKE_ENCRYPTION_KEYS"} if name == "intake" else set())
        for name in SERVICES
    }
    shared = {"KAFKA_BOOTSTRAP_SERVERS", "CAREROUTE_PUBLIC_KEYS", "NOTIFY_REFERRAL_URL", "INTAKE_PUBLIC_URL"}
    assert all(shared <= names for names in told.values())


def test_idempotence_is_off_for_the_embedded_broker_alone(folder: Path) -> None:
    for environ, told in ((ELSEWHERE, "false"), (OUTSIDE, None)):
        with new_stack(folder, environ) as stack:
            stack.open()
            assert stack.settings.variables().get("KAFKA_IDEMPOTENCE") == told


def test_a_service_that_cannot_start_says_why(folder: Path) -> None:
    with new_stack(folder, OUTSIDE | {"STAND_IN": "broken"}) as stack:
        stack.start_infrastructure()
        with pytest.raises(StackError, match=r"ended with exit code 1(.|\n)*a setting is wrong"):
            stack.start_services()


def test_a_service_that_dies_later_is_noticed_and_comes_back(light: Stack) -> None:
    light.start_infrastructure()
    light.start_services()
    with suppress(OSError):
        get(f"{light.urls['triage']}/die")
    assert until(lambda: "triage" in light.ended(), 10)
    assert "triage ended with signal SIGKILL" in light.ended()["triage"]
    light.start("triage")
    light.wait_ready("triage")
    assert light.ended() == {}


def test_a_taken_port_is_told_before_anything_starts(folder: Path, light: Stack) -> None:
    port = free_port()
    with new_stack(folder.with_name("first"), OUTSIDE, intake=port) as first:
        first.start_infrastructure()
        first.start_services("intake")
        second = new_stack(folder.with_name("second"), OUTSIDE, triage=port)
        with second, pytest.raises(StackError, match=rf"^Port {port} is taken"):
            second.start_infrastructure()


def test_somebody_else_who_answers_on_the_port_is_not_taken_for_the_service(folder: Path) -> None:
    port = free_port()
    with new_stack(folder.with_name("first"), OUTSIDE, intake=port) as first:
        second = new_stack(folder.with_name("second"), OUTSIDE, triage=port)
        with second:
            second.start_infrastructure()
            first.start_infrastructure()
            first.start_services("intake")
            with pytest.raises(StackError, match="triage ended with"):
                second.start_services("triage")


def test_another_terminal_finds_the_running_stack(light: Stack) -> None:
    with pytest.raises(StackError, match="No stack is running in"):
        running(light.folder)
    light.start_infrastructure()
    found = running(light.folder)
    assert found.urls == light.urls
    assert found.variables == light.settings.variables()
    light.stop()
    with pytest.raises(StackError, match="start one with `careroute up`"):
        running(light.folder)


def test_what_the_signing_key_signs_the_public_keys_verify(light: Stack) -> None:
    light.start_infrastructure()
    private = json.loads(light.keys.signing_key.read_text())
    published = json.loads(light.keys.public_keys.read_text())
    assert "d" not in published["keys"][0]
    token = jwt.encode({"sub": "x"}, jwt.PyJWK(private).key, "ES384", {"kid": private["kid"]})
    public = jwt.PyJWKSet.from_dict(published)[private["kid"]]
    assert jwt.decode(token, public.key, ["ES384"]) == {"sub": "x"}


def test_keys_stay_the_same_over_a_restart(light: Stack) -> None:
    light.start_infrastructure()
    before = light.settings.variables(), light.keys.signing_key.read_text()
    light.stop()
    light.start_infrastructure()
    assert (light.settings.variables(), light.keys.signing_key.read_text()) == before


def test_stopping_takes_no_longer_than_its_slowest_part(light: Stack) -> None:
    light.start_infrastructure()
    light.start_services()
    before = monotonic()
    light.stop()
    assert monotonic() - before < 5
    assert light.processes.names() == []
