"""The limit of flow.py: the same bytes through the same hops, by bare loops that decide nothing.

One process for each service, as ours has. HTTP in; at each hop one set-based insert and one commit for a
batch, then the offset; Kafka between them with the same partitions, batches, acknowledgements, compression;
webhooks out. `Plan` holds facts and a webhook that ours really sent.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from benchmarks.calling import Line
from shared.ids import new_id

TABLE: Final = "create table if not exists bare (id uuid primary key, hop text not null, body bytea not null)"
INSERT: Final = "insert into bare select id, $2, body from unnest($1::uuid[], $3::bytea[]) as new (id, body)"

Step = Callable[[Sequence[bytes]], Awaitable[None]]


@dataclass(frozen=True)
class Plan:
    """`said`: by topic, facts as ours said them. `told`: webhooks for a fact, by who said it."""

    kafka: str
    said: dict[str, list[str]]
    told: dict[str, int]
    webhook: str
    urls: list[str]
    batch: int
    lines: int
    at_once: int


INTAKE, TRIAGE, MATCHING, NOTICES = "bare.intake", "bare.triage", "bare.matching", "bare.notices"


class Hop:
    """What every process has: a pool, a producer, and consumers that call a step with each batch."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.plan = plan
        self.turning: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.pool = await asyncpg.create_pool(
            os.environ[f"{self.name.upper()}_DATABASE_URL"], min_size=1, max_size=12
        )
        await self.pool.execute(TABLE)
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.plan.kafka,
            acks="all",
            enable_idempotence=False,
            max_batch_size=131_072,
            compression_type="gzip",
        )
        await self.producer.start()
        await asyncio.gather(*(self.consume(topic, step) for topic, step in self.steps().items()))

    def steps(self) -> dict[str, Step]:
        told = {TRIAGE: "triage", MATCHING: "matching"}
        match self.name:
            case "intake":
                return {TRIAGE: _nothing, MATCHING: _nothing, NOTICES: _nothing}
            case "triage":
                return {INTAKE: lambda bodies: self.say(TRIAGE, len(bodies))}
            case "matching":
                return {TRIAGE: lambda bodies: self.say(MATCHING, len(bodies))}
            case _:
                return {topic: self._telling(self.plan.told[what]) for topic, what in told.items()}

    async def consume(self, topic: str, step: Step) -> None:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.plan.kafka,
            group_id=f"bare-{self.name}-{topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        self.turning.append(asyncio.create_task(self._turn(consumer, step, f"{self.name}:{topic}")))

    async def _turn(self, consumer: AIOKafkaConsumer, step: Step, hop: str) -> None:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=self.plan.batch)
            records: list[ConsumerRecord] = [record for some in found.values() for record in some]
            if records:
                bodies = [record.value for record in records]
                await self.store(hop, bodies)
                await step(bodies)
                await consumer.commit()

    async def store(self, hop: str, bodies: Sequence[bytes]) -> list[UUID]:
        ids = [new_id() for _ in bodies]
        await self.pool.execute(INSERT, ids, hop, list(bodies))
        return ids

    async def say(self, topic: str, count: int) -> None:
        bodies = [body.encode() for body in self.plan.said[topic]]
        sending = [
            await self.producer.send(topic, value=bodies[place % len(bodies)], key=str(place).encode())
            for place in range(count)
        ]
        await asyncio.gather(*sending)

    def _telling(self, each: int) -> Step:
        """POSTs over connections that stay open, so many at once to a host as ours."""
        count = len(self.plan.urls)
        free: list[asyncio.Queue[Line]] = []
        body = self.plan.webhook.encode()

        async def tell(place: int) -> None:
            line = await free[place % count].get()
            await line.post("/bare", body, ["content-type: application/json"])
            free[place % count].put_nowait(line)

        async def step(bodies: Sequence[bytes]) -> None:
            if not free:
                for url in self.plan.urls:
                    queue: asyncio.Queue[Line] = asyncio.Queue()
                    for _ in range(max(1, self.plan.at_once // count)):
                        queue.put_nowait(Line(url))
                    free.append(queue)
            told = len(bodies) * each
            await asyncio.gather(*(tell(place) for place in range(told)))
            await self.store("notify:told", [body] * told)
            await self.say(NOTICES, told)

        return step


async def _nothing(_: Sequence[bytes]) -> None:
    """The last hop of a fact."""


def application(hop: Hop) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """Takes NDJSON, answers a line for a line; anything else says whether it is ready."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await hop.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        rest, more = b"", True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            *lines, rest = (rest + message.get("body", b"")).split(b"\n")
            for start in range(0, len(lines), hop.plan.lines):
                some = lines[start : start + hop.plan.lines]
                ids = await hop.store("intake:http", some)
                await hop.say(INTAKE, len(some))
                answer = b"".join(b'{"line":1,"status":202,"id":"%b"}\n' % str(each).encode() for each in ids)
                await send({"type": "http.response.body", "body": answer, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def create_app() -> Callable[[Any, Any, Any], Awaitable[None]]:
    """For uvicorn; `BARE` names the service, `BARE_PLAN` the file of the plan."""
    return application(Hop(os.environ["BARE"], Plan(**json.loads(Path(os.environ["BARE_PLAN"]).read_text()))))
