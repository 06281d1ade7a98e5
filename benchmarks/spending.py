"""Processor time by process, its children included."""

from collections.abc import Mapping

import psutil

from careroute.local import Stack


def spent(stack: Stack) -> dict[str, float]:
    """Seconds of processor time so far, by name of the stack's process."""
    return {name: _seconds(stack.processes.pid(name)) for name in stack.processes.names()}


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after if name in before}


def resident(stack: Stack) -> dict[str, float]:
    """MiB by name; for Postgres without what its processes share."""
    return {
        name: sum(map(_own, _family(stack.processes.pid(name)))) / 2**20 for name in stack.processes.names()
    }


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _own(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))


def _seconds(pid: int) -> float:
    """Of those that ended meanwhile their parent knows."""
    total = 0.0
    for process in _family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process.pid == pid:
            total += getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    return total
