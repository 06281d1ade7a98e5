"""One node of a cluster: broker and controller in one Java process, on the loopback address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from careroute.local.child import Spec
from careroute.local.ports import HOST
from tests.apache import jars

CLIENT = "CLIENT"
"""Where the services come in; its advertised port may be that of a proxy in a test."""
INTERNAL = "INTERNAL"
"""Between the brokers, and for our own probes: no proxy of a test cuts it."""
CONTROLLER = "CONTROLLER"

# Small and quick to start: the heap is enough for a few hundred partitions, and the slower of Java's two
# compilers, which pays off after minutes, stays off.
_JAVA_OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOG_OPTIONS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


@dataclass(frozen=True, kw_only=True)
class Node:
    number: int
    folder: Path
    ports: Mapping[str, int]
    """By listener."""
    advertised_port: int
    """Of the clients' listener."""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"kafka-{self.number}"

    @property
    def advertised(self) -> str:
        return f"{HOST}:{self.advertised_port}"

    @property
    def internal(self) -> str:
        return f"{HOST}:{self.ports[INTERNAL]}"

    @property
    def voter(self) -> str:
        return f"{self.number}@{HOST}:{self.ports[CONTROLLER]}"

    @property
    def data(self) -> Path:
        return self.folder / self.name

    @property
    def formatted(self) -> bool:
        return (self.data / "meta.properties").exists()

    def write_properties(self, voters: Sequence[str]) -> None:
        values = common(len(voters)) | self._own() | {"controller.quorum.voters": ",".join(voters)}
        lines = (f"{name}={value}\n" for name, value in (values | dict(self.extra)).items())
        self._properties.write_text("".join(lines))

    def format(self, cluster_id: str, *options: str) -> Spec:
        arguments = ("format", "--cluster-id", cluster_id, "--config", str(self._properties), *options)
        return self._spec(f"{self.name}-format", "kafka.tools.StorageTool", *arguments)

    def run(self) -> Spec:
        return self._spec(self.name, "kafka.Kafka", str(self._properties))

    @property
    def _properties(self) -> Path:
        return self.folder / f"{self.name}.properties"

    def _own(self) -> dict[str, str]:
        return {
            "node.id": str(self.number),
            "log.dirs": str(self.data),
            "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in self.ports.items()),
            "advertised.listeners": f"{CLIENT}://{self.advertised},{INTERNAL}://{self.internal}",
        }

    def _spec(self, name: str, main: str, *arguments: str) -> Spec:
        classes = f"{jars.libraries()}/*"
        command = (jars.java(), *_JAVA_OPTIONS, *_LOG_OPTIONS, "-cp", classes, main, *arguments)
        return Spec(name=name, command=command, env={"LC_ALL": "C.UTF-8"}, cwd=self.folder)


def protocols(client: str = "PLAINTEXT") -> str:
    return f"{CLIENT}:{client},{INTERNAL}:PLAINTEXT,{CONTROLLER}:PLAINTEXT"


def common(nodes: int) -> dict[str, str]:
    """What careroute asks of a cluster, and smaller internals than for production."""
    copies, enough = str(nodes), str(2 if nodes > 1 else 1)
    return {
        "process.roles": "broker,controller",
        "listener.security.protocol.map": protocols(),
        "inter.broker.listener.name": INTERNAL,
        "controller.listener.names": CONTROLLER,
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "transaction.state.log.num.partitions": "3",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": enough,
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(4 << 20),
        # A node that was killed is let in again only when its former session is over (Kafka's default: 9 s).
        # A single node has nobody to fail over to, so here the shorter wait costs nothing.
        **(
            {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"} if nodes == 1 else {}
        ),
    }
