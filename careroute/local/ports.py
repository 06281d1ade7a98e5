"""Ports on the loopback address."""

import random
import socket
from collections.abc import Collection, Iterable, Mapping

from careroute.local.errors import StackError

HOST = "127.0.0.1"

# Below what the kernel hands to outgoing connections (from 32768 on Linux, 49152 on macOS): there a client
# that keeps trying to reach a stopped server can be given that very port, and the server cannot come back.
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: Collection[int] = ()) -> int:
    for port in random.sample(_RANGE, 500):
        if port not in taken and is_free(port):
            return port
    raise StackError(f"No free port was found between {_RANGE.start} and {_RANGE.stop}.")


def choose(wanted: int | None = None, *, preferred: int | None = None, taken: Collection[int] = ()) -> int:
    """The wanted port or an error; else the preferred one if it is free; else any."""
    if wanted is not None:
        if wanted in taken or not is_free(wanted):
            raise StackError(f"Port {wanted} is taken: choose another one or stop the program that uses it.")
        return wanted
    if preferred is not None and preferred not in taken and is_free(preferred):
        return preferred
    return free_port(taken)


def choose_all(
    names: Iterable[str], *, wanted: Mapping[str, int], preferred: Mapping[str, int]
) -> dict[str, int]:
    """A port of its own for each name."""
    chosen: dict[str, int] = {}
    for name in names:
        chosen[name] = choose(wanted.get(name), preferred=preferred.get(name), taken=chosen.values())
    return chosen
