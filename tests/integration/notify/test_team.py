"""Whoever is on the team is told, by the clock of the urgency, and only once."""

import pytest

from shared.db.postgres import Pool
from shared.events import ReferralTriaged
from shared.vocabulary import Urgency
from tests.integration.notify.support import ROUTINE, About, notified, on_duty, person, referral, take
from tests.support import NewDatabase

E, V, U, S = Urgency.EMERGENCY, Urgency.VERY_URGENT, Urgency.URGENT, Urgency.SOON
R, P = Urgency.ROUTINE, Urgency.PREVENTIVE


async def staffed(database: NewDatabase, *, primary_care: bool = True) -> Pool:
    pool = await database("notify")
    await person(pool, "psy-1", "psychiatrist")
    await person(pool, "psy-2", "psychiatrist")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    if primary_care:
        await person(pool, "gp", "primary_care", clinic="clinic-1")
    await on_duty(pool, "psy-1", "psy-2")
    return pool


def with_team(
    about: About, urgency: Urgency, decision: int, *team: str, by: str | None = None
) -> ReferralTriaged:
    return about.triaged(urgency, decision, by=by).model_copy(update={"team": team})


async def psychiatrist(pool: Pool) -> list[tuple[bool, str]]:
    rows = await pool.fetch(
        "select is_alert, urgency from notice where audience = 'psychiatrist' order by id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("urgency", list(Urgency))
async def test_a_psychiatrist_on_the_team_is_called_from_urgent_on_and_told_below(
    database: NewDatabase, urgency: Urgency
) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, ROUTINE, with_team(about, urgency, 1, "psychiatrist", "therapist"))
    await take(pool, ROUTINE, with_team(about, urgency, 2, "psychiatrist", "therapist"))
    assert await psychiatrist(pool) == [(urgency in (E, V, U), urgency)], "an unchanged decision tells nobody"
    clinic = await pool.fetchval("select text from notice where audience = 'clinic'")
    assert ("is being called" in clinic) is (urgency in (E, V, U))
    assert ("is told of their part" in clinic) is (urgency not in (E, V, U))


async def test_without_a_psychiatrist_on_the_team_only_what_cannot_wait_calls_one(
    database: NewDatabase,
) -> None:
    pool = await staffed(database)
    for urgency in Urgency:
        await take(pool, ROUTINE, with_team(referral(), urgency, 1, "therapist"))
    assert await psychiatrist(pool) == [(True, E), (True, V)]


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (S, U, [(False, S), (True, U)]),  # raised
        (U, V, [(True, U), (True, V)]),
        (V, U, [(True, V)]),  # lowered: a more urgent alert is there
        (U, S, [(True, U)]),
        (R, S, [(False, R), (False, S)]),
        (S, R, [(False, S)]),
    ],
)
async def test_a_change_of_urgency_calls_when_it_raises(
    database: NewDatabase, first: Urgency, then: Urgency, expected: list[tuple[bool, Urgency]]
) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, ROUTINE, with_team(about, first, 1, "psychiatrist", "therapist"))
    await take(pool, ROUTINE, with_team(about, then, 2, "psychiatrist", "therapist", by="clin-1"))
    assert await psychiatrist(pool) == expected


async def test_who_joins_the_team_later_is_told_then(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, ROUTINE, with_team(about, S, 1, "therapist"))
    before = len(await notified(pool))
    await take(pool, ROUTINE, with_team(about, S, 2, "therapist", "psychiatrist", "primary_care"))
    assert await psychiatrist(pool) == [(False, S)]
    rows = await pool.fetch("select audience, text from notice order by id")
    assert [row["audience"] for row in rows][-2:] == ["psychiatrist", "primary_care"]
    assert "beside therapy" in rows[-1]["text"]
    assert len(await notified(pool)) == before + 3, "two psychiatrists on call and primary care"


async def test_primary_care_hears_whether_its_part_comes_first(database: NewDatabase) -> None:
    pool, about = await staffed(database), referral()
    await take(pool, ROUTINE, with_team(about, S, 1, "primary_care", "therapist"))
    texts = {row["audience"]: row["text"] for row in await pool.fetch("select audience, text from notice")}
    assert "Your part comes before therapy" in texts["primary_care"]
    assert "part" not in texts["clinic"]
    await take(pool, ROUTINE, with_team(about, S, 2, "therapist", "primary_care"))
    assert await pool.fetchval("select count(*) from notice where audience = 'primary_care'") == 2
    await take(pool, ROUTINE, with_team(about, S, 3, "therapist", "primary_care"))
    assert await pool.fetchval("select count(*) from notice where audience = 'primary_care'") == 2


async def test_without_an_endpoint_of_its_own_the_clinic_passes_it_on(database: NewDatabase) -> None:
    pool, about = await staffed(database, primary_care=False), referral()
    await take(pool, ROUTINE, with_team(about, S, 1, "primary_care", "therapist"))
    assert "please pass it on" in await pool.fetchval("select text from notice where audience = 'clinic'")


async def test_with_nobody_on_call_no_notice_says_that_somebody_is_called(database: NewDatabase) -> None:
    pool = await database("notify")
    await person(pool, "desk", "clinic", clinic="clinic-1")
    await take(pool, ROUTINE, referral().triaged(E))
    assert "being called" not in await pool.fetchval("select text from notice where audience = 'clinic'")
