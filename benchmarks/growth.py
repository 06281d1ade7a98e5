"""What a referral costs when many came before it: flat, or not; and what more replicas bring.

The databases are filled by SQL (`filling.py`) with copies of what a run left, spread over the year before,
with what was sent and claimed as far as it is kept; those of the last thirty days are still under way. At
each size so many more referrals are measured as in flow.py: per second, processor time, memory by process,
how long a POST takes; and by pg_stat_statements which statements have become slower. Then replicas of triage,
matching and notify are added, as far as the cores allow.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import filling
from benchmarks.calling import Line
from benchmarks.figures import line, machine, percentile, short, spread, table
from benchmarks.filling import Held, Statement
from benchmarks.flow import PATIENCE, PROJECT, WARM_UP, Run, measure
from benchmarks.network import CLINICS, JSON, TOLD_EACH, Town, arguments, referral, settle, town
from benchmarks.spending import resident
from careroute.local import service
from careroute.local.environment import SERVICES
from careroute.local.ports import choose_all
from shared.ids import new_id

REPLICATED = ("triage", "matching", "notify")
SIZES = (10_000, 100_000, 1_000_000)
TEMPLATE = 1000
DAYS = 365.0
"""The largest size is a year of a network; what is kept for days only, is kept of the last of them."""
ROOM = 1000
POSTS = 300
SLOWER = 5
MEMORY = (*SERVICES, "postgres", "kafka")


@dataclass(frozen=True)
class Stage:
    """`disk` as it was before; memory in MiB, answers in milliseconds."""

    disk: Held
    runs: Sequence[Run]
    memory: Mapping[str, float]
    p50: float
    p99: float
    statements: Mapping[tuple[str, str], Statement]

    @property
    def held(self) -> int:
        return self.disk.referrals


def main() -> None:
    given = arguments(__doc__, largest=100_000, n=1000, repeats=3, replicas=2)
    machine()
    sizes = [size for size in SIZES if size < given.largest] + [given.largest]
    with town() as here:
        _prepare(here)
        stages: list[Stage] = []
        copies = 0
        for size in sizes:
            wanted = size // TEMPLATE - 1
            here.stack.processes.stop(*SERVICES)
            began = time.monotonic()
            asyncio.run(
                filling.fill(
                    here.stack,
                    first=copies + 1,
                    copies=wanted - copies,
                    days=DAYS,
                    of=given.largest // TEMPLATE,
                    room=ROOM,
                )
            )
            print(f"  filled to {size:,} in {time.monotonic() - began:.0f} s", flush=True)
            copies = wanted
            here.stack.start_services(seconds=PATIENCE)
            stages.append(_stage(here, given.n, given.repeats))
            cpu = spread([_cpu(run, given.n) for run in stages[-1].runs])
            print(f"  at {stages[-1].held:,}: {cpu} CPU ms a referral", flush=True)
        _tell_growth(stages, given.n)
        replicas = [(1, stages[-1].runs)]
        replicas += [
            (number, _with_replicas(here, number, given.n, given.repeats))
            for number in range(2, given.replicas + 1)
        ]
        _tell_replicas(replicas, given.n)


def _prepare(here: Town) -> None:
    """Statements are counted, a first thousand has gone through, and nothing is under way."""
    asyncio.run(filling.count_statements(here.stack))
    here.stack.processes.stop("postgres")
    here.stack.start("postgres")
    here.stack.start_services(seconds=PATIENCE)
    settle(here)
    asyncio.run(measure(here, TEMPLATE, here.submit))
    here.stack.processes.stop(*SERVICES)
    asyncio.run(filling.take_template(here.stack))


def _stage(here: Town, n: int, repeats: int) -> Stage:
    asyncio.run(measure(here, WARM_UP, here.submit))
    disk = asyncio.run(filling.held(here.stack))
    asyncio.run(filling.forget_statements(here.stack))
    runs = [asyncio.run(measure(here, n, here.submit)) for _ in range(repeats)]
    took = asyncio.run(_posts(here))
    return Stage(
        disk,
        runs,
        resident(here.stack),
        percentile(took, 0.5),
        percentile(took, 0.99),
        asyncio.run(filling.statements(here.stack)),
    )


async def _posts(here: Town) -> list[float]:
    """Milliseconds of each POST, one after the other, with nothing else going on."""
    here.endpoints.calls.clear()
    took: list[float] = []
    async with Line(here.stack.urls["intake"]) as one:
        for number in range(POSTS):
            headers = [JSON, here.authorization(CLINICS[0]), f"idempotency-key: {new_id()}"]
            began = time.perf_counter()
            await one.post("/v1/referrals", json.dumps(referral(number)).encode(), headers)
            took.append(1000 * (time.perf_counter() - began))
    await here.endpoints.until(lambda: len(here.endpoints.calls) >= POSTS * TOLD_EACH, seconds=PATIENCE)
    return took


def _with_replicas(here: Town, number: int, n: int, repeats: int) -> Sequence[Run]:
    """One more of each, under the same groups; partitions are shared anew."""
    for name in REPLICATED:
        replica = f"{name}-{number}"
        port = choose_all((replica,), wanted={}, preferred={})[replica]
        environment = here.stack.settings.environment(name)
        application = f"services.{name}.app:create_app"
        here.stack.processes.start(service.spec(replica, application, port, environment, PROJECT))
        here.stack.processes.wait({replica: lambda port=port: service.is_ready(port)}, PATIENCE)  # type: ignore[misc]  # mypy cannot tell a default's type
    here.stack.wait_ready(seconds=PATIENCE)
    asyncio.run(measure(here, WARM_UP, here.submit))
    return [asyncio.run(measure(here, n, here.submit)) for _ in range(repeats)]


def _tell_growth(stages: Sequence[Stage], n: int) -> None:
    rows = [
        (
            f"{stage.held:,}",
            stage.disk.gib,
            spread([run.notified for run in stage.runs]),
            spread([_cpu(run, n) for run in stage.runs]),
            stage.p50,
            stage.p99,
        )
        for stage in stages
    ]
    heads = ("held before", "GiB", "notified/s", "CPU ms each", "POST p50 ms", "POST p99 ms")
    table("growth: what one more costs", heads, rows)
    memory = [(f"{stage.held:,}", *(short(stage.memory[name]) for name in MEMORY)) for stage in stages]
    table("memory in MiB by process, without what is shared", ("held before", *MEMORY), memory)
    _tell_statements(stages[0], stages[-1], n)
    first = stages[0]
    for stage in stages[1:]:
        cpu = [_cpu(run, n) for run in stage.runs], [_cpu(run, n) for run in first.runs]
        line(f"growth_cpu_{stage.held}", ours=cpu[0], limit=cpu[1], unit="CPU ms", n=n)
        _tell_disk(first.disk, stage.disk)


def _tell_disk(small: Held, large: Held) -> None:
    """KiB that one referral takes, by what is kept for a time and what for good."""
    more = large.referrals - small.referrals
    parts = {
        name: round((getattr(large, name) - getattr(small, name)) / more / 1024, 1)
        for name in ("outbox", "inbox", "rest")
    }
    each = [held.gib * 2**20 / held.referrals for held in (large, small)]
    line("growth_disk", ours=[each[0]], limit=[each[1]], unit="KiB/referral", n=large.referrals, more=parts)


def _tell_statements(small: Stage, large: Stage, n: int) -> None:
    """Those that cost more for a referral than at the smallest size, the worst first."""
    grown = sorted(large.statements, key=lambda key: _more(small, large, key), reverse=True)[:SLOWER]
    rows = [
        (
            f"{service}: {text}",
            small.statements[service, text].mean if (service, text) in small.statements else "-",
            large.statements[service, text].mean,
            large.statements[service, text].calls,
        )
        for service, text in grown
    ]
    heads = ("statement", f"ms at {small.held:,}", f"ms at {large.held:,}", "calls")
    table("statements that grew most, by the time they took in all", heads, rows)


def _more(small: Stage, large: Stage, key: tuple[str, str]) -> float:
    """Milliseconds in all that it would not have taken at the smaller size."""
    now, before = large.statements[key], small.statements.get(key)
    return now.calls * (now.mean - (before.mean if before else 0.0))


def _tell_replicas(replicas: Sequence[tuple[int, Sequence[Run]]], n: int) -> None:
    rows = [
        (str(number), spread([run.notified for run in runs]), spread([_cpu(run, n) for run in runs]))
        for number, runs in replicas
    ]
    table("replicas of triage, matching and notify", ("replicas", "notified/s", "CPU ms each"), rows)
    alone = [run.notified for run in replicas[0][1]]
    for number, runs in replicas[1:]:
        ours = [run.notified for run in runs]
        line(f"replicas_{number}", ours=ours, limit=alone, unit="referrals/s", n=n)


def _cpu(run: Run, n: int) -> float:
    return 1000 * sum(run.cpu.values()) / n


if __name__ == "__main__":
    main()
