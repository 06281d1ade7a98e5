"""Ports: free, distinct, or a clear sentence."""

import socket
from collections.abc import Iterator

import pytest

from careroute.local.errors import StackError
from careroute.local.ports import HOST, choose, choose_all, free_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    port = free_port()
    with socket.create_server((HOST, port)):
        yield port


def test_a_wanted_port_that_is_taken_is_one_clear_sentence(taken: int) -> None:
    with pytest.raises(StackError, match=rf"^Port {taken} is taken: [^.]*\.$"):
        choose(taken)


def test_a_preferred_port_gives_way(taken: int) -> None:
    other = choose(preferred=taken)
    assert other != taken and is_free(other)
    free = free_port()
    assert choose(preferred=free) == free


def test_every_name_gets_a_port_of_its_own() -> None:
    names = [str(number) for number in range(50)]
    ports = choose_all(names, wanted={}, preferred={})
    assert len(set(ports.values())) == 50


def test_one_port_wanted_twice_is_refused() -> None:
    port = free_port()
    with pytest.raises(StackError):
        choose_all(["intake", "triage"], wanted={"intake": port, "triage": port}, preferred={})


def test_free_ports_are_none_that_outgoing_connections_get() -> None:
    assert all(20_000 <= free_port() < 32_000 for _ in range(20))
