"""Events of intake for triage, and the events that triage publishes."""

from typing import Any, Literal, TypeVar
from uuid import UUID, uuid4

from services.triage.handlers.intake import handle
from shared.db.postgres import Pool, transaction
from shared.events import (
    READER,
    AnyFact,
    Case,
    Consent,
    ReferralAmended,
    ReferralSubmitted,
    ReferralWithdrawn,
    Screening,
    ScreeningRecorded,
    Stated,
)
from shared.ids import new_id, now
from shared.vocabulary import Priority
from tests.unit.triage.samples import CALM, DAY, POLICY

CALM_SHEET = Screening(instrument="phq9", taken_on=DAY, answers=CALM)
WORSE_SHEET = Screening(instrument="cssrs", taken_on=DAY, answers=(0, 1, 0, 1, 0, 0))

CaseFact = ReferralSubmitted | ReferralAmended | ScreeningRecorded
F = TypeVar("F")
Kind = Literal["submitted", "amended", "screening"]
KINDS: dict[Kind, type[CaseFact]] = {
    "submitted": ReferralSubmitted,
    "amended": ReferralAmended,
    "screening": ScreeningRecorded,
}


def case(**changes: Any) -> Case:
    boring: dict[str, Any] = {
        "age": 40,
        "requested_priority": Priority.ROUTINE,
        "problems": ("depression",),
        "screenings": (CALM_SHEET,),
        "consent": Consent(share_with_network=True),
        "languages": ("en",),
        "payer": "payer-1",
    }
    return Case(**boring | changes)


def fact(
    referral_id: UUID | None = None,
    *,
    kind: Kind = "submitted",
    revision: int = 1,
    express: bool = False,
    stated: Stated | None = None,
    **changes: Any,
) -> CaseFact:
    return KINDS[kind](
        event_id=new_id(),
        occurred_at=now(),
        referral_id=referral_id or uuid4(),
        revision=revision,
        region="north",
        clinic="clinic-1",
        express=express,
        case=case(**changes),
        stated=stated,
    )


def withdrawal(referral_id: UUID, *, revision: int = 2, express: bool = False) -> ReferralWithdrawn:
    return ReferralWithdrawn(
        event_id=new_id(),
        occurred_at=now(),
        referral_id=referral_id,
        revision=revision,
        region="north",
        clinic="clinic-1",
        express=express,
        reason="no_longer_needed",
    )


async def take(pool: Pool, *facts: AnyFact) -> None:
    """One batch, as the consumer would hand it over."""
    async with transaction(pool) as connection:
        await handle(connection, facts, policy=POLICY)


async def said(pool: Pool, referral_id: UUID | None = None) -> list[AnyFact]:
    """What triage published, in that order."""
    rows = await pool.fetch("select body from outbox order by position")
    facts = [READER.validate_json(row["body"]) for row in rows]
    return [f for f in facts if referral_id is None or getattr(f, "referral_id", None) == referral_id]


async def last(pool: Pool, kind: type[F]) -> F:
    """The last event of triage, which is of this kind."""
    spoken = (await said(pool))[-1]
    assert isinstance(spoken, kind), type(spoken).__name__
    return spoken
