"""What becomes of proposals once it is certain which places are still free."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.matching.domain.proposals import Choice, Proposal, Waitlisting
from services.matching.domain.referrals import TriagedReferral
from services.matching.domain.round_decision import Proposed, Verdict, decide
from services.matching.domain.scoring import CriterionScore
from tests.unit.matching.test_triage_decision import HOURS, NOW, OFFERED, THERAPIST

FIRST, SECOND = UUID(int=11), UUID(int=12)
LATER = NOW + timedelta(minutes=15)
CHOICE = Choice(THERAPIST, 0.5, (CriterionScore("language", 1.0, 3.0),))


def referral(id_: UUID, **changes: object) -> TriagedReferral:
    return replace(OFFERED, id=id_, **changes)  # type: ignore[arg-type]


def decided(proposed: Proposed, free: Mapping[UUID, int], *, put_off: bool = True) -> Verdict:
    return decide(
        {FIRST: referral(FIRST, attempt=1), SECOND: referral(SECOND, reason="no_place")},
        proposed,
        free,
        new_ids=iter([UUID(int=21), UUID(int=22)]),
        hours=HOURS,
        now=NOW,
        try_at=LATER,
        put_off=put_off,
    )


def test_the_first_gets_the_last_place_and_the_other_has_lost_it() -> None:
    proposals = tuple(Proposal(id_, CHOICE, (CHOICE,), eligible=2, considered=1) for id_ in (FIRST, SECOND))
    verdict = decided(Proposed(proposals, ()), {THERAPIST: 1})
    (offer,) = verdict.offers
    assert (offer.id, offer.referral_id, offer.attempt, verdict.lost) == (UUID(int=21), FIRST, 2, 1)
    assert [(other.therapist_id, other.scores) for other in offer.runners_up] == [(THERAPIST, (1.0,))]
    assert verdict.levels == {FIRST: 1}


def test_only_a_new_reason_is_published_and_without_put_off_only_that_is_stored() -> None:
    proposed = Proposed((), (Waitlisting(FIRST, "no_place", 3), Waitlisting(SECOND, "no_place", 3)))
    verdict = decided(proposed, {})
    assert [each.id for each in verdict.waitlisted] == [FIRST, SECOND]
    assert [each.id for each in verdict.explained] == [FIRST]
    verdict = decided(proposed, {}, put_off=False)
    assert [each.id for each in verdict.waitlisted] == [FIRST]
