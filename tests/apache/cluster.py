"""Apache Kafka (KRaft) on the loopback address, without Docker: one node, or three of which one may die.

    with KafkaCluster(folder, nodes=3) as kafka:
        kafka.start()                      # ready on return
        kafka.kill(2)                      # as a crash would; `stop(2)` asks it to leave
        kafka.start(2)
        kafka.wait_in_sync()               # before the next one is killed

Nodes are child processes that do not outlive this one, so `start` and `launch` are called from the main
thread only; `wait_ready` and `wait_in_sync` may run in any. Three nodes keep three copies of everything and
take a write when two have it. A cluster without a majority of its nodes answers nobody.
"""

import base64
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from uuid import uuid4

from careroute.local.errors import StackError
from careroute.local.folder import make_folder
from careroute.local.ports import choose_all
from careroute.local.processes import Processes
from careroute.local.waiting import run, until
from tests.apache import jars, probes
from tests.apache.node import CLIENT, CONTROLLER, INTERNAL, Node
from tests.apache.security import Security

_LISTENERS = (CLIENT, INTERNAL, CONTROLLER)


class KafkaCluster:
    def __init__(
        self,
        folder: Path,
        *,
        nodes: Literal[1, 3] = 1,
        advertised_ports: Mapping[int, int] | None = None,
        secured: bool = False,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """`advertised_ports`: where clients are told to find a node, by its number, such as the port of a
        proxy that leads to `client_port(number)`. `secured`: clients come in by TLS and SASL SCRAM only.
        `properties` are added to those of every node."""
        self._processes = Processes(make_folder(folder.absolute()))
        self._security = Security.make(folder.absolute()) if secured else None
        self._cluster_id = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=").replace("-", "A")
        numbers = range(1, nodes + 1)
        ports = choose_all((f"{name}-{n}" for n in numbers for name in _LISTENERS), wanted={}, preferred={})
        self._nodes = {
            number: Node(
                number=number,
                folder=folder.absolute(),
                ports={name: ports[f"{name}-{number}"] for name in _LISTENERS},
                advertised_port=(advertised_ports or {}).get(number, ports[f"{CLIENT}-{number}"]),
                extra={**(self._security.properties if self._security else {}), **(properties or {})},
            )
            for number in numbers
        }

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(node.advertised for node in self._nodes.values())

    @property
    def internal_servers(self) -> str:
        """For a test's own clients: no proxy stands before it, and no password is asked."""
        return ",".join(node.internal for node in self._nodes.values())

    @property
    def environment(self) -> dict[str, str]:
        """What a service or a `Stack` is told to use this cluster."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_IDEMPOTENCE": "true",
            "KAFKA_REPLICATION": str(len(self._nodes)),
            **(self._security.environment if self._security else {}),
        }

    def __str__(self) -> str:
        return describe(len(self._nodes))

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(n for n, node in self._nodes.items() if self._runs(node))

    def client_port(self, number: int) -> int:
        return self._nodes[number].ports[CLIENT]

    def start(self, *numbers: int, seconds: float = 120) -> None:
        """Those that do not run, or of all; ready on return."""
        self.launch(*numbers)
        self.wait_ready(seconds=seconds)

    def launch(self, *numbers: int) -> None:
        """Does not wait: for nodes that are no majority yet."""
        nodes = [node for node in self._named(numbers) if not self._runs(node)]
        for node in nodes:
            if not node.formatted:
                node.write_properties([each.voter for each in self._nodes.values()])
                options = self._security.format_options if self._security else ()
                self._processes.run(node.format(self._cluster_id, *options), 60)
        for node in nodes:
            self._processes.start(node.run())

    def wait_ready(self, *, seconds: float = 120) -> None:
        """Until a client reaches each of those that run, and each knows all of them to be alive."""
        running = set(self.running)
        probes_by_name = {
            self._nodes[number].name: partial(self._knows, self._nodes[number], running) for number in running
        }
        self._processes.wait(probes_by_name, seconds)

    def wait_in_sync(self, *, seconds: float = 120) -> None:
        """Until every partition has all its copies in sync, so that the next node may die."""
        servers = ",".join(self._nodes[number].internal for number in self.running)
        if not until(lambda: not run(probes.lagging(servers)), seconds, 0.2):
            raise StackError(f"Not in sync within {seconds:g} s: {', '.join(run(probes.lagging(servers)))}")

    def stop(self, *numbers: int) -> None:
        """SIGTERM; one that does not leave in time is killed."""
        self._processes.stop(*(node.name for node in self._named(numbers)))

    def kill(self, *numbers: int) -> None:
        """SIGKILL, as a crash would."""
        for node in self._named(numbers):
            if node.name in self._processes.names():
                self._processes.kill(node.name)

    def forget(self) -> None:
        """All nodes are dead and get new disks."""
        self.kill()
        for node in self._nodes.values():
            shutil.rmtree(node.data, ignore_errors=True)

    def empty(self) -> None:
        """Deletes all topics, offsets and what else a test may have left; starts nodes that do not run."""
        self.start()
        run(probes.empty(self.internal_servers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _named(self, numbers: tuple[int, ...]) -> list[Node]:
        return [self._nodes[number] for number in numbers or self._nodes]

    def _runs(self, node: Node) -> bool:
        names = self._processes.names()
        return node.name in names and node.name not in self._processes.ended()

    def _knows(self, node: Node, numbers: set[int]) -> bool:
        listens = self._processes.listens(node.name, node.ports[INTERNAL])
        return listens and numbers <= run(probes.brokers(node.internal))


def describe(nodes: int) -> str:
    """What it is, for people; raises `StackError` where it cannot run."""
    jars.java()
    jars.libraries()
    return f"Apache Kafka {jars.version()}, {'one node' if nodes == 1 else f'{nodes} nodes'}"
