"""What a national network needs: by arithmetic, and by a simulation of the pipeline, to where it breaks.

The costs are measured: those of `--measured FILE`, which holds JSON lines of flow.py (`flow_cpu`) and of
growth.py (`growth_disk`), or else of a short flow in this run. The rest are assumptions; each is printed.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import machine, percentile, table
from benchmarks.pipeline import SERVICES, TOLD_FIRST, TOLD_LATER, Costs, Plan, Simulation

YEAR: Final = 1_800_000
HOURS: Final = 168
WORKDAY, EVENING, NIGHT, WEEKEND = 1.0, 0.25, 0.03, 0.12
"""How many arrive in an hour, against an hour of a working day from 8 to 18; evenings are from 18 to 22."""
REGIONS: Final = 42
EACH_LEVEL: Final = (1, 3, 10, 30, 100, 200, 300, 500, 1000, 2000)
TOO_LONG: Final = 60.0
"""Seconds until everybody is told, at the 99th percentile, from which a level counts as broken."""
WINDOW: Final = 300.0


def main() -> None:
    given = _arguments()
    machine()
    lines = _read(given.measured) if given.measured else _measured()
    costs = _costs(lines)
    plan = Plan(endpoint_ms=given.endpoint_ms, batch_ms=given.batch_ms, shares=_regions(given.skew))
    _tell_inputs(given, costs)
    _tell_arithmetic(given, costs)
    if disk := lines.get("growth_disk"):
        _tell_disk(given, disk)
    _tell_week(given, costs, plan)
    _tell_levels(given, costs, plan)
    _tell_endpoints(given, costs, plan)
    _tell_outage(given, costs, plan)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measured", type=Path, help="file with JSON lines of flow.py and growth.py")
    parser.add_argument("--year", type=float, default=YEAR, help=f"referrals a year, default {YEAR:,}")
    parser.add_argument("--surge", type=float, default=3.0, help="times the busiest hour, default 3")
    parser.add_argument("--skew", type=float, default=1.0, help="of regions' sizes (Zipf), default 1")
    parser.add_argument("--endpoint-ms", type=float, default=100.0, help="mean answer of an endpoint")
    parser.add_argument("--batch-ms", type=float, default=5.0, help="what a batch costs besides")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _read(path: Path) -> dict[str, Any]:
    found = [json.loads(each) for each in path.read_text().splitlines() if each.startswith("{")]
    return {each["name"]: each for each in found}


def _measured() -> dict[str, Any]:
    """A short flow of ours, here and now."""
    from benchmarks.flow import WARM_UP, _middle, measure
    from benchmarks.network import settle, town

    n = 500
    with town() as here:
        here.stack.start_services(seconds=600)
        settle(here)
        asyncio.run(measure(here, WARM_UP, here.submit))
        runs = [asyncio.run(measure(here, n, here.submit)) for _ in range(3)]
    return {"flow_cpu": {"cpu_ms": _middle(runs, n)}}


def _costs(lines: dict[str, Any]) -> Costs:
    try:
        found = lines["flow_cpu"]["cpu_ms"]
    except KeyError:
        sys.exit("The file has no line `flow_cpu` with `cpu_ms`. Make one: python -m benchmarks.flow > FILE")
    return Costs(own={name: found[name] for name in SERVICES}, postgres=found["postgres"])


def _regions(skew: float) -> list[float]:
    return [1 / (place + 1) ** skew for place in range(REGIONS)]


def _weights() -> list[float]:
    """Of each hour of a week, from Monday at midnight."""
    found = []
    for hour in range(HOURS):
        day, clock = divmod(hour, 24)
        if day >= 5:
            found.append(WEEKEND if 8 <= clock < 22 else NIGHT)
        else:
            found.append(WORKDAY if 8 <= clock < 18 else EVENING if 18 <= clock < 22 else NIGHT)
    return found


def _peak(year: float) -> float:
    """Referrals per second in the busiest hour of an ordinary week."""
    weights = _weights()
    return year * 7 / 365.25 * max(weights) / sum(weights) / 3600


def _arrivals(rates: Sequence[tuple[float, float]], luck: random.Random) -> list[float]:
    """Moments, by (seconds, per second) one after the other."""
    found: list[float] = []
    begins = 0.0
    for seconds, rate in rates:
        at = begins + luck.expovariate(rate)
        while at < begins + seconds:
            found.append(at)
            at += luck.expovariate(rate)
        begins += seconds
    return found


def _tell_inputs(given: argparse.Namespace, costs: Costs) -> None:
    rows = [
        ("referrals a year", f"{given.year:,.0f}", "see docs/scale.md"),
        *((f"CPU ms: {name}", costs.own[name], "measured (flow.py)") for name in SERVICES),
        ("CPU ms: postgres", costs.postgres, "measured (flow.py)"),
        ("an hour of evening, night, weekend", f"{EVENING}, {NIGHT}, {WEEKEND}", "assumed; workday hour = 1"),
        ("surge", given.surge, "assumed, times the busiest hour"),
        ("regions, skew of their sizes", f"{REGIONS}, {given.skew:g}", "assumed"),
        ("ms besides, a batch", given.batch_ms, "assumed"),
        ("ms, an endpoint's answer", given.endpoint_ms, "assumed, exponential"),
    ]
    table("inputs", ("", "value", "from"), rows)


def _tell_arithmetic(given: argparse.Namespace, costs: Costs) -> None:
    peak = _peak(given.year)
    rates = (
        ("mean over a year", given.year / 365.25 / 86_400),
        ("busiest hour", peak),
        (f"{given.surge:g} times it", given.surge * peak),
    )
    heads = ("", "a day", "a second", "webhooks/s", *SERVICES, "postgres", "all of it")
    rows = []
    for name, rate in rates:
        cores = [rate * cost / 1000 for cost in (*costs.own.values(), costs.postgres)]
        told = rate * (TOLD_FIRST + TOLD_LATER)
        rows.append(
            (name, rate * 86_400, f"{rate:.3f}", told, *(f"{c:.4f}" for c in cores), f"{sum(cores):.4f}")
        )
    table("by arithmetic: processors at work", heads, rows)


def _tell_disk(given: argparse.Namespace, disk: dict[str, Any]) -> None:
    """`OUTBOX_RETENTION_DAYS` and `INBOX_RETENTION_DAYS` at their defaults."""
    day = given.year / 365.25
    rows = [
        ("outbox, 14 days", disk["outbox"], 14 * day * disk["outbox"] / 2**20),
        ("inbox, 35 days", disk["inbox"], 35 * day * disk["inbox"] / 2**20),
        ("the rest, a year", disk["rest"], given.year * disk["rest"] / 2**20),
    ]
    table("by arithmetic: disk of the four databases", ("", "KiB a referral", "GiB"), rows)


def _tell_week(given: argparse.Namespace, costs: Costs, plan: Plan) -> None:
    """Each hour at its own rate, on one replica of each."""
    scale = _peak(given.year) / max(_weights())
    rates = [(3600.0, scale * weight) for weight in _weights()]
    found = _simulated(costs, plan, rates, given.seed)
    table("simulated: a week, one replica of each service", HEADS, [("a week", *_row(found, HOURS * 3600))])


HEADS: Final = (
    "",
    "told",
    "p50 s",
    "p99 s",
    "longest s",
    "nearest to its limit",
    "at work",
    "most webhooks waiting",
)


def _simulated(costs: Costs, plan: Plan, rates: Sequence[tuple[float, float]], seed: int) -> Simulation:
    luck = random.Random(seed)
    found = Simulation(costs, plan, luck)
    found.run(_arrivals(rates, luck), until=sum(seconds for seconds, _ in rates) + 3600)
    return found


def _row(found: Simulation, seconds: float) -> tuple[object, ...]:
    took = _took(found)
    name, share = found.fullest(seconds)
    waits = percentile(took, 0.5), percentile(took, 0.99), max(took)
    return f"{len(took):,}", *waits, name, f"{share:.1%}", f"{found.places.longest:,}"


def _took(found: Simulation) -> list[float]:
    return [referral.told_at - referral.at for referral in found.told]


def _tell_levels(given: argparse.Namespace, costs: Costs, plan: Plan) -> None:
    """Five minutes at so many times the busiest hour, until it breaks."""
    three = replace(plan, replicas=3, postgres=4)
    for each in (plan, three, replace(three, places=192, per_host=16)):
        rows = []
        for level in EACH_LEVEL:
            rate = level * _peak(given.year)
            found = _simulated(costs, each, [(WINDOW, rate)], given.seed)
            rows.append((f"{level} x ({rate:.3g}/s)", *_row(found, max(WINDOW, found.now))))
            if percentile(_took(found), 0.99) > TOO_LONG:
                break
        title = (
            f"{each.replicas} of each, {each.partitions} partitions, Postgres on {each.postgres} cores, "
            f"{each.places} webhooks at once and {each.per_host} to a host from each notify"
        )
        table(f"simulated: five minutes at times the busiest hour; {title}", HEADS, rows)


def _tell_endpoints(given: argparse.Namespace, costs: Costs, plan: Plan) -> None:
    """Five minutes of surge, by how slow the endpoints are, and whether many are on one host."""
    rate = given.surge * _peak(given.year)
    rows = []
    for hosts in (plan.hosts, 1):
        for milliseconds in (100.0, 1000.0, 5000.0, 9000.0):
            slow = replace(plan, hosts=hosts, endpoint_ms=milliseconds)
            found = _simulated(costs, slow, [(WINDOW, rate)], given.seed)
            name = f"{milliseconds / 1000:g} s, {hosts} host{'s' * (hosts > 1)}"
            rows.append((name, *_row(found, max(WINDOW, found.now))))
    table(f"simulated: five minutes of surge ({rate:.3g}/s) and slow endpoints", HEADS, rows)


def _tell_outage(given: argparse.Namespace, costs: Costs, plan: Plan) -> None:
    """What came while nothing behind the door ran arrives at once; then the surge goes on."""
    rate = _peak(given.year)
    rows = []
    for hours in (1, 8, 24):
        count = int(hours * 3600 * rate)
        luck = random.Random(given.seed)
        found = Simulation(costs, plan, luck)
        found.run([0.0] * count + _arrivals([(WINDOW, rate)], luck))
        backlog = max(referral.told_at for referral in found.told if referral.number < count)
        rows.append(
            (f"{hours} h of the busiest hour", f"{count:,}", f"{backlog:,.0f}", *found.fullest(found.now)[:1])
        )
    table("simulated: after an outage", ("", "waiting", "seconds until all are told", "limit"), rows)


if __name__ == "__main__":
    main()
