"""Carries out a plan of faults. From the main thread, where processes must be started."""

import heapq
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from careroute.local import postgres
from careroute.local.waiting import until
from tests.chaos import operators
from tests.chaos.plan import Fault, Kind
from tests.chaos.poison import Poison
from tests.chaos.town import Town

Act = Callable[[], None]


@dataclass
class Chaos:
    """`met` are the kinds of fault that happened."""

    town: Town
    poison: Poison
    say: Callable[[str], None]
    met: set[Kind] = field(default_factory=set)
    _work: dict[str, Future[Any]] = field(default_factory=dict)
    _disk_is_full: bool = False

    def run(self, faults: Iterable[Fault]) -> None:
        """To the last of them, until all is whole again."""
        started, order = time.monotonic(), count()
        due: list[tuple[float, int, Fault, Act | None]] = [(f.at, next(order), f, None) for f in faults]
        heapq.heapify(due)
        while due:
            at, _, fault, end = heapq.heappop(due)
            time.sleep(max(0.0, started + at - time.monotonic()))
            if end is None:
                self.say(str(fault))
                self.met.add(fault.kind)
                if (end := self._begin(fault)) is not None:
                    over = time.monotonic() - started + fault.seconds
                    heapq.heappush(due, (over, next(order), fault, end))
            else:
                end()
        for what, work in self._work.items():
            try:
                work.result(180)
            except Exception as error:
                raise AssertionError(f"{what} did not come to its end") from error

    def _begin(self, fault: Fault) -> Act | None:
        """Returns what ends it."""
        match fault.kind:
            case Kind.SERVICE_KILLED:
                return self._kill_service(fault.whom)
            case Kind.POSTGRES_CRASHED:
                return self._crash_postgres(fault.whom)
            case Kind.NODE_KILLED:
                return self._kill_node(int(fault.whom))
            case Kind.KAFKA_CUT:
                return self._cut()
            case Kind.KAFKA_SILENT:
                return self._silence()
            case Kind.DISK_FULL:
                return self._fill_disk()
            case Kind.POISON:
                self._do(fault, self.poison.mix_in(str(fault.at)))
            case Kind.ROSTER:
                self._do(fault, operators.change_roster(self.town.api, str(fault.at)))
            case Kind.REPLAY:
                self._do(fault, operators.send_again(self.town.network))
        return None

    def _do(self, fault: Fault, work: Coroutine[Any, Any, None]) -> None:
        self._work[f"{fault} at {fault.at:.1f} s"] = self.town.background.start(work)

    def _kill_service(self, name: str) -> Act:
        stack = self.town.stack
        if name in stack.processes.names():
            stack.kill(name)

        def start() -> None:
            if name not in stack.processes.names():
                stack.start(name)

        return start

    def _crash_postgres(self, reader: str) -> Act:
        """As "immediate" does: no checkpoint, the next start recovers. A reader dies with work in hand."""
        stack = self.town.stack
        if self._postgres_runs():
            os.kill(stack.processes.pid(postgres.NAME), signal.SIGQUIT)
            until(lambda: not self._postgres_runs(), 20)
        start_service = self._kill_service(reader)

        def start() -> None:
            self._raise_postgres()
            start_service()

        return start

    def _postgres_runs(self) -> bool:
        processes = self.town.stack.processes
        return postgres.NAME in processes.names() and postgres.NAME not in processes.ended()

    def _raise_postgres(self) -> None:
        """Somebody sees to the disk first."""
        stack = self.town.stack
        while not self._disk_is_full and not (self._postgres_runs() and stack.postgres.answers()):
            if not self._postgres_runs():
                stack.start(postgres.NAME)
            time.sleep(0.1)

    def _kill_node(self, number: int) -> Act:
        """Not before the last one is back with all its copies: two may not be away."""
        cluster = self.town.roads.cluster
        cluster.start()
        cluster.wait_in_sync()
        cluster.kill(number)
        return partial(cluster.launch, number)

    def _cut(self) -> Act:
        proxies = self.town.roads.proxies.values()
        for proxy in proxies:
            self.town.background.run(proxy.cut())
        return self._heal

    def _silence(self) -> Act:
        for proxy in self.town.roads.proxies.values():
            self.town.background.run(proxy.fall_silent())
        return self._heal

    def _heal(self) -> None:
        for proxy in self.town.roads.proxies.values():
            self.town.background.run(proxy.heal())

    def _fill_disk(self) -> Act | None:
        if self.town.disk is None:
            self.say("  not here: only root may mount a small disk")
            self.met.discard(Kind.DISK_FULL)
            return None
        self.town.disk.fill()
        self._disk_is_full = True
        return self._free_disk

    def _free_disk(self) -> None:
        assert self.town.disk is not None
        self.say(f"  disk freed; Postgres {'runs' if self._postgres_runs() else 'has ended'}")
        self.town.disk.free()
        self._disk_is_full = False
        self._raise_postgres()
