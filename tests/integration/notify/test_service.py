"""The whole service: a decision on the express topic calls a pager, and its answer is announced."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from careroute.local.keys import Keys
from careroute.tokens import sign
from services.notify.app import create_app
from services.notify.settings import NotifySettings
from shared.events import ReferralFact, Topic
from shared.vocabulary import Urgency
from shared.web.auth import Role
from tests.endpoint import endpoint
from tests.integration.notify.support import SECRET, referral
from tests.support import eventually


async def publish(servers: str, *facts: ReferralFact) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for fact in facts:
            value = fact.model_dump_json().encode()
            await producer.send_and_wait(fact.topic, value=value, key=fact.key.encode())


async def test_a_decision_calls_a_pager_and_the_answer_is_announced(
    kafka_servers: str, database_url: Callable[[str], Awaitable[str]], tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    keys.ensure()
    settings = NotifySettings.model_validate(
        {
            "database_url": await database_url("notify"),
            "KAFKA_BOOTSTRAP_SERVERS": kafka_servers,
            "KAFKA_IDEMPOTENCE": False,
            "KAFKA_PARTITIONS": 1,
            "CAREROUTE_PUBLIC_KEYS": keys.public_keys,
            "SHUTDOWN_SECONDS": 3,
        }
    )
    app, about = create_app(settings), referral(region="north-only-here")
    transport = httpx.ASGITransport(app)
    http = httpx.AsyncClient(transport=transport, base_url="http://notify")

    async def call(method: str, path: str, body: Any = None, role: Role = Role.COORDINATOR) -> httpx.Response:
        token = sign(
            keys.signing_key,
            role=role,
            subject=f"{role}-1",
            clinic=None,
            now=datetime.now(UTC),
            hours=1,
        )
        return await http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def is_ready() -> bool:
        return (await http.get("/health/ready")).status_code == 200

    async with app.router.lifespan_context(app), endpoint() as pager, http:
        await eventually(is_ready, seconds=60, what="readiness")
        channels = [{"kind": "webhook", "url": pager.url, "secret": SECRET}]
        recipient = {"audience": "psychiatrist", "regions": [about.region], "channels": channels}
        assert (await call("PUT", "/v1/recipients/psy-1", recipient)).status_code == 201
        await publish(kafka_servers, about.triaged(Urgency.EMERGENCY))

        async def called() -> list[dict[str, Any]]:
            return pager.said()

        [said] = await eventually(called, what="calling the pager")
        assert said["referral_id"] == str(about.referral)
        answered = await call("POST", f"/v1/notices/{said['notice_id']}/acknowledgement", None, Role.ONCALL)
        assert answered.status_code == 200
        types = await published(kafka_servers, str(about.referral), count=3)
    assert types[0] == "NoticeFailed", "the clinic has no endpoint"
    assert set(types[1:]) == {"NoticeSent", "NoticeAcknowledged"}, "in either order: answered is answered"


async def published(servers: str, referral_id: str, *, count: int) -> list[str]:
    """The types of what was said of a referral."""
    consumer = AIOKafkaConsumer(
        Topic.NOTIFY_NOTICES, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None
    )
    types: list[str] = []

    async def heard() -> bool:
        batches = await consumer.getmany(timeout_ms=200)
        for records in batches.values():
            for record in records:
                fact = json.loads(record.value)
                types.extend([fact["type"]] if fact["referral_id"] == referral_id else [])
        return len(types) >= count

    async with consumer:
        await eventually(heard, what="announcing")
    return types
