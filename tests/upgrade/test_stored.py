"""What an earlier version stored, migrated and decided again by the present rules."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest

from careroute import redecide as command
from careroute.local import SERVICES
from careroute.local.environment import database_variable
from careroute.network import Network
from services.triage.case_mapping import chart_of
from services.triage.domain.policy import Condition, Policy, Rule
from services.triage.domain.urgency import assess_urgency
from services.triage.jobs.redecision import Redecider
from services.triage.policy.digest import with_digest
from shared.db.postgres import Pool, open_pool
from shared.events import READER, Case, ReferralTriaged, TriageFact
from shared.ids import now
from shared.vocabulary import Lane, Urgency, at_least_as_urgent, more_urgent
from tests import databases
from tests.unit.careroute.http_stand_in import console
from tests.unit.triage.samples import POLICY
from tests.upgrade.dump import NAMES, REFERRALS, restore, upgrade

RIGHT: Final[dict[str, Urgency]] = {
    "offered": Urgency.ROUTINE,
    "accident": Urgency.ROUTINE,
    "severe": Urgency.SOON,
    "mania": Urgency.URGENT,
    "withdrawal-delirium": Urgency.VERY_URGENT,
    "crisis-acknowledged": Urgency.VERY_URGENT,
    "crisis-confirmed": Urgency.EMERGENCY,
    "crisis-unacknowledged": Urgency.VERY_URGENT,
    "confirmed": Urgency.URGENT,
    "lowered": Urgency.ROUTINE,
    "self-harm-offered": Urgency.VERY_URGENT,
    "self-harm-accepted": Urgency.VERY_URGENT,
    "self-harm-waitlisted": Urgency.VERY_URGENT,
    "self-harm-in-review": Urgency.VERY_URGENT,
    "self-harm-lowered": Urgency.VERY_URGENT,
    "self-harm-held": Urgency.VERY_URGENT,
    "self-harm-asked": Urgency.VERY_URGENT,
    "self-harm-sequela": Urgency.SOON,
    "self-harm-who": Urgency.URGENT,
    "ideation": Urgency.URGENT,
}
"""How urgent each is once the present rules have decided it again. A new rule adds what it must raise."""

OVER: Final = ("closed", "closed-self-harm", "returned", "withdrawn")
SELF_HARM: Final = {name for name in REFERRALS if name.startswith("self-harm-")} - {
    "self-harm-sequela",
    "self-harm-who",
}
WITH_A_NEW_RULE: Final = with_digest(
    replace(
        POLICY,
        rules=(
            *POLICY.rules,
            Rule(
                id="a-new-rule",
                when=(Condition(kind="diagnosis", any_of=("T39.1X1A",)),),
                text="A rule that the earlier version did not have.",
                source="made up for this test",
                status="to be confirmed by a clinician",
                raises_to=Urgency.VERY_URGENT,
                asks_review=True,
            ),
        ),
    )
)
FAST: Final = 1000.0
Rows = dict[str, dict[str, object]]


@pytest.fixture
async def network(postgres_url: str) -> AsyncIterator[Network]:
    """The restored databases, as the earlier version left them."""
    made = await restore(postgres_url)
    yield Network(
        {}, {database_variable(service): databases.at(postgres_url, made[service]) for service in made}, None
    )
    for name in made.values():
        await databases.drop(postgres_url, name)


@pytest.fixture
async def upgraded(network: Network) -> AsyncIterator[Pool]:
    """Triage's database after this version's migrations."""
    for service in SERVICES:
        await upgrade(network.database(service), service)
    pool = await open_pool(network.database("triage"), size=2)
    yield pool
    await pool.close()


async def rows(pool: Pool) -> Rows:
    found = await pool.fetch("select * from referral")
    return {NAMES[row["referral_id"]]: dict(row) for row in found}


async def published(pool: Pool) -> list[TriageFact]:
    found = await pool.fetch("select body from outbox where sent_at is null order by position")
    facts = [READER.validate_json(row["body"]) for row in found]
    return [fact for fact in facts if isinstance(fact, TriageFact)]


async def care_over(ids: Sequence[UUID]) -> set[UUID]:
    return {REFERRALS["closed"], REFERRALS["closed-self-harm"]} & set(ids)


async def redecide(pool: Pool, policy: Policy) -> set[str]:
    redecider = Redecider(pool=pool, policy=policy, care_over=care_over)
    found = await redecider.survey(writes=True)
    assert not found.unreadable
    return {NAMES[one.referral_id] for one in await redecider.publish(found.raised, per_second=FAST)}


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_keep_every_row_and_run_once(network: Network, service: str) -> None:
    pool = await open_pool(network.database(service), size=1)
    tables = [
        row["name"]
        for row in await pool.fetch(
            "select table_name as name from information_schema.tables "
            "where table_schema = 'public' and table_name <> 'migration' and table_type = 'BASE TABLE'"
        )
    ]
    count = "select count(*) from {}".format
    before = {table: await pool.fetchval(count(table)) for table in tables}
    await upgrade(network.database(service), service)
    assert {table: await pool.fetchval(count(table)) for table in tables} == before
    assert await upgrade(network.database(service), service) == []
    await pool.close()


async def test_every_open_referral_becomes_as_urgent_as_the_present_rules_ask(upgraded: Pool) -> None:
    before = await rows(upgraded)
    raised = await redecide(upgraded, POLICY)
    after = await rows(upgraded)
    assert set(after) == set(REFERRALS)
    for name, row in after.items():
        earlier = before[name]
        if name in OVER:
            assert row | {"rules_digest": None} == earlier
            continue
        urgency, was = Urgency(str(row["urgency"])), Urgency(str(earlier["urgency"]))
        assert at_least_as_urgent(urgency, was), name
        assert row["rules_digest"] == POLICY.digest
        if not earlier["by_clinician"]:
            asks = assess_urgency(chart_of(Case.model_validate(row["case"])), POLICY, asked_at=now()).urgency
            assert urgency is more_urgent(asks, was), name
        if name not in raised:
            assert (row["decision"], row["respond_by"]) == (earlier["decision"], earlier["respond_by"])
    assert {name: after[name]["urgency"] for name in RIGHT} == RIGHT


async def test_a_new_rule_raises_whom_it_finds_and_nobody_else(upgraded: Pool) -> None:
    await redecide(upgraded, POLICY)
    await upgraded.execute("update outbox set sent_at = now()")
    before = await rows(upgraded)
    await redecide(upgraded, WITH_A_NEW_RULE)
    after = await rows(upgraded)
    for name, row in after.items():
        if name == "accident":
            assert row["urgency"] == Urgency.VERY_URGENT and row["state"] == "triaged"
        else:
            assert row["urgency"] == before[name]["urgency"], name
    triaged = [fact for fact in await published(upgraded) if isinstance(fact, ReferralTriaged)]
    assert {NAMES[fact.referral_id] for fact in triaged} == {"accident"}
    for fact in triaged:
        name = NAMES[fact.referral_id]
        assert fact.lane is Lane.EXPRESS and fact.revision == before[name]["revision"]
        assert fact.decision == after[name]["decision"]


async def test_the_second_run_changes_nothing(upgraded: Pool) -> None:
    await redecide(upgraded, WITH_A_NEW_RULE)
    after = await rows(upgraded)
    assert await redecide(upgraded, WITH_A_NEW_RULE) == set()
    assert await rows(upgraded) == after


async def test_the_command_knows_whose_care_has_ended(network: Network, upgraded: Pool) -> None:
    out, printed = console()
    assert await command.run(network, out, per_second=FAST, dry_run=True) == 0
    assert re.search(r"care has ended +│ +│ +2 ", printed.getvalue()), printed.getvalue()
