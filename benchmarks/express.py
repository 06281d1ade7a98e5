"""From acceptance of a crisis referral to its psychiatrist's endpoint being called, with and without backlog.

The backlog: routine referrals accepted while triage, matching and notify are stopped. They are started again
and work on it while the crises come in, one every few hundred milliseconds. Measured twice: each service
in one process, and triage and notify with a process for each lane, what is routine yielding the
processor, as docker-compose.yml has them.
"""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import asyncpg

from benchmarks.calling import Line
from benchmarks.figures import line, machine, percentile, table
from benchmarks.flow import PATIENCE, PROJECT
from benchmarks.network import CLINICS, JSON, Town, arguments, crisis, settle, town
from careroute.local import service
from careroute.local.ports import choose_all

BEHIND = ("triage", "matching", "notify")
SPLIT = ("triage", "notify")
YIELDS = ("nice", "-n", "5")
"""The weight that docker-compose.yml gives to what is routine, 340 of 1024."""
CHUNK = 5000
SENT = """
    select convert_from(body, 'utf8')::json ->> 'referral_id' as id,
           min(occurred_at) as said, min(sent_at) as sent
    from outbox where topic = $1 and occurred_at > $2 group by 1
"""
CALLED = """
    select referral_id::text as id, min(created_at) as noted
    from notice where audience = 'psychiatrist' and created_at > $1 group by 1
"""
HOPS = ("intake said to sent", "triage said", "triage sent", "notify noted", "endpoint called")


@dataclass(frozen=True)
class Found:
    took: list[float]
    hops: list[float]


def main() -> None:
    given = arguments(__doc__, backlog=100_000, n=100, pause=300)
    machine()
    for name, apart in (("express", False), ("express_apart", True)):
        with town() as here:
            alone, behind = _measure(here, given.backlog, given.n, given.pause / 1000, apart=apart)
        _tell(name, alone, behind, given.backlog)


def _measure(here: Town, backlog: int, n: int, pause: float, *, apart: bool) -> tuple[Found, Found]:
    here.stack.start_services("intake", seconds=PATIENCE)
    _start(here, apart=apart)
    settle(here)
    asyncio.run(_warm_up(here))
    alone = asyncio.run(_crises(here, n, pause))
    here.stack.processes.stop(*BEHIND, *map(_express, SPLIT if apart else ()))
    asyncio.run(_pile_up(here, backlog))
    _start(here, apart=apart)
    told = len(here.endpoints.calls)
    behind = asyncio.run(_crises(here, n, pause))
    routine = len(here.endpoints.calls) - told - 2 * n
    print(f"  {routine} other webhooks were sent meanwhile; the backlog makes {5 * backlog}")
    return alone, behind


def _start(here: Town, *, apart: bool) -> None:
    """What is behind intake; apart, with another process for the express lane of those on a crisis's way."""
    if not apart:
        here.stack.start_services(*BEHIND, seconds=PATIENCE)
        return
    ports = choose_all(map(_express, SPLIT), wanted={}, preferred={})
    for name in SPLIT:
        _start_lane(here, name, name, here.stack.ports[name], "routine")
        _start_lane(here, _express(name), name, ports[_express(name)], "express")
    _start_lane(here, "matching", "matching", here.stack.ports["matching"], "both")
    here.stack.wait_ready(*BEHIND, seconds=PATIENCE)
    probes = {name: partial(service.is_ready, port) for name, port in ports.items()}
    here.stack.processes.wait(probes, PATIENCE)


def _start_lane(here: Town, process: str, name: str, port: int, lane: str) -> None:
    environment = here.stack.settings.environment(name) | {"CAREROUTE_LANES": lane}
    spec = service.spec(process, f"services.{name}.app:create_app", port, environment, PROJECT)
    if lane != "express":
        spec = replace(spec, command=(*YIELDS, *spec.command))
    here.stack.processes.start(spec)


