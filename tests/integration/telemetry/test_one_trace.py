"""One trace, from the clinic's request through every hop and outbox to the pager and back to the timeline."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.intake.handlers import facts as intake_facts
from services.intake.handlers.facts import FOLLOWED
from services.matching.handlers import triage as matching_triage
from services.notify.handlers import matching as notify_matching
from services.notify.handlers import triage as notify_triage
from services.triage.handlers.intake import handle
from shared.db.postgres import Pool, open_pool
from shared.events import Topic
from shared.telemetry import trace
from shared.vocabulary import Lane
from tests.endpoint import Endpoint, endpoint
from tests.integration.intake.support import Intake, intake_on
from tests.integration.matching.stage import HOURS, Stage, entry
from tests.integration.notify.support import CLOCKS, deliverer, on_duty, person
from tests.integration.telemetry.road import Road, incoming
from tests.journey.town import crisis, referral
from tests.support import eventually
from tests.unit.triage.samples import POLICY


@dataclass(frozen=True)
class Spans:
    """What was recorded, to be walked from a span to what caused it."""

    exporter: InMemorySpanExporter

    def __iter__(self) -> Iterator[ReadableSpan]:
        return iter(self.exporter.get_finished_spans())

    def way_to(self, traceparent: str) -> list[str]:
        """The names of a span and of all it came from, the first cause first."""
        by_id = {f"{span.context.span_id:016x}": span for span in self if span.context}
        _, _, span_id, _ = traceparent.split("-")
        names: list[str] = []
        while span := by_id.get(span_id):
            names.insert(0, span.name)
            span_id = f"{span.parent.span_id:016x}" if span.parent else ""
        return names


@pytest.fixture
def spans() -> Iterator[Spans]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.record_with(provider.get_tracer("test"))
    yield Spans(exporter)
    trace.record_with(None)


@dataclass
class Network:
    """All four services on their own databases, with the road between them."""

    road: Road
    intake: Intake
    pools: dict[str, Pool]
    urls: dict[str, str]
    pager: Endpoint

    async def submit(self, body: object, traceparent: str) -> None:
        await self.intake.submit(body, traceparent=traceparent)
        await self.road.relay("intake", self.pools["intake"], self.urls["intake"])

    async def triage(self) -> None:
        handler = partial(handle, policy=POLICY)
        for topic, group in ((Topic.INTAKE_EXPRESS, "triage-express"), (Topic.INTAKE_REFERRALS, "triage")):
            await self.road.give(topic, group, handler, self.pools["triage"])
        await self.road.relay("triage", self.pools["triage"], self.urls["triage"])

    async def match(self) -> None:
        stage = Stage(self.pools["matching"])
        await stage.roster(*[entry(payers=["payer-a"]) for _ in range(3)])
        handler = partial(matching_triage.handle, hours=HOURS, snapshot=stage.matcher.snapshot)
        pool = self.pools["matching"]
        await self.road.give(Topic.TRIAGE_EXPRESS, "matching-express", handler, pool)
        await self.road.give(Topic.TRIAGE_DECISIONS, "matching", handler, pool)
        await stage.settle()
        await self.road.relay("matching", self.pools["matching"], self.urls["matching"])

    async def notify(self) -> None:
        pool = self.pools["notify"]
        for topic, group in (
            (Topic.TRIAGE_EXPRESS, "notify-express"),
            (Topic.TRIAGE_DECISIONS, "notify-triage"),
        ):
            take = partial(notify_triage.handle, group=group, clocks=CLOCKS)
            await self.road.give(topic, group, take, pool)
        group = "notify-matching"
        take = partial(notify_matching.handle, group=group, clocks=CLOCKS)
        await self.road.give(Topic.MATCHING_ASSIGNMENTS, group, take, pool)
        async with httpx.AsyncClient() as client:
            for lane in Lane:
                await self._deliver(client, lane)
        await self.road.relay("notify", pool, self.urls["notify"])

    async def _deliver(self, client: httpx.AsyncClient, lane: Lane) -> None:
        carrier = deliverer(self.pools["notify"], client, lane=lane)

        async def nothing_waits() -> bool:
            await carrier.turn()
            waiting = "select exists (select from delivery where lane = $1 and state = 'waiting')"
            return not await self.pools["notify"].fetchval(waiting, lane)

        await eventually(nothing_waits, what=f"delivering on the {lane} lane")
        await carrier.close()

    async def hear(self) -> None:
        for topic, group in FOLLOWED.items():
            await self.road.give(
                topic, group, partial(intake_facts.handle, group=group), self.pools["intake"]
            )

    def told(self, audience: str, about: str) -> str:
        """The traceparent of the webhook that told this audience."""
        calls = [
            call
            for call in self.pager.calls
            if call.path == f"/{audience}" and json.loads(call.body)["about"] == about
        ]
        assert calls, [(call.path, json.loads(call.body)["about"]) for call in self.pager.calls]
        return calls[0].headers["traceparent"]


@pytest.fixture
async def network(database_url: Callable[[str], Awaitable[str]]) -> object:
    urls = {name: await database_url(name) for name in ("intake", "triage", "matching", "notify")}
    pools = {name: await open_pool(url, size=4) for name, url in urls.items()}
    async with endpoint() as pager, intake_on(pools["intake"]) as intake:
        await person(pools["notify"], "psy-1", "psychiatrist", f"{pager.url}/psychiatrist", regions=["north"])
        await person(pools["notify"], "desk-1", "clinic", f"{pager.url}/clinic", clinic="clinic-1")
        await on_duty(pools["notify"], "psy-1")
        yield Network(Road(), intake, pools, urls, pager)
    for pool in pools.values():
        await pool.close()


async def walk(network: Network, body: object, traceparent: str) -> None:
    await network.submit(body, traceparent)
    await network.triage()
    await network.match()
    await network.notify()
    await network.hear()


TO_TRIAGE = ["POST /v1/referrals", "send ReferralSubmitted"]


async def test_a_crisis_is_one_trace_from_the_request_to_the_pager_and_back(
    network: Network, spans: Spans
) -> None:
    mine = incoming()
    await walk(network, crisis(), mine)
    called = network.told("psychiatrist", "ReviewRequested")
    way = spans.way_to(called)
    assert way[3] in ("send ReviewRequested", "send ReferralTriaged"), "said and heard in one breath"
    assert way[:3] == [*TO_TRIAGE, "process triage-express"]
    assert way[4:] == ["process notify-express", "tell psychiatrist"]
    heard = [span for span in spans if span.name == "process intake-notices"]
    ways = [spans.way_to(f"00-{0:032x}-{span.context.span_id:016x}-01") for span in heard if span.context]
    back = ["tell psychiatrist", "send NoticeSent", "process intake-notices"]
    assert back in [way[-3:] for way in ways]
    caller = {f"{span.context.trace_id:032x}" for span in spans if span.context}
    assert caller == {mine.split("-")[1]}, "everything belongs to the caller's own trace"


async def test_a_match_belongs_to_the_trace_of_its_referral(network: Network, spans: Spans) -> None:
    mine = incoming()
    await walk(network, referral(), mine)
    told = network.told("clinic", "MatchProposed")
    assert told.split("-")[1] == mine.split("-")[1]
    assert spans.way_to(told) == [
        *TO_TRIAGE,
        "process triage",
        "send ReferralTriaged",
        "process matching",
        "match",
        "send MatchProposed",
        "process notify-matching",
        "tell clinic",
    ]


async def test_no_span_says_who_it_is_about(network: Network, spans: Spans) -> None:
    body = crisis()
    body["client"] |= {"name": "Marker Person", "contact": {"phone": "555-0199"}}
    body["history"] = {"words": "marker words"}
    await walk(network, body, incoming())
    said = "\n".join(span.to_json() for span in spans).lower()
    assert "post /v1/referrals" in said
    for marker in ("marker", "555-0199"):
        assert marker not in said


async def test_without_a_recorder_the_trace_is_passed_on_all_the_same(network: Network) -> None:
    mine = incoming()
    await walk(network, crisis(), mine)
    called = network.told("psychiatrist", "ReviewRequested")
    assert called.split("-")[1] == mine.split("-")[1] and called != mine
