"""The producer of dead letters: started when first needed, thrown away when it failed.

An idempotent producer that outlived a Kafka which lost its data may be refused for ever, so it is not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from shared.errors import Transient
from shared.kafka.dead_letters import Headers

SEND_SECONDS: Final = 20
STOP_SECONDS: Final = 5


class Producer(Protocol):
    """As much of aiokafka's producer as dead letters need."""

    async def send_and_wait(
        self, topic: str, *, value: bytes | None, key: bytes, headers: Headers
    ) -> object: ...

    async def stop(self) -> None: ...


class DeadLetterProducer:
    """Shared by the consumers of a service."""

    def __init__(self, start: Callable[[], Awaitable[Producer]]) -> None:
        self._start = start
        self._producer: Producer | None = None
        self._starting = asyncio.Lock()

    async def send(self, topic: str, *, value: bytes, key: bytes, headers: Headers) -> None:
        """Returns when Kafka has it; raises `Transient` when it has not."""
        producer = None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                producer = await self._started()
                await producer.send_and_wait(topic, value=value, key=key, headers=headers)
        except (KafkaError, OSError, TimeoutError) as error:
            if producer is not None and producer is self._producer:
                await self.stop()
            raise Transient(f"kafka:{type(error).__name__}") from error

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await producer.stop()

    async def _started(self) -> Producer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._start()
            return self._producer