def _express(name: str) -> str:
    return f"{name}-express"


async def _warm_up(here: Town) -> None:
    told = len(here.endpoints.calls)
    await here.submit(96)
    await here.endpoints.until(lambda: len(here.endpoints.calls) - told >= 5 * 96, seconds=PATIENCE)
    await _crises(here, 5, 0.2)


async def _pile_up(here: Town, count: int) -> None:
    for start in range(0, count, CHUNK):
        await here.submit(min(CHUNK, count - start))


async def _crises(here: Town, n: int, pause: float) -> Found:
    """Milliseconds from the answer to each to the call of its psychiatrist."""
    since = datetime.now(UTC)
    accepted: dict[str, float] = {}
    begin = len(here.endpoints.calls)
    async with Line(here.stack.urls["intake"]) as one:
        for number in range(n):
            body = json.dumps(crisis(number)).encode()
            status, answer = await one.post("/v1/referrals", body, [JSON, here.authorization(CLINICS[0])])
            if status != 202:
                raise SystemExit(f"A crisis was answered {status}: {answer[:300]!r}")
            accepted[json.loads(answer)["id"]] = time.time()
            await asyncio.sleep(pause)
    called: dict[str, float] = {}

    def all_called() -> bool:
        nonlocal begin
        calls = here.endpoints.calls[begin:]
        begin += len(calls)
        for call in calls:
            if call.path.startswith(b"/psychiatrist-"):
                called.setdefault(json.loads(call.body)["referral_id"], call.at)
        return accepted.keys() <= called.keys()

    if not await here.endpoints.until(all_called, seconds=PATIENCE):
        raise SystemExit(
            f"{len(accepted.keys() - called.keys())} crises of {n} called nobody in {PATIENCE} s."
        )
    took = [1000 * max(0.0, called[found] - at) for found, at in accepted.items()]
    return Found(took, await _hops(here, since, called))


async def _hops(here: Town, since: datetime, called: dict[str, float]) -> list[float]:
    """The middle milliseconds that each hop took, as the databases have it."""
    intake = await _rows(here, "intake", SENT, "intake.express.v1", since)
    triage = await _rows(here, "triage", SENT, "triage.express.v1", since)
    notify = await _rows(here, "notify", CALLED, since)
    moments = []
    for found, at in called.items():
        said, decided = intake[found], triage[found]
        steps = [said["said"], said["sent"], decided["said"], decided["sent"], notify[found]["noted"]]
        moments.append([*(step.timestamp() for step in steps), at])
    return [1000 * statistics.median(m[place + 1] - m[place] for m in moments) for place in range(len(HOPS))]


async def _rows(here: Town, name: str, query: str, *values: object) -> dict[str, asyncpg.Record]:
    connection = await asyncpg.connect(here.stack.settings.databases[name])
    try:
        return {row["id"]: row for row in await connection.fetch(query, *values)}
    finally:
        await connection.close()


def _tell(what: str, one: Found, other: Found, backlog: int) -> None:
    alone, behind = one.took, other.took
    shares = (("p50 ms", 0.5), ("p90 ms", 0.9), ("p99 ms", 0.99), ("longest ms", 1.0))
    rows = [(name, percentile(alone, share), percentile(behind, share)) for name, share in shares]
    title = f"{what}: {len(alone)} crises, accepted to psychiatrist called"
    table(title, ("", "no backlog", f"behind {backlog:,} routine"), rows)
    hops = [(name, one.hops[place], other.hops[place]) for place, name in enumerate(HOPS)]
    table("where it was spent: ms since the hop before (median)", ("", "no backlog", "behind"), hops)
    for name, share in ((f"{what}_p50", 0.5), (f"{what}_p99", 0.99)):
        ours, limit = [percentile(behind, share)], [percentile(alone, share)]
        line(name, ours=ours, limit=limit, unit="ms", n=len(alone), more={"backlog": backlog})


if __name__ == "__main__":
    main()
