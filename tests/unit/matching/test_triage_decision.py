"""What events of triage change, decided at once: states, offers that end, deadlines, publications."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.matching.domain.client_needs import ClientNeeds
from services.matching.domain.offers import Offer, OfferState
from services.matching.domain.profiles import Therapist
from services.matching.domain.referrals import Referral, TriagedReferral
from services.matching.domain.state import ClosedBy, State, TriageOutcome
from services.matching.domain.triage_changes import TriageChange, Triaged
from services.matching.domain.triage_decision import (
    AtStake,
    MatchingClosed,
    OfferWithdrawn,
    Placements,
    Verdict,
    at_stake,
    decide,
)
from shared.vocabulary import Urgency

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOURS = {urgency: float(hours) for hours, urgency in enumerate(Urgency, 1)}
REFERRAL, THERAPIST, OFFER = UUID(int=1), UUID(int=2), UUID(int=3)

NEEDS = ClientNeeds(
    age=34,
    perinatal=None,
    languages=("en",),
    interpreter_ok=False,
    area=None,
    payer="harbor",
    problems=(),
    wishes=(),
    first_line=("cbt",),
    alternatives=(),
)
ENGLISH = Therapist(
    THERAPIST,
    "north",
    languages=frozenset({"en"}),
    payers=frozenset({"harbor"}),
    modalities=frozenset({"cbt"}),
    age_groups=frozenset({"adult"}),
    settings=frozenset({"in_person"}),
)
OFFERED = TriagedReferral(
    id=REFERRAL,
    clinic="clinic-1",
    region="north",
    revision=1,
    decision=1,
    state=State.OFFERED,
    urgency=Urgency.ROUTINE,
    waiting_since=NOW - timedelta(days=3),
    target=timedelta(days=28),
    needs=NEEDS,
)
OPEN = Offer(
    id=OFFER,
    referral_id=REFERRAL,
    therapist_id=THERAPIST,
    attempt=1,
    offered_at=NOW,
    expires_at=NOW + timedelta(days=3),
    score=0.5,
    criteria=(),
    runners_up=(),
    eligible=1,
    considered=1,
)


def triaged(decision: int = 2, *, urgency: Urgency = Urgency.ROUTINE, language: str = "en") -> Triaged:
    return Triaged(
        referral_id=REFERRAL,
        outcome=TriageOutcome.TRIAGED,
        revision=1,
        decision=decision,
        clinic="clinic-1",
        region="north",
        express=False,
        occurred_at=NOW,
        urgency=urgency,
        respond_by=NOW + timedelta(days=7),
        needs=replace(NEEDS, languages=(language,)),
    )


def over(decision: int = 2) -> TriageChange:
    return TriageChange(
        referral_id=REFERRAL,
        outcome=TriageOutcome.OVER,
        revision=1,
        decision=decision,
        clinic="clinic-1",
        region="north",
        express=False,
        closed_reason="withdrawn",
    )


def decided(*changes: TriageChange, stored: Referral | None = OFFERED, offer: Offer = OPEN) -> Verdict:
    placements = Placements({REFERRAL: offer}, {THERAPIST: ENGLISH}, {}) if stored else Placements({}, {}, {})
    return decide({REFERRAL: stored} if stored else {}, changes, placements, now=NOW, hours=HOURS)


def test_new_joins_the_waitlist_and_nothing_is_published() -> None:
    verdict = decided(triaged(urgency=Urgency.VERY_URGENT), stored=None)
    (referral,) = verdict.referrals
    assert isinstance(referral, TriagedReferral)
    assert (referral.state, referral.express, referral.try_at) == (State.WAITING, True, NOW)
    assert (verdict.ended, verdict.sooner, verdict.publish) == ((), (), ())


def test_over_before_it_was_triaged_is_only_remembered() -> None:
    verdict = decided(over(), stored=None)
    (referral,) = verdict.referrals
    assert not isinstance(referral, TriagedReferral)
    assert (referral.state, referral.closed_by) == (State.CLOSED, ClosedBy.TRIAGE)
    assert verdict.publish == ()


@pytest.mark.parametrize(
    ("offer", "ends_as"),
    [(OPEN, OfferState.RELEASED), (replace(OPEN, state=OfferState.ACCEPTED), OfferState.ENDED)],
)
def test_over_ends_the_offer_and_frees_the_place(offer: Offer, ends_as: OfferState) -> None:
    stored = OFFERED if offer is OPEN else replace(OFFERED, state=State.ACCEPTED)
    verdict = decided(over(), stored=stored, offer=offer)
    (referral,), (ended,) = verdict.referrals, verdict.ended
    assert (ended.state, ended.reason, verdict.places_freed) == (ends_as, "referral_closed", [THERAPIST])
    assert verdict.publish == (MatchingClosed(referral, "withdrawn", offer),)  # type: ignore[arg-type]


def test_an_offer_that_no_longer_fits_is_withdrawn() -> None:
    verdict = decided(triaged(language="es"))
    (referral,), (ended,) = verdict.referrals, verdict.ended
    assert (referral.state, referral.try_at) == (State.WAITING, NOW)
    assert (ended.state, ended.reason) == (OfferState.RELEASED, "needs_changed")
    assert verdict.sooner == ()
    (withdrawn,) = verdict.publish
    assert isinstance(withdrawn, OfferWithdrawn) and withdrawn.offer is OPEN


def test_an_accepted_offer_stays_whatever_is_needed_now() -> None:
    accepted = replace(OPEN, state=OfferState.ACCEPTED)
    verdict = decided(triaged(language="es"), stored=replace(OFFERED, state=State.ACCEPTED), offer=accepted)
    assert (verdict.referrals[0].state, verdict.ended, verdict.publish) == (State.ACCEPTED, (), ())


def test_more_urgent_has_less_time_to_respond() -> None:
    verdict = decided(triaged(urgency=Urgency.URGENT))
    assert verdict.sooner == ((REFERRAL, NOW + timedelta(hours=HOURS[Urgency.URGENT])),)
    assert verdict.ended == ()


def test_over_and_triaged_again_in_one_batch_is_matched_anew() -> None:
    verdict = decided(over(2), triaged(3))
    assert (verdict.referrals[0].state, len(verdict.ended)) == (State.WAITING, 1)
    assert [type(each) for each in verdict.publish] == [OfferWithdrawn]


def test_only_what_may_lose_its_place_is_loaded() -> None:
    stored: dict[UUID, Referral] = {REFERRAL: OFFERED}
    assert at_stake(stored, [triaged(1)]) == AtStake((), ())
    assert at_stake(stored, [over()]) == AtStake((REFERRAL,), ())
    assert at_stake(stored, [triaged()]) == AtStake((REFERRAL,), (REFERRAL,))
    waiting = replace(OFFERED, state=State.WAITING)
    assert at_stake({REFERRAL: waiting}, [triaged()]) == AtStake((), ())
