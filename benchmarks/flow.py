"""Referrals per second, from accepted by HTTP to everybody told, through all four services.

The limit is `bare.py`: the same bytes through the same hops without logic. Both run in turn on the same
Postgres and broker, each with fresh processes, warmed up first. Prints processor time by process too, which a
busy machine disturbs less than seconds.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks import bare
from benchmarks.bare import Plan
from benchmarks.calling import Line
from benchmarks.endpoints import HOST
from benchmarks.figures import line, machine, short, spread, table
from benchmarks.network import CLINICS, NDJSON, TOLD_EACH, Town, arguments, lines, settle, town
from benchmarks.spending import since, spent
from careroute.local import service
from careroute.local.environment import SERVICES
from shared.settings import ServiceSettings

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 600
WARM_UP = 96
TOPICS = {
    bare.INTAKE: ("intake", "intake.referrals.v1"),
    bare.TRIAGE: ("triage", "triage.decisions.v1"),
    bare.MATCHING: ("matching", "matching.assignments.v1"),
    bare.NOTICES: ("notify", "notify.notices.v1"),
}
SAID = "select body from outbox where topic = $1 limit 500"


@dataclass(frozen=True)
class Run:
    """One measurement: referrals per second, and processor seconds by process."""

    accepted: float
    notified: float
    cpu: Mapping[str, float]


def main() -> None:
    given = arguments(__doc__, n=2000, repeats=3)
    machine(broker="Tansu (embedded, in memory), Postgres 18 (embedded, durable)")
    ours: list[Run] = []
    limit: list[Run] = []
    with town() as here:
        for _ in range(given.repeats):
            ours.append(_ours(here, given.n, first=not ours))
            limit.append(_limit(here, given.n))
            print(f"  ours {short(ours[-1].notified)}/s, limit {short(limit[-1].notified)}/s", flush=True)
    _tell(ours, limit, given.n)


def _ours(here: Town, n: int, *, first: bool) -> Run:
    here.stack.start_services(seconds=PATIENCE)
    if first:
        settle(here)
    asyncio.run(measure(here, WARM_UP, here.submit))
    found = asyncio.run(measure(here, n, here.submit))
    here.stack.processes.stop(*SERVICES)
    return found


def _limit(here: Town, n: int) -> Run:
    """Under the names and ports of the services, which are stopped."""
    plan = here.stack.folder / "plan.json"
    plan.write_text(json.dumps(asdict(asyncio.run(_plan(here)))))
    for name in SERVICES:
        environment = here.stack.settings.environment(name) | {
            "BARE": name,
            "BARE_PLAN": str(plan),
        }
        started = service.spec(
            name, "benchmarks.bare:create_app", here.stack.ports[name], environment, PROJECT
        )
        here.stack.processes.start(started)
    here.stack.wait_ready(seconds=PATIENCE)

    async def submit(count: int) -> None:
        each, rest = divmod(count, len(CLINICS))
        await asyncio.gather(*(_bare_batch(here, each + (place < rest)) for place in range(len(CLINICS))))

    asyncio.run(measure(here, WARM_UP, submit))
    found = asyncio.run(measure(here, n, submit))
    here.stack.processes.stop(*SERVICES)
    return found


async def _bare_batch(here: Town, count: int) -> None:
    body = lines(count)
    async with Line(here.stack.urls["intake"]) as intake:
        _, answer = await intake.post("/", body, [NDJSON])
    if answer.count(b"\n") != count:
        raise SystemExit(f"The bare intake answered {answer.count(10)} lines of {count}.")


async def measure(here: Town, n: int, submit: Callable[[int], Awaitable[None]]) -> Run:
    calls = here.endpoints.calls
    calls.clear()
    before, began = spent(here.stack), time.monotonic()
    await submit(n)
    accepted = time.monotonic()
    if not await here.endpoints.until(lambda: len(calls) >= n * TOLD_EACH, seconds=PATIENCE):
        raise SystemExit(f"Only {len(calls)} of {n * TOLD_EACH} webhooks came in {PATIENCE} s.")
    ended = time.monotonic()
    await asyncio.sleep(1)  # for what comes after the last webhook: noted, announced, kept in the timeline
    return Run(n / (accepted - began), n / (ended - began), since(before, spent(here.stack)))


async def _plan(here: Town) -> Plan:
    """What ours said at each hop."""
    said = {}
    for topic, (name, theirs) in TOPICS.items():
        connection = await asyncpg.connect(here.stack.settings.databases[name])
        said[topic] = [row["body"].decode() for row in await connection.fetch(SAID, theirs)]
        await connection.close()
    await _make_topics(here)
    defaults = ServiceSettings()
    return Plan(
        kafka=here.stack.settings.kafka,
        said=said,
        told={"triage": 2, "matching": 3},
        webhook=here.endpoints.calls[0].body.decode(),
        urls=[f"http://{HOST}:{port}" for port in here.endpoints.ports],
        batch=defaults.batch_size,
        lines=200,
        at_once=64,
    )


async def _make_topics(here: Town) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=here.stack.settings.kafka)
    await admin.start()
    missing = sorted(TOPICS.keys() - set(await admin.list_topics()))
    if missing:
        await admin.create_topics(
            [NewTopic(name, num_partitions=6, replication_factor=1) for name in missing]
        )
    await admin.close()


def _tell(ours: Sequence[Run], limit: Sequence[Run], n: int) -> None:
    rows = [
        ("accepted per second", spread([r.accepted for r in ours]), spread([r.accepted for r in limit])),
        ("notified per second", spread([r.notified for r in ours]), spread([r.notified for r in limit])),
    ]
    for name in (*SERVICES, "postgres", "kafka"):
        mine, theirs = ([1000 * r.cpu[name] / n for r in runs] for runs in (ours, limit))
        rows.append((f"CPU ms per referral: {name}", spread(mine), spread(theirs)))
    mine, theirs = ([1000 * sum(r.cpu.values()) / n for r in runs] for runs in (ours, limit))
    rows.append(("CPU ms per referral: all", spread(mine), spread(theirs)))
    table(f"flow: {n} routine referrals, {TOLD_EACH} webhooks each", ("", "ours", "limit"), rows)
    line("flow", ours=[r.notified for r in ours], limit=[r.notified for r in limit], unit="referrals/s", n=n)
    line(
        "flow_cpu",
        ours=[1 / each for each in mine],
        limit=[1 / each for each in theirs],
        unit="referrals/CPU ms",
        n=n,
        more={"cpu_ms": _middle(ours, n)},
    )


def _middle(runs: Sequence[Run], n: int) -> dict[str, float]:
    """Processor milliseconds for a referral by process, which scale.py reads."""
    return {name: round(1000 * spread([r.cpu[name] for r in runs]).middle / n, 3) for name in runs[0].cpu}


if __name__ == "__main__":
    main()
