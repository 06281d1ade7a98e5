"""What an old reader skips is named by reconcile, and acted on once a newer reader gets it by replay."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from careroute.checks.acted_on import connected, not_acted_on
from careroute.local import SERVICES
from careroute.network import Network
from careroute.replay import replay
from shared.db import inbox, outbox
from shared.db.postgres import Connection, open_pool, transaction
from shared.events import AnyFact, Topic
from tests.integration.telemetry.road import Road
from tests.wire.samples import SAMPLES
from tests.wire.test_old_readers import OLD

GROUP = "matching-express"
CRISIS = next(sample for sample in SAMPLES if sample.type == "ReferralTriaged")
WITHDRAWN = next(sample for sample in SAMPLES if sample.type == "TriageEnded")


async def test_replay_after_the_upgrade_acts_on_what_was_skipped_and_on_nothing_twice(
    database_url: Callable[[str], Awaitable[str]],
) -> None:
    urls = {name: await database_url("shared") for name in SERVICES}
    network = Network({}, {f"{name.upper()}_DATABASE_URL": url for name, url in urls.items()}, None)
    acted: list[UUID] = []

    async def handler(connection: Connection, facts: Sequence[AnyFact]) -> None:
        acted.extend(fact.event_id for fact in await inbox.claim(connection, GROUP, facts))

    async def missing() -> set[UUID]:
        async with connected(network) as databases:
            found = not_acted_on(databases, {}, grace_seconds=0)
            return {event async for _, target, event in found if target == "matching"}

    async with AsyncExitStack() as stack:
        triage = await stack.enter_async_context(await open_pool(urls["triage"], size=5))
        matching = await stack.enter_async_context(await open_pool(urls["matching"], size=5))
        async with transaction(triage) as connection:
            await outbox.publish(connection, [CRISIS, WITHDRAWN])
        road = Road()
        await road.relay("triage", triage, urls["triage"])
        await road.give(Topic.TRIAGE_EXPRESS, GROUP, handler, matching, reader=OLD)
        assert acted == [WITHDRAWN.event_id]
        assert await missing() == {CRISIS.event_id}

        road.records.clear()
        assert await replay(network, ("triage",), CRISIS.occurred_at) == {"triage": 2}
        await road.relay("triage", triage, urls["triage"])
        await road.give(Topic.TRIAGE_EXPRESS, GROUP, handler, matching)
        assert acted == [WITHDRAWN.event_id, CRISIS.event_id]
        assert await missing() == set()
