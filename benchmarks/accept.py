"""POST /v1/referrals: how long an answer takes, how many a second; against a bare FastAPI route, one insert.

The same server, Postgres, body and caller for both, in turn. Ours checks the form, seals who the client is
and writes the referral, its key and its first fact; the bare route writes the body as it came. Then lines per
second of the NDJSON batch, against the bare route called once for each line.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.calling import Line
from benchmarks.figures import line, machine, percentile, spread, table
from benchmarks.flow import PATIENCE, PROJECT
from benchmarks.network import CLINICS, JSON, Town, arguments, referral, town
from benchmarks.spending import spent
from careroute.local import service
from careroute.local.ports import choose_all
from shared.ids import new_id

BARE = "bare-accept"
INTAKE = "intake"
CONCURRENCY = (16, 64)


@dataclass(frozen=True)
class Run:
    """Milliseconds, requests per second, and the server's processor milliseconds for a request."""

    p50: float
    p99: float
    rate: float
    cpu: float


def main() -> None:
    given = arguments(__doc__, n=3000, repeats=5)
    machine()
    with town() as here:
        here.stack.start_services(INTAKE, seconds=PATIENCE)
        bare = _start_bare(here)
        asyncio.run(_measure(here, bare, given.n, given.repeats))


def _start_bare(here: Town) -> str:
    """Under uvicorn with the options that the services are run with."""
    port = choose_all((BARE,), wanted={}, preferred={})[BARE]
    environment = here.stack.settings.environment(INTAKE)
    here.stack.processes.start(
        service.spec(BARE, "benchmarks.bare_accept:create_app", port, environment, PROJECT)
    )
    here.stack.processes.wait({BARE: lambda: service.is_ready(port)}, PATIENCE)
    return f"http://127.0.0.1:{port}"


async def _measure(here: Town, bare: str, n: int, repeats: int) -> None:
    authorization = here.authorization(CLINICS[0])
    intake = here.stack.urls[INTAKE]
    body = json.dumps(referral(1), separators=(",", ":")).encode()

    def headers() -> list[str]:
        return [JSON, authorization, f"idempotency-key: {new_id()}"]

    for name, url in ((INTAKE, intake), (BARE, bare)):
        await _run(here, name, url, body, headers, 500, 16)
    for concurrency in CONCURRENCY:
        ours, limit = [], []
        for _ in range(repeats):
            ours.append(await _run(here, INTAKE, intake, body, headers, n, concurrency))
            limit.append(await _run(here, BARE, bare, body, headers, n, concurrency))
        _tell(f"accept_{concurrency}", ours, limit, n)
    await _lines(here, [run.rate for run in limit], n, repeats)


async def _run(
    here: Town,
    name: str,
    url: str,
    body: bytes,
    headers: Callable[[], Sequence[str]],
    n: int,
    concurrency: int,
) -> Run:
    took: list[float] = []
    left = iter(range(n))

    async def caller() -> None:
        async with Line(url) as one:
            for _ in left:
                began = time.perf_counter()
                status, answer = await one.post("/v1/referrals", body, headers())
                took.append(time.perf_counter() - began)
                if status != 202:
                    raise SystemExit(f"{url} answered {status}: {answer[:300]!r}")

    before, began = spent(here.stack)[name], time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    rate = n / (time.perf_counter() - began)
    cpu = 1000 * (spent(here.stack)[name] - before) / n
    return Run(1000 * percentile(took, 0.5), 1000 * percentile(took, 0.99), rate, cpu)


async def _lines(here: Town, bare: Sequence[float], n: int, repeats: int) -> None:
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        await here.submit(n)
        rates.append(n / (time.perf_counter() - began))
    rows = [("lines per second", spread(rates), spread(bare))]
    table(
        f"NDJSON batch: {n} lines in {len(CLINICS)} requests", ("", "ours", "bare route, one POST each"), rows
    )
    line("accept_lines", ours=rates, limit=bare, unit="lines/s", n=n)


def _tell(name: str, ours: Sequence[Run], limit: Sequence[Run], n: int) -> None:
    rows = [
        ("p50 ms", spread([run.p50 for run in ours]), spread([run.p50 for run in limit])),
        ("p99 ms", spread([run.p99 for run in ours]), spread([run.p99 for run in limit])),
        ("per second", spread([run.rate for run in ours]), spread([run.rate for run in limit])),
        ("CPU ms per POST", spread([run.cpu for run in ours]), spread([run.cpu for run in limit])),
    ]
    table(f"{name}: {n} POSTs, {name.split('_')[1]} at once", ("", "ours", "bare route"), rows)
    worst = [run.p99 for run in ours], [run.p99 for run in limit]
    line(name, ours=[run.rate for run in ours], limit=[run.rate for run in limit], unit="POSTs/s", n=n)
    line(f"{name}_p99", ours=worst[0], limit=worst[1], unit="ms", n=n)
    cpu = [1 / run.cpu for run in ours], [1 / run.cpu for run in limit]
    line(f"{name}_cpu", ours=cpu[0], limit=cpu[1], unit="POSTs/CPU ms", n=n)


if __name__ == "__main__":
    main()
