"""A service whose user may do nothing yet is refused and not ready, and begins by itself once it may."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from fastapi import APIRouter

from careroute import rights
from careroute.local.stack import Stack
from shared.events import Topic
from shared.kafka import client as kafka
from shared.runtime.service import Service
from shared.settings import ServiceSettings
from tests.apache.cluster import KafkaCluster
from tests.support import eventually


@pytest.fixture
def secured(only_apache: None, tmp_path: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(tmp_path / "kafka", secured=True) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "stack", environ={})
    stack.open()
    stack.start("postgres")
    yield stack
    stack.discard()


async def test_a_service_without_rights_waits_for_them(
    secured: KafkaCluster, stack: Stack, tmp_path: Path
) -> None:
    told = {"database_url": stack.postgres.url("triage"), "KAFKA_USERNAME": "triage", "SHUTDOWN_SECONDS": 3}
    service = Service(
        "triage", ServiceSettings.model_validate(secured.environment | told), migrations=tmp_path / "none"
    )

    async def handle(*_: object) -> None:
        """Nothing comes."""

    service.consumes(Topic.INTAKE_REFERRALS, group="triage", handler=handle)
    service.publishes(Topic.TRIAGE_DECISIONS)
    app = service.app(APIRouter(), title="test", description="test")
    transport = httpx.ASGITransport(app)
    with pytest.raises(TopicAuthorizationFailedError):
        await kafka.create_topics(service.settings, service.topics())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        assert not await ready()
        await rights.give(ServiceSettings.model_validate(secured.environment))
        await eventually(ready, seconds=60, what="beginning by itself")
