"""The same work as a team would otherwise write it, Celery, Redis and SQLAlchemy, side by side with ours.

Each referral is a POST of its own. Both run in turn on the same Postgres, called by the same client, calling
the same endpoints. Then once more, while everything behind the front door is killed (-9) and started again.
`peers/` has the peer and its own requirements; it decides by our rule files, so that only the plumbing
differs. `peer.md` says what was found.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks import peer_stack
from benchmarks.calling import Line
from benchmarks.figures import line, machine, short, spread, table
from benchmarks.flow import PATIENCE, WARM_UP
from benchmarks.network import CLINICS, JSON, TOLD_EACH, Town, arguments, referral, settle, town
from benchmarks.peer_stack import Peer
from benchmarks.spending import since, spent
from careroute.local.environment import SERVICES
from shared.ids import new_id

AT_ONCE = 32
BEHIND = ("triage", "matching", "notify")
KILLED_AT = 0.4
"""Share of the webhooks after which everything behind the front door is killed."""

Headers = Callable[[str], list[str]]
Calls = Counter[tuple[str, str, str]]

OUR_PLACES = """
    select count(*) from therapist left join (
        select therapist_id, count(*) as held from offer where state in ('open', 'accepted') group by 1
    ) as holding on therapist_id = therapist.id where places_taken <> coalesce(held, 0)
"""
THEIR_PLACES = """
    select count(*) from therapist left join (
        select therapist_id, count(*) as held from offer group by 1
    ) as holding on therapist_id = therapist.id where places_taken <> coalesce(held, 0)
