"""Where the services, their databases and Kafka are: a stack running here, or what the environment says."""

import os
from dataclasses import dataclass
from pathlib import Path

from careroute.host import keys
from careroute.local.environment import NETWORK_FILE, SERVICES, running
from careroute.local.errors import StackError
from shared import network as network_file
from shared.settings import SECRETS, ServiceSettings

DEFAULT_FOLDER = Path(".careroute")
EXAMPLE_NETWORK = Path(__file__).resolve().parents[1] / "examples" / "network.toml"
"""What `careroute up` and `careroute demo` run on, unless CAREROUTE_NETWORK_FILE says otherwise."""


@dataclass(frozen=True)
class Network:
    """Each field is as the services know it; `variables` are their settings."""

    urls: dict[str, str]
    variables: dict[str, str]
    signing_key: Path | None

    def database(self, service: str) -> str:
        """Raises `StackError` naming the variable that is missing."""
        return self._variable(f"{service.upper()}_DATABASE_URL")

    @property
    def kafka(self) -> str:
        return self._variable("KAFKA_BOOTSTRAP_SERVERS")

    def kafka_settings(self) -> ServiceSettings:
        """The settings with which the services reach Kafka."""
        _ = self.kafka
        names = {info.validation_alias for info in ServiceSettings.model_fields.values()}
        return ServiceSettings.model_validate({k: v for k, v in self.variables.items() if k in names})

    @property
    def key(self) -> Path:
        if self.signing_key is None:
            raise StackError("Set CAREROUTE_SIGNING_KEY to the file with the network's private key (JWK).")
        return self.signing_key

    def clinic(self, said: str) -> str:
        """The network's code of a clinic. Raises `StackError` naming the known ones."""
        file = self.variables.get(NETWORK_FILE)
        known = network_file.load(Path(file) if file else None)
        found = known.find("clinics", said)
        if found is None:
            raise StackError(known.unknown("clinics", said))
        return found

    def url(self, service: str) -> str:
        if service not in self.urls:
            raise StackError(f"Set {service.upper()}_URL to the address of {service}, or run `careroute up`.")
        return self.urls[service]

    def _variable(self, name: str) -> str:
        if name not in self.variables:
            raise StackError(f"Set {name}, or run `careroute up` first.")
        return self.variables[name]


def find(folder: Path = DEFAULT_FOLDER) -> Network:
    """The environment wins; what it does not say, a stack running from `folder` does."""
    urls, variables, key = {}, {}, None
    try:
        local = running(folder)
        urls, variables, key = dict(local.urls), dict(local.variables), Path(local.signing_key)
    except StackError:
        pass
    told = {name: value for name, value in os.environ.items() if value}
    variables |= _secrets() | told
    urls |= {name: told[f"{name.upper()}_URL"] for name in SERVICES if f"{name.upper()}_URL" in told}
    given = told.get("CAREROUTE_SIGNING_KEY")
    return Network(urls, variables, Path(given) if given else key)


def _secrets() -> dict[str, str]:
    """What lies in the folder CAREROUTE_SECRETS, one file for each variable, as the services read it too."""
    folder = os.environ.get(SECRETS)
    return keys.read(Path(folder)) if folder else {}
