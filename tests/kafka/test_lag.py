"""How far behind a consumer is, is asked of Kafka: it grows while the consumer itself is stuck."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared import inbox, measuring, outbox
from shared.events import AnyFact
from shared.postgres import Connection, transaction
from tests.brokers import Kafka
from tests.kafka.test_start import TOPIC, Stack, fact, make, ready, running
from tests.support import eventually


@pytest.fixture
def stack(tmp_path: Path) -> object:
    stack = Stack(tmp_path / "stack", environ={})
    stack.open()
    yield stack
    stack.discard()


def shows(name: str, wanted: float) -> Callable[[], object]:
    async def probe() -> bool:
        return REGISTRY.get_sample_value(name, {"group": "slow", "topic": str(TOPIC)}) == wanted

    return probe  # type: ignore[return-value]


async def test_lag_grows_while_a_batch_is_stuck_and_goes_when_it_is_taken(
    stack: Stack, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "SECONDS", 0.5)
    go_on = asyncio.Event()

    async def stuck(connection: Connection, facts: Sequence[AnyFact]) -> None:
        await go_on.wait()
        await inbox.claim(connection, "slow", facts)

    stack.start("postgres")
    service, app = make(stack, kafka, tmp_path)
    service.consumes(TOPIC, group="slow", handler=stuck)

    async def say(count: int) -> None:
        async with transaction(service.pool) as connection:
            await outbox.announce(connection, [fact() for _ in range(count)])
        service.wake()

    async with running(app) as client:
        await ready(client)
        await eventually(shows("careroute_consumer_partitions", 2), what="having partitions")
        await say(5)
        await eventually(shows("careroute_consumer_lag", 5), what="being 5 behind")
        await say(700)
        try:
            await eventually(shows("careroute_consumer_lag", 705), seconds=8, what="being 705 behind")
        finally:
            for c in service._consumers:
                r = c.reader(); ps = sorted(r.assignment()); print("DBG", c.group, c.in_hand, REGISTRY.get_sample_value("careroute_consumer_lag", {"group": c.group, "topic": str(TOPIC)}), ps)
                try:
                    async with asyncio.timeout(3):
                        print("DBG ends", await r.end_offsets(ps))
                        print("DBG pos", [await r.position(p) for p in ps])
                except BaseException as e: print("DBG", type(e))
            for t in asyncio.all_tasks():
                if "measure-lag" in t.get_name(): t.print_stack()
        go_on.set()
        await eventually(shows("careroute_consumer_lag", 0), seconds=30, what="having caught up")
