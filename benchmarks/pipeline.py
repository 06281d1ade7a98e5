"""The four services as queues: a discrete-event simulation of what referrals wait for, and how long.

A replica of a service is one process that works off what waits for it in batches; a referral goes to the
replica that has its partition. Each batch then takes its turn at one of Postgres's processors. Webhooks wait
for a place, and for one of the places of their host. Times in seconds, costs in milliseconds.
"""

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SERVICES: Final = ("intake", "triage", "matching", "notify")
TOLD_FIRST, TOLD_LATER = 2, 3
"""Webhooks about the triage, and about the offer."""

HANDLED: Final = 1 / 6
"""Share of notify's work for the two facts that it is told; the rest is for the five webhooks."""
ACCEPTED: Final = 1 / 4
"""Share of intake's work that is done before it answers; the rest follows what the others say."""

Then = Callable[["Referral"], None]


@dataclass(frozen=True)
class Costs:
    """Processor milliseconds for one referral."""

    own: Mapping[str, float]
    postgres: float

    def of_postgres(self, service: str) -> float:
        """Shared out as the services' own work is."""
        return self.postgres * self.own[service] / sum(self.own.values())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`batch_ms`: what a batch costs besides its referrals. `shares`: of all referrals, by region."""

    replicas: int = 1
    partitions: int = 6
    postgres: int = 2
    batch: int = 100
    batch_ms: float = 5.0
    places: int = 48
    per_host: int = 4
    hosts: int = 200
    endpoint_ms: float = 100.0
    shares: Sequence[float] = (1.0,)


@dataclass(eq=False, slots=True)
class Referral:
    at: float
    region: int
    host: int
    number: int
    untold: int = TOLD_FIRST + TOLD_LATER
    told_at: float = 0.0


@dataclass(eq=False)
class Station:
    """One replica of a service. `longest`: most that ever waited."""

    simulation: "Simulation"
    waiting: deque[tuple[Referral, float, float, Then]] = field(default_factory=deque)
    busy: bool = False
    worked: float = 0.0
    longest: int = 0

    def put(self, referral: Referral, own: float, postgres: float, then: Then) -> None:
        self.waiting.append((referral, own, postgres, then))
        self.longest = max(self.longest, len(self.waiting))
        if not self.busy:
            self.busy = True
            self.simulation.after(0.0, self._turn)

    def _turn(self) -> None:
        plan = self.simulation.plan
        batch = [self.waiting.popleft() for _ in range(min(plan.batch, len(self.waiting)))]
        took = (plan.batch_ms + sum(own for _, own, _, _ in batch)) / 1000
        self.worked += took
        stored = sum(postgres for _, _, postgres, _ in batch) / 1000

        def done() -> None:
            for referral, _, _, then in batch:
                then(referral)
            self.busy = bool(self.waiting)
            if self.busy:
                self._turn()

        self.simulation.after(took, lambda: self.simulation.postgres.put(stored, done))


@dataclass(eq=False)
class Processors:
    """Postgres: so many at once, the rest in order."""

    simulation: "Simulation"
    free: int
    waiting: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)
    worked: float = 0.0

    def put(self, seconds: float, then: Callable[[], None]) -> None:
        self.waiting.append((seconds, then))
        self._start()

    def _start(self) -> None:
        while self.free and self.waiting:
            seconds, then = self.waiting.popleft()
            self.free -= 1
            self.worked += seconds

            def done(then: Callable[[], None] = then) -> None:
                self.free += 1
                then()
                self._start()

            self.simulation.after(seconds, done)


@dataclass(eq=False)
class Places:
    """Webhooks under way: so many in all, and to one host. Hosts take turns."""

    simulation: "Simulation"
    free: int
    by_host: dict[int, deque[tuple[Referral, Then]]] = field(default_factory=dict)
    under_way: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    count: int = 0
    longest: int = 0
    worked: float = 0.0

    def put(self, referral: Referral, then: Then) -> None:
        self.by_host.setdefault(referral.host, deque()).append((referral, then))
        self.count += 1
        self.longest = max(self.longest, self.count)
        self._start(referral.host)

    def _start(self, host: int) -> None:
        plan = self.simulation.plan
        queue = self.by_host.get(host)
        while queue and self.free and self.under_way[host] < plan.per_host:
            referral, then = queue.popleft()
            self.count -= 1
            self.free -= 1
            self.under_way[host] += 1
            seconds = self.simulation.luck.expovariate(1000 / plan.endpoint_ms)
            self.worked += seconds
            self.simulation.after(seconds, lambda r=referral, t=then: self._end(r, t))  # type: ignore[misc]  # mypy cannot tell a default's type
        if queue is not None and not queue:
            del self.by_host[host]

    def _end(self, referral: Referral, then: Then) -> None:
        self.free += 1
        self.under_way[referral.host] -= 1
        then(referral)
        self._start(referral.host)
        for host in list(self.by_host) if self.free else ():
            self._start(host)
            if not self.free:
                break


class Simulation:
    """`run` returns when all that arrived has been told, or at `until`."""

    def __init__(self, costs: Costs, plan: Plan, luck: random.Random) -> None:
        self.costs, self.plan, self.luck = costs, plan, luck
        self.now = 0.0
        self.told: list[Referral] = []
        self.postgres = Processors(self, plan.postgres)
        self.places = Places(self, plan.places * plan.replicas)
        self.stations = {name: [Station(self) for _ in range(plan.replicas)] for name in SERVICES}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, then))

    def run(self, arrivals: Sequence[float], *, until: float = float("inf")) -> None:
        regions = range(len(self.plan.shares))
        for number, at in enumerate(arrivals):
            (region,) = self.luck.choices(regions, self.plan.shares)
            referral = Referral(at, region, self.luck.randrange(self.plan.hosts), number)
            self.after(at, lambda r=referral: self._arrives(r))  # type: ignore[misc]  # mypy cannot tell a default's type
        while self._events and self._events[0][0] <= until:
            self.now, _, then = heapq.heappop(self._events)
            then()

    def fullest(self, seconds: float) -> tuple[str, float]:
        """Which part is nearest to its limit, and what share of the time it was at work."""
        found = {
            name: max(station.worked for station in stations) / seconds
            for name, stations in self.stations.items()
        }
        found["postgres"] = self.postgres.worked / seconds / self.plan.postgres
        found["webhooks"] = self.places.worked / seconds / (self.plan.places * self.plan.replicas)
        name = max(found, key=lambda each: found[each])
        return name, found[name]

    def _put(self, name: str, referral: Referral, key: int, share: float, then: Then) -> None:
        station = self.stations[name][key % self.plan.partitions % self.plan.replicas]
        own, postgres = self.costs.own[name], self.costs.of_postgres(name)
        station.put(referral, own * share, postgres * share, then)

    def _arrives(self, referral: Referral) -> None:
        self._put("intake", referral, referral.number, ACCEPTED, self._accepted)

    def _accepted(self, referral: Referral) -> None:
        self._put("triage", referral, referral.number, 1.0, self._triaged)

    def _triaged(self, referral: Referral) -> None:
        """Decisions are keyed by region: matching and notify have them by region."""
        self._put("matching", referral, referral.region, 1.0, self._matched)
        self._put("notify", referral, referral.region, HANDLED / 2, lambda r: self._tell(r, TOLD_FIRST))

    def _matched(self, referral: Referral) -> None:
        self._put("notify", referral, referral.number, HANDLED / 2, lambda r: self._tell(r, TOLD_LATER))

    def _tell(self, referral: Referral, count: int) -> None:
        for _ in range(count):
            self.places.put(referral, self._called)

    def _called(self, referral: Referral) -> None:
        each = (1 - HANDLED) / (TOLD_FIRST + TOLD_LATER)
        self._put("notify", referral, referral.number, each, self._noted)

    def _noted(self, referral: Referral) -> None:
        referral.untold -= 1
        each = (1 - ACCEPTED) / (TOLD_FIRST + TOLD_LATER)
        self._put("intake", referral, referral.number, each, lambda _: None)
        if not referral.untold:
            referral.told_at = self.now
            self.told.append(referral)
