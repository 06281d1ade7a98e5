"""One folder for each container, with what it must keep to itself: one file for each setting.

The operator's folder holds what everything else follows from; back that one up. Running this again makes
what is missing and changes nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from careroute.host import authority
from careroute.local.environment import SERVICES, database_variable
from careroute.local.folder import write_private
from careroute.local.keys import Keys

SEALING: Final = ("intake", "notify")
"""Who seals what lies in its database."""

FOREIGN: Final = ("postgres", "kafka")
"""Their processes run under users of their own images, so their files are readable within their container."""


def make(out: Path, *, postgres: str, kafka_name: str) -> None:
    """`postgres` is the server's host:port, `kafka_name` the host name that Kafka's certificate is for."""
    keys = Keys(out / "operator")
    keys.ensure()
    public = keys.public_keys.read_text()
    databases = {
        database_variable(service): f"postgresql://{service}:{keys.password(service)}@{postgres}/{service}"
        for service in SERVICES
    }
    _write(out / "operator", databases | {"KAFKA_PASSWORD": keys.password("kafka-operator")})
    for service in SERVICES:
        _write(out / service, _of_service(service, keys, databases) | {"public-keys.json": public})
    _write(out / "postgres", {"POSTGRES_PASSWORD": keys.password("postgres")})
    users = {user: keys.password(f"kafka-{user}") for user in ("operator", *SERVICES)}
    _write(out / "kafka", {f"{user}.password": password for user, password in users.items()})
    _certify(out, keys, kafka_name)


def admin_url(out: Path, *, postgres: str) -> str:
    """The superuser's address of the server."""
    password = (out / "postgres" / "POSTGRES_PASSWORD").read_text()
    return f"postgresql://postgres:{quote(password)}@{postgres}/postgres"


def _of_service(service: str, keys: Keys, databases: Mapping[str, str]) -> dict[str, str]:
    variable = database_variable(service)
    found = {variable: databases[variable], "KAFKA_PASSWORD": keys.password(f"kafka-{service}")}
    if service in SEALING:
        found[f"{service.upper()}_ENCRYPTION_KEYS"] = keys.encryption_keys(f"{service}-encryption-keys")
    return found


def _certify(out: Path, keys: Keys, kafka_name: str) -> None:
    """An authority of this network's own, and Kafka's certificate by it; everybody knows the authority."""
    made = authority.ensure(keys.signing_key.parent, kafka_name)
    _write(out / "kafka", {"server.pem": made.server})
    for owner in ("operator", "kafka", *SERVICES):
        _write(out / owner, {"ca.pem": made.certificate})


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            write_private(path, text)
        path.chmod(0o444 if folder.name in FOREIGN else 0o400)


def read(folder: Path) -> dict[str, str]:
    """The settings of a folder that `make` wrote, by name."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.name.isupper()}