"""


@dataclass(frozen=True)
class Run:
    """`seconds` from the first POST to the last webhook; processor time in milliseconds for a referral."""

    ids: frozenset[str]
    accepted: float
    seconds: float
    cpu: float
    calls: Calls

    @property
    def rate(self) -> float:
        return len(self.ids) / self.seconds

    @property
    def lost(self) -> int:
        """Referrals of which not everything was told."""
        told = Counter(found for found, _, _ in self.calls)
        return sum(told[found] < TOLD_EACH for found in self.ids)

    @property
    def twice(self) -> int:
        """Webhooks that came again."""
        return sum(count - 1 for count in self.calls.values())


@dataclass(frozen=True)
class Killed:
    """`places_off`: therapists whose places taken are not the offers they hold."""

    run: Run
    places_off: int


def main() -> None:
    given = arguments(__doc__, n=1000, repeats=3, workers=4, prefetch=16)
    machine(peer=peer_stack.versions())
    ours: list[Run] = []
    theirs: list[Run] = []
    with town() as here:
        peer = peer_stack.make(here, workers=given.workers, prefetch=given.prefetch)
        _set_up(here, peer)
        for _ in range(given.repeats):
            ours.append(_ours(here, given.n))
            theirs.append(_theirs(here, peer, given.n))
            print(f"  ours {short(ours[-1].rate)}/s, peer {short(theirs[-1].rate)}/s", flush=True)
        killed = (
            Killed(
                _ours(here, given.n, kill=True), _count(here.stack.settings.databases["matching"], OUR_PLACES)
            ),
            Killed(_theirs(here, peer, given.n, kill=True), _count(peer.database, THEIR_PLACES)),
        )
    _tell(ours, theirs, given.n)
    _tell_killed(*killed, given.n)


def _set_up(here: Town, peer: Peer) -> None:
    here.stack.start_services(seconds=PATIENCE)
    settle(here)
    here.stack.processes.stop(*SERVICES)
    asyncio.run(peer.prepare())
    peer.start()
    asyncio.run(peer.seed())
    peer.stop()


def _ours(here: Town, n: int, *, kill: bool = False) -> Run:
    here.stack.start_services(seconds=PATIENCE)

    def kill_and_start() -> None:
        for name in BEHIND:
            here.stack.kill(name)
        here.stack.start_services(*BEHIND, seconds=PATIENCE)

    def headers(clinic: str) -> list[str]:
        return [here.authorization(clinic)]

    url = here.stack.urls["intake"]
    _measure(here, url, headers, WARM_UP)
    found = _measure(here, url, headers, n, kill_and_start if kill else None)
    here.stack.processes.stop(*SERVICES)
    return found


def _theirs(here: Town, peer: Peer, n: int, *, kill: bool = False) -> Run:
    peer.start()

    def kill_and_start() -> None:
        here.stack.processes.kill(peer_stack.WORKER)
        peer.start_worker()

    def headers(clinic: str) -> list[str]:
        return [f"clinic: {clinic}"]

    _measure(here, peer.url, headers, WARM_UP)
    found = _measure(here, peer.url, headers, n, kill_and_start if kill else None)
    peer.stop()
    return found


def _measure(
    here: Town, url: str, headers: Headers, n: int, kill_and_start: Callable[[], None] | None = None
) -> Run:
    calls = here.endpoints.calls
    calls.clear()
    before, began, wall = spent(here.stack), time.monotonic(), time.time()
    ids = asyncio.run(_submit(url, headers, n))
    accepted = n / (time.monotonic() - began)
    if kill_and_start:
        asyncio.run(_until(here, KILLED_AT * n * TOLD_EACH))
        kill_and_start()
    asyncio.run(_until(here, n * TOLD_EACH, told=ids))
    time.sleep(1)  # for what comes after the last webhook
    cpu = 1000 * sum(since(before, spent(here.stack)).values()) / n
    told = Counter({call: count for call, count in _counted(here).items() if call[0] in ids})
    return Run(ids, accepted, calls[-1].at - wall, cpu, told)


async def _submit(url: str, headers: Headers, n: int) -> frozenset[str]:
    ids: list[str] = []
    left = iter(range(n))

    async def caller() -> None:
        async with Line(url) as one:
            for number in left:
                clinic = CLINICS[number % len(CLINICS)]
                head = [JSON, f"idempotency-key: {new_id()}", *headers(clinic)]
                status, answer = await one.post("/v1/referrals", json.dumps(referral(number)).encode(), head)
                if status != 202:
                    raise SystemExit(f"{url} answered {status}: {answer[:300]!r}")
                ids.append(json.loads(answer)["id"])

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return frozenset(ids)


async def _until(here: Town, count: float, *, told: frozenset[str] = frozenset()) -> None:
    """So many webhooks, and, with `told`, each of these referrals told in full; or patience is over."""

    def enough() -> bool:
        if len(here.endpoints.calls) < count:
            return False
        if not told:
            return True
        found = Counter(each for each, _, _ in _counted(here))
        return all(found[each] >= TOLD_EACH for each in told)

    await here.endpoints.until(enough, seconds=PATIENCE)


def _counted(here: Town) -> Calls:
    """Webhooks by referral, whom they were for and what they were about."""
    bodies = ((call.path.decode(), json.loads(call.body)) for call in list(here.endpoints.calls))
    return Counter((body["referral_id"], path, body["about"]) for path, body in bodies)


def _count(database: str, query: str) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(database)
        found: int = await connection.fetchval(query)
        await connection.close()
        return found

    return asyncio.run(ask())


def _tell(ours: Sequence[Run], theirs: Sequence[Run], n: int) -> None:
    rows = [
        ("POSTs per second", spread([r.accepted for r in ours]), spread([r.accepted for r in theirs])),
        ("notified per second", spread([r.rate for r in ours]), spread([r.rate for r in theirs])),
        ("CPU ms per referral", spread([r.cpu for r in ours]), spread([r.cpu for r in theirs])),
    ]
    table(f"peer: {n} referrals, {TOLD_EACH} webhooks each", ("", "ours", "Celery"), rows)
    line("peer", ours=[r.rate for r in ours], limit=[r.rate for r in theirs], unit="referrals/s", n=n)
    cpu = [1 / r.cpu for r in ours], [1 / r.cpu for r in theirs]
    line("peer_cpu", ours=cpu[0], limit=cpu[1], unit="referrals/CPU ms", n=n)


def _tell_killed(ours: Killed, theirs: Killed, n: int) -> None:
    rows: list[tuple[object, ...]] = [
        ("accepted", len(ours.run.ids), len(theirs.run.ids)),
        ("lost", ours.run.lost, theirs.run.lost),
        ("webhooks that came twice", ours.run.twice, theirs.run.twice),
        ("therapists with a wrong count of places", ours.places_off, theirs.places_off),
        ("seconds until the last was told", ours.run.seconds, theirs.run.seconds),
    ]
    table("everything behind the front door killed (-9) once", ("", "ours", "Celery"), rows)
    line(
        "peer_killed",
        ours=[ours.run.seconds],
        limit=[theirs.run.seconds],
        unit="s",
        n=n,
        more={
            "lost": [ours.run.lost, theirs.run.lost],
            "twice": [ours.run.twice, theirs.run.twice],
            "places_off": [ours.places_off, theirs.places_off],
        },
    )


if __name__ == "__main__":
    main()
