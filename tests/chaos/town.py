"""The whole system to break: three Kafka nodes behind proxies, Postgres on its own disk, the services."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from careroute.demo.people import People
from careroute.local import Stack
from careroute.network import Network, find
from tests.apache.cluster import KafkaCluster
from tests.chaos.background import Background
from tests.chaos.disk import Disk
from tests.chaos.doors import Broken, environment
from tests.chaos.proxy import Proxy
from tests.journey.conftest import OURS
from tests.journey.town import load

NODES: Final = 3
SETTINGS = {
    "KAFKA_PARTITIONS": "3",
    "NOTIFY_FIRST_PAUSE_SECONDS": "0.5",
    "NOTIFY_EXPRESS_FIRST_PAUSE_SECONDS": "0.2",
    # A delivery whose taker was killed is due again after three times this and half a minute.
    "NOTIFY_TIMEOUT_SECONDS": "3",
}


@dataclass
class Roads:
    """Kafka and the network to it."""

    cluster: KafkaCluster
    proxies: Mapping[int, Proxy]


@dataclass
class Town:
    stack: Stack
    roads: Roads
    disk: Disk | None
    network: Network
    background: Background
    api: Api
    endpoints: Endpoints
    people: People


@contextmanager
def roads(folder: Path, background: Background) -> Iterator[Roads]:
    proxies = {number: Proxy() for number in range(1, NODES + 1)}
    ports = {number: proxy.port for number, proxy in proxies.items()}
    with KafkaCluster(folder, nodes=NODES, advertised_ports=ports) as cluster:
        for number, proxy in proxies.items():
            proxy.target = cluster.client_port(number)
            background.run(proxy.heal())
        try:
            cluster.start()
            yield Roads(cluster, proxies)
        finally:
            for proxy in proxies.values():
                background.run(proxy.cut())


@contextmanager
def town(
    roads: Roads, background: Background, *, clocks: Mapping[str, list[int]], broken: Broken | None = None
) -> Iterator[Town]:
    """An empty one, its roster loaded, everybody ready."""
    roads.cluster.empty()
    folder = Path(tempfile.mkdtemp(prefix="careroute-chaos-"))
    folder.chmod(0o711)  # Postgres runs as another user where we are root
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environ |= roads.cluster.environment | SETTINGS | environment(clocks, broken, folder)
    stack = Stack(folder, application="tests.chaos.doors:{name}", environ=environ)
    with ExitStack() as ends:
        ends.callback(stack.discard)
        disk = ends.enter_context(Disk.under(folder / "postgres"))
        ends.callback(stack.stop)
        stack.start_infrastructure()
        stack.start_services(seconds=120)
        endpoints = ends.enter_context(Endpoints("a-secret-for-the-chaos"))
        api = Api(find(folder))
        ends.callback(lambda: background.run(api.__aexit__()))
        background.run(load(api, endpoints))
        people = People(api, endpoints)
        yield Town(stack, roads, disk, find(folder), background, api, endpoints, people)
