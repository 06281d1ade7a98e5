"""`careroute redecide`: what is stored is decided again by newer rules, and those raised are called."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from careroute import redecide as command
from careroute.checks import reconcile
from careroute.checks.acted_on import connected
from careroute.cli import app
from careroute.local.errors import StackError
from careroute.network import Network
from services.triage import metrics
from services.triage.db import checks, redecision, referrals
from services.triage.domain.clinician_decision import Command
from services.triage.domain.policy import Policy
from services.triage.handlers.intake import handle
from services.triage.jobs import measurements
from services.triage.jobs.redecision import Found, Raised, Redecider
from services.triage.outgoing_events import decision_of
from shared.db.postgres import Pool, open_pool, transaction
from shared.events import AnyFact, ReferralTriaged, ReviewRequested, TriageFact
from shared.ids import now
from shared.vocabulary import Lane, Urgency
from tests.integration.triage.support import fact, said, withdrawal
from tests.integration.triage.test_reviews import Call, back, decide, keys, triage
from tests.support import NewDatabase
from tests.unit.careroute.http_stand_in import console
from tests.unit.triage.samples import POLICY
from tests.unit.triage.test_redecision import carried_out, without

__all__ = ["keys", "triage"]  # fixtures

CRISIS = "recent_attempt"
OLDER = without("flag-act-or-intent", "flag-same-day")
"""Before a rule for recent attempts and one for suicidal thoughts."""
FAST = 1000.0


async def stored(pool: Pool, *facts: AnyFact, policy: Policy = OLDER) -> None:
    """Decided by older rules, as a version did that kept no digest."""
    async with transaction(pool) as connection:
        await handle(connection, facts, policy=policy)
        await connection.execute("update referral set rules_digest = null")
        await connection.execute("update decision set rules_digest = null")
        await connection.execute("update outbox set sent_at = now()")


async def lower(pool: Pool, referral_id: UUID, policy: Policy = OLDER) -> None:
    """By a clinician who works with these rules."""
    async with transaction(pool) as connection:
        referral = await referrals.load_one(connection, referral_id)
        assert referral is not None and referral.case is not None
        lower = Command(
            action="lower",
            urgency=Urgency.ROUTINE,
            seen=referral.state.decision,
            reason="assessed_by_phone",
        )
        outcome = carried_out(lower, referral.state, referral.case, policy)
        await referrals.save(connection, [decision_of(outcome, referral.case, policy, now=now())])
        await connection.execute("update referral set rules_digest = null")


async def redecide(pool: Pool, policy: Policy = POLICY) -> tuple[Found, list[Raised]]:
    redecider = Redecider(pool=pool, policy=policy)
    found = await redecider.survey(writes=True)
    return found, await redecider.publish(found.raised, per_second=FAST)


async def published(pool: Pool, referral_id: UUID | None = None) -> list[AnyFact]:
    """What was not yet sent."""
    rows = await pool.fetch("select event_id from outbox where sent_at is null")
    ids = {row["event_id"] for row in rows}
    return [one for one in await said(pool, referral_id) if one.event_id in ids]


async def row(pool: Pool, referral_id: UUID) -> dict[str, object]:
    found = await pool.fetchrow("select * from referral where referral_id = $1", referral_id)
    assert found is not None
    return dict(found)


async def test_a_crisis_that_older_rules_passed_over_is_raised_on_the_express_lane(
    database: NewDatabase,
) -> None:
    pool, referral_id, calm = await database("triage"), uuid4(), uuid4()
    await stored(pool, fact(referral_id, red_flags=(CRISIS,)), fact(calm))
    before = await row(pool, calm)
    found, raised = await redecide(pool)
    assert [(one.referral_id, one.before, one.urgency) for one in raised] == [
        (referral_id, Urgency.ROUTINE, Urgency.VERY_URGENT)
    ]
    assert (found.unchanged, found.over, found.unreadable) == (1, 0, [])
    review, triaged = await published(pool)
    assert isinstance(review, ReviewRequested) and isinstance(triaged, ReferralTriaged)
    assert {review.lane, triaged.lane} == {Lane.EXPRESS}
    assert (review.revision, review.decision, triaged.decision) == (1, 2, 3)
    after = await row(pool, calm)
    assert after.pop("rules_digest") == POLICY.digest and before.pop("rules_digest") is None
    assert after == before


async def test_twice_is_once(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(pool, *(fact(red_flags=(CRISIS,)) for _ in range(3)))
    await redecide(pool)
    rows, facts = await pool.fetch("select * from referral"), await said(pool)
    found, raised = await redecide(pool)
    assert (found.looked_at, raised) == (0, [])
    everyone = Redecider(pool=pool, policy=POLICY, everyone=True)
    found = await everyone.survey(writes=True)
    assert (found.unchanged, found.raised) == (3, [])
    assert (await pool.fetch("select * from referral"), await said(pool)) == (rows, facts)


async def test_killed_in_the_middle_it_goes_on(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(pool, *(fact(red_flags=(CRISIS,)) for _ in range(5)))

    class Killed(Exception):
        pass

    def after_two(done: int) -> None:
        if done == 2:
            raise Killed

    redecider = Redecider(pool=pool, policy=POLICY)
    found = await redecider.survey(writes=True)
    with pytest.raises(Killed):
        await redecider.publish(found.raised, per_second=FAST, progress=after_two)
    _, raised = await redecide(pool)
    assert len(raised) == 3
    triaged = [one for one in await published(pool) if isinstance(one, ReferralTriaged)]
    assert len({one.referral_id for one in triaged}) == len(triaged) == 5


async def test_several_at_once_raise_each_once(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(pool, *(fact(red_flags=(CRISIS,)) for _ in range(30)), *(fact() for _ in range(200)))
    runs = await asyncio.gather(*(redecide(pool) for _ in range(4)))
    assert sum(len(raised) for _, raised in runs) == 30
    triaged = [one for one in await published(pool) if isinstance(one, ReferralTriaged)]
    assert len({one.referral_id for one in triaged}) == len(triaged) == 30
    async with transaction(pool) as connection:
        assert await redecision.count(connection, POLICY.digest) == 0


async def test_the_most_urgent_are_raised_first(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(
        pool,
        *(fact(red_flags=("suicidal_thoughts",)) for _ in range(4)),
        *(fact(red_flags=(CRISIS,)) for _ in range(4)),
        *(fact(problems=("adhd",)) for _ in range(2)),
    )
    _, raised = await redecide(pool)
    assert [one.urgency for one in raised] == [
        *[Urgency.VERY_URGENT] * 4,
        *[Urgency.URGENT] * 4,
        *[Urgency.ROUTINE] * 2,
    ]
    assert [one.because for one in raised[-2:]] == [("team",)] * 2


async def test_what_is_over_is_left_alone(triage: tuple[Pool, Call]) -> None:
    pool, call = triage
    withdrawn, returned = uuid4(), uuid4()
    await stored(pool, fact(withdrawn, red_flags=(CRISIS,)), fact(returned, red_flags=(CRISIS,)))
    await stored(pool, withdrawal(withdrawn))
    await pool.execute("update referral set rules_digest = $1", POLICY.digest)
    assert (await decide(call, returned, action="return", **back("advice_call"))).status_code == 200
    await pool.execute("update referral set rules_digest = null")
    await pool.execute("update outbox set sent_at = now()")
    found, _ = await redecide(pool)
    assert found.looked_at == 0
    assert await published(pool) == []


async def test_care_that_has_ended_is_left_alone_and_not_looked_at_again(database: NewDatabase) -> None:
    pool, over = await database("triage"), uuid4()
    await stored(pool, fact(over, red_flags=(CRISIS,)))

    async def care_over(ids: Sequence[UUID]) -> set[UUID]:
        return {over} & set(ids)

    redecider = Redecider(pool=pool, policy=POLICY, care_over=care_over)
    assert (await redecider.survey(writes=True)).over == 1
    assert (await redecider.survey(writes=True)).looked_at == 0
    assert await published(pool) == []


async def test_what_a_clinician_lowered_stays_unless_something_new_is_found(database: NewDatabase) -> None:
    pool, settled, new = await database("triage"), uuid4(), uuid4()
    for referral_id, flags in ((settled, ("clinician_concern",)), (new, ("clinician_concern", CRISIS))):
        await stored(pool, fact(referral_id, red_flags=flags))
        await lower(pool, referral_id)
    _, raised = await redecide(pool)
    assert [(one.referral_id, one.urgency) for one in raised] == [(new, Urgency.VERY_URGENT)]


async def test_a_clinician_who_decides_first_sees_what_the_present_rules_raise(
    triage: tuple[Pool, Call],
) -> None:
    pool, call = triage
    referral_id = uuid4()
    await stored(pool, fact(referral_id, red_flags=("clinician_concern", CRISIS)))
    refused = await decide(call, referral_id, action="confirm", reason="assessed")
    assert refused.status_code == 409 and refused.json()["code"] == "seen_is_old"
    *_, triaged = await published(pool)
    assert isinstance(triaged, ReferralTriaged) and triaged.urgency is Urgency.VERY_URGENT
    assert (await decide(call, referral_id, action="confirm", reason="assessed")).status_code == 200
    assert (await redecide(pool))[1] == []


async def test_a_review_that_is_open_keeps_its_reasons(database: NewDatabase) -> None:
    pool, referral_id = await database("triage"), uuid4()
    await stored(pool, fact(referral_id, red_flags=("clinician_concern", CRISIS)))
    opened = await pool.fetchval("select opened_at from review")
    await redecide(pool)
    review = await pool.fetchrow("select * from review")
    assert review is not None
    assert review["opened_at"] == opened and review["urgency"] == "very_urgent"
    rules = [reason["rule"] for reason in review["reasons"]]
    assert rules == ["flag-clinician-concern", "flag-act-or-intent", "decided-again"]


async def test_a_case_that_cannot_be_read_is_named_and_stops_nobody(database: NewDatabase) -> None:
    pool, broken, crisis = await database("triage"), uuid4(), uuid4()
    await stored(pool, fact(broken), fact(crisis, red_flags=(CRISIS,)))
    await pool.execute("""update referral set "case" = '{"age": "old"}' where referral_id = $1""", broken)
    found, raised = await redecide(pool)
    assert found.unreadable == [broken] and [one.referral_id for one in raised] == [crisis]


async def test_a_dry_run_changes_nothing(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(pool, fact(red_flags=(CRISIS,)), fact())
    rows = await pool.fetch("select * from referral order by referral_id")
    found = await Redecider(pool=pool, policy=POLICY).survey(writes=False)
    assert (len(found.raised), found.unchanged) == (1, 1)
    assert await pool.fetch("select * from referral order by referral_id") == rows
    assert await published(pool) == []


async def test_it_is_paced(database: NewDatabase) -> None:
    """No burst: the time between the first and the last raise is at least what the pace asks for."""
    pool = await database("triage")
    await stored(pool, *(fact(red_flags=(CRISIS,)) for _ in range(4)))
    redecider = Redecider(pool=pool, policy=POLICY)
    found = await redecider.survey(writes=True)
    await redecider.publish(found.raised, per_second=20)
    at = [one.occurred_at for one in await published(pool) if isinstance(one, TriageFact)]
    assert (max(at) - min(at)).total_seconds() >= 3 / 20


async def test_what_older_rules_decided_is_measured(database: NewDatabase) -> None:
    pool = await database("triage")
    await stored(pool, fact(), fact(), fact())
    await pool.execute(
        "update referral set rules_digest = 'ffff'"
        " where referral_id in (select referral_id from referral limit 1)"
    )
    await measurements.count_older(pool, POLICY.digest)
    assert metrics.OLDER_RULES._value.get() == 3
    await redecide(pool)
    await measurements.count_older(pool, POLICY.digest)
    assert metrics.OLDER_RULES._value.get() == 0


class TestCommand:
    @pytest.fixture
    async def network(self, database_url: Callable[[str], Awaitable[str]]) -> Network:
        names = ("intake", "triage", "matching", "notify")
        return Network({}, {f"{name.upper()}_DATABASE_URL": await database_url(name) for name in names}, None)

    async def test_it_prints_who_is_raised_by_which_rule(self, network: Network) -> None:
        pool = await open_pool(network.database("triage"), size=2)
        over = uuid4()
        await stored(pool, fact(red_flags=(CRISIS,)), fact(over, red_flags=(CRISIS,)), fact())
        matching = await open_pool(network.database("matching"), size=1)
        await matching.execute(
            "insert into referral (id, clinic, region, revision, decision, state, closed_by, closed_reason,"
            " express) values ($1, 'clinic-1', 'north', 1, 1, 'closed', 'care', 'completed', false)",
            over,
        )
        await matching.close()
        out, printed = console()
        assert await command.run(network, out, per_second=FAST, dry_run=True) == 0
        assert "would be raised" in printed.getvalue() and await published(pool) == []
        out, printed = console()
        assert await command.run(network, out, per_second=FAST) == 0
        text = printed.getvalue()
        assert "routine -> very_urgent" in text and "flag-act-or-intent" in text
        assert POLICY.digest in text and "care has ended" in text
        assert len(await published(pool)) == 2
        await pool.close()

    async def test_it_does_not_pile_up_calls_while_nothing_is_sent(self, network: Network) -> None:
        pool = await open_pool(network.database("triage"), size=2)
        await stored(pool, fact(red_flags=(CRISIS,)), fact(red_flags=(CRISIS,)))
        with pytest.raises(StackError, match="running"):
            await command.run(network, console()[0], per_second=FAST, sent_seconds=0.1)
        assert len([one for one in await published(pool) if isinstance(one, ReferralTriaged)]) == 1
        await pool.execute("update outbox set sent_at = now()")
        assert await command.run(network, console()[0], per_second=FAST) == 0
        await pool.close()

    async def test_reconcile_counts_what_older_rules_decided_and_knows_no_doubled_decision(
        self, network: Network
    ) -> None:
        pool = await open_pool(network.database("triage"), size=2)
        await stored(pool, fact(red_flags=(CRISIS,)), fact())
        async with connected(network) as databases:
            assert await reconcile._by_older_rules(network, databases) == 2
            await redecide(pool)
            assert await reconcile._by_older_rules(network, databases) == 0
            assert await reconcile._cases(databases, "triage", checks.DECIDED_TWICE) == []
        unknown = replace(network, variables=network.variables | {"TRIAGE_POLICY": "not-there.toml"})
        async with connected(network) as databases:
            assert await reconcile._by_older_rules(unknown, databases) is None
        await pool.close()

    def test_the_command_line_knows_it(self) -> None:
        done = CliRunner().invoke(app, ["redecide", "--help"])
        assert done.exit_code == 0 and "--dry-run" in done.output
