"""What the services are told through their environment, and how another terminal finds a running stack."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from careroute.local.errors import StackError
from careroute.local.folder import FolderLock, write_private
from careroute.local.keys import Keys

SERVICES = ("intake", "triage", "matching", "notify")
NETWORK_FILE = "CAREROUTE_NETWORK_FILE"
_RUNNING = "running.json"


def database_variable(service: str) -> str:
    return f"{service.upper()}_DATABASE_URL"


_SEALING = ("intake", "notify")
"""These seal columns, each with keys of its own."""

_SECRET = {*(f"{name.upper()}_ENCRYPTION_KEYS" for name in _SEALING), *map(database_variable, SERVICES)}


@dataclass(frozen=True)
class Settings:
    """Where everything is, from which each process gets its own part."""

    keys: Keys
    urls: Mapping[str, str]
    databases: Mapping[str, str]
    kafka: str
    kafka_embedded: bool
    caller: Mapping[str, str]
    network_file: Path | None = None

    def variables(self, service: str | None = None) -> dict[str, str]:
        """What this stack sets: for one service its own secrets alone, for an operator everybody's."""
        owners = SERVICES if service is None else (service,)
        values = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "CAREROUTE_PUBLIC_KEYS": str(self.keys.public_keys),
            "INTAKE_PUBLIC_URL": self.urls["intake"],
            "NOTIFY_REFERRAL_URL": self.urls["intake"],
            "NOTIFY_PUBLIC_URL": self.urls["notify"],
            **{database_variable(name): self.databases[name] for name in owners},
        }
        if (network_file := self.caller.get(NETWORK_FILE, self.network_file)) is not None:
            values[NETWORK_FILE] = str(network_file)
        if self.kafka_embedded:
            values["KAFKA_IDEMPOTENCE"] = "false"
        for name in set(_SEALING) & set(owners):
            variable, file = f"{name.upper()}_ENCRYPTION_KEYS", f"{name}-encryption-keys"
            values[variable] = self.caller.get(variable) or self.keys.encryption_keys(file)
        return values

    def environment(self, service: str | None = None) -> dict[str, str]:
        """The caller's environment without the secrets in it, and these variables."""
        kept = {name: value for name, value in self.caller.items() if name not in _SECRET}
        return kept | {"PYTHONUNBUFFERED": "1"} | self.variables(service)


@dataclass(frozen=True)
class Running:
    """A stack that runs in some other process: its variables, its services' addresses, its signing key."""

    variables: dict[str, str]
    urls: dict[str, str]
    signing_key: str


def publish(folder: Path, settings: Settings) -> None:
    running = Running(settings.variables(), dict(settings.urls), str(settings.keys.signing_key))
    write_private(folder / _RUNNING, json.dumps(asdict(running), indent=1))


def withdraw(folder: Path) -> None:
    (folder / _RUNNING).unlink(missing_ok=True)


def running(folder: Path) -> Running:
    try:
        if FolderLock(folder).held_by_someone():
            return Running(**json.loads((folder / _RUNNING).read_text()))
    except FileNotFoundError:
        pass
    raise StackError(f"No stack is running in {folder}: start one with `careroute up`.")
