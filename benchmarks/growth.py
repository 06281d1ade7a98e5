"""What a referral costs when many came before it: flat, or not; and what more replicas bring.

At each size of the databases so many more referrals are measured as in flow.py: per second, processor
time, memory by process. Then replicas of triage, matching and notify are added, as far as the cores allow.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.calling import Line
from benchmarks.figures import line, machine, percentile, short, table
from benchmarks.flow import PATIENCE, PROJECT, WARM_UP, Run, measure
from benchmarks.network import CLINICS, JSON, TOLD_EACH, Town, arguments, referral, settle, town
from benchmarks.spending import resident
from careroute.local import service
from careroute.local.environment import SERVICES
from careroute.local.ports import choose_all

REPLICATED = ("triage", "matching", "notify")
CHUNK = 5000
POSTS = 200


@dataclass(frozen=True)
class Stage:
    """`held` referrals were in the databases before; memory in MiB, answers in milliseconds."""

    held: int
    run: Run
    memory: dict[str, float]
    p50: float
    p99: float


def main() -> None:
    given = arguments(__doc__, largest=100_000, n=2000, replicas=2)
    machine()
    sizes = [0, *(size for size in (10_000, 100_000, 1_000_000) if size < given.largest), given.largest]
    with town() as here:
        here.stack.start_services(seconds=PATIENCE)
        settle(here, therapists=given.largest // 800 + 240)
        asyncio.run(measure(here, WARM_UP, here.submit))
        stages: list[Stage] = []
        for size in sizes:
            held = WARM_UP if not stages else stages[-1].held + given.n + POSTS
            held += asyncio.run(_fill(here, size - held))
            stages.append(asyncio.run(_stage(here, held, given.n)))
        _tell_growth(stages, given.n)
        runs = [
            stages[-1].run,
            *(_with_replicas(here, number, given.n) for number in range(2, given.replicas + 1)),
        ]
        _tell_replicas(runs, given.n)


async def _fill(here: Town, count: int) -> int:
    done = 0
    while done < count:
        some = min(CHUNK, count - done)
        await measure(here, some, here.submit)
        done += some
    return done


async def _stage(here: Town, held: int, n: int) -> Stage:
    run = await measure(here, n, here.submit)
    here.endpoints.calls.clear()
    took: list[float] = []
    async with Line(here.stack.urls["intake"]) as one:
        for number in range(POSTS):
            began = time.perf_counter()
            headers = [JSON, here.authorization(CLINICS[0])]
            await one.post("/v1/referrals", json.dumps(referral(number)).encode(), headers)
            took.append(1000 * (time.perf_counter() - began))
    await here.endpoints.until(lambda: len(here.endpoints.calls) >= POSTS * TOLD_EACH, seconds=PATIENCE)
    return Stage(held, run, resident(here.stack), percentile(took, 0.5), percentile(took, 0.99))


def _with_replicas(here: Town, number: int, n: int) -> Run:
    """One more of each, under the same groups; partitions are shared anew."""
    for name in REPLICATED:
        replica = f"{name}-{number}"
        port = choose_all((replica,), wanted={}, preferred={})[replica]
        environment = here.stack.settings.environment(name)
        application = f"services.{name}.app:create_app"
        here.stack.processes.start(service.spec(replica, application, port, environment, PROJECT))
        here.stack.processes.wait({replica: lambda port=port: service.is_ready(port)}, PATIENCE)  # type: ignore[misc]
    here.stack.wait_ready(seconds=PATIENCE)
    asyncio.run(measure(here, WARM_UP, here.submit))
    return asyncio.run(measure(here, n, here.submit))


def _tell_growth(stages: Sequence[Stage], n: int) -> None:
    heads = (
        "referrals before",
        "notified/s",
        "CPU ms each",
        "POST p50 ms",
        "POST p99 ms",
        *SERVICES,
        "postgres",
        "kafka",
    )
    rows = [
        (
            f"{stage.held:,}",
            stage.run.notified,
            _cpu(stage.run, n),
            stage.p50,
            stage.p99,
            *(short(stage.memory[name]) for name in (*SERVICES, "postgres", "kafka")),
        )
        for stage in stages
    ]
    table("growth: memory in MiB by process, without what is shared", heads, rows)
    for stage in stages[1:]:
        line(
            f"growth_cpu_{stage.held}",
            ours=[_cpu(stage.run, n)],
            limit=[_cpu(stages[0].run, n)],
            unit="CPU ms",
            n=n,
        )


def _tell_replicas(runs: Sequence[Run], n: int) -> None:
    rows = [(number, run.notified, _cpu(run, n)) for number, run in enumerate(runs, 1)]
    table("replicas of triage, matching and notify", ("replicas", "notified/s", "CPU ms each"), rows)
    for number, run in enumerate(runs[1:], 2):
        line(f"replicas_{number}", ours=[run.notified], limit=[runs[0].notified], unit="referrals/s", n=n)


def _cpu(run: Run, n: int) -> float:
    return 1000 * sum(run.cpu.values()) / n


if __name__ == "__main__":
    main()
