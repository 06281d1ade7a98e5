"""One round for a batch of clients: the best are chosen, and why nobody is."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings

from services.matching.domain.eligibility import Reason, reasons
from services.matching.domain.eligibility_columns import Relaxation
from services.matching.domain.profiles import Client
from services.matching.domain.proposals import Policy, Proposal, Waiting, Waitlisting, propose
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights
from tests.unit.matching.samples import Chance, chances, client, must, therapist, wish

POLICY = Policy(Weights(), waiting_share=0.2)


def waiting_for(them: Client, number: int = 1, *, level: int = 1, reason: str | None = None) -> Waiting:
    return Waiting(replace(them, id=UUID(int=number)), level, 0, reason)


@given(chances)
@settings(max_examples=60, deadline=None)
def test_a_round_respects_every_limit_and_every_place(chance: Chance) -> None:
    clients, therapists = chance.network(chance.one(3, 12), chance.one(2, 5, 12))
    pool = [Waiting(one, chance.one(*range(7))) for one in clients]
    by_id = {t.id: t for t in therapists}
    verdicts = propose(pool, Roster(therapists), POLICY)
    assert [v.client_id for v in verdicts] == [w.client.id for w in pool]
    taken = Counter(v.choice.therapist_id for v in verdicts if isinstance(v, Proposal))
    held = [(w, v) for w, v in zip(pool, verdicts, strict=True) if isinstance(v, Proposal)]
    for verdict, one in zip(verdicts, pool, strict=True):
        able = [t for t in therapists if not reasons(one.client, t)]
        assert verdict.eligible == len(able)
        if isinstance(verdict, Proposal):
            chosen = (verdict.choice, *verdict.runners_up)
            assert verdict.considered == sum(t.free > 0 for t in able)
            assert all(by_id[c.therapist_id].free > 0 for c in chosen)
            assert all(by_id[c.therapist_id] in able for c in chosen)
            assert len({c.therapist_id for c in chosen}) == len(chosen)
        else:
            # whoever waits although eligible found every such therapist full, with nobody less urgent
            assert all(taken[t.id] >= t.free for t in able)
            usable = {t.id for t in able}
            assert all(w.level >= one.level for w, v in held if v.choice.therapist_id in usable)
    assert all(count <= by_id[who].free for who, count in taken.items())


def test_the_best_is_chosen_and_the_others_are_told() -> None:
    them = client(wish("therapist_gender", "woman"))
    best, fair = therapist(2, genders=frozenset({"woman"})), therapist(1)
    full = therapist(3, places_taken=1)
    (verdict,) = propose([Waiting(them, 1)], Roster([fair, best, full]), POLICY)
    assert isinstance(verdict, Proposal)
    assert verdict.choice.therapist_id == best.id
    assert [r.therapist_id for r in verdict.runners_up] == [fair.id]
    assert (verdict.eligible, verdict.considered) == (3, 2)
    assert {c.criterion: c.score for c in verdict.choice.criteria}["therapist_gender"] == 1.0


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        (Roster(), ("roster_empty", 0, ())),
        # eligible, but full: waits for a place; what would open another is told besides
        (
            Roster([therapist(1, places_taken=1), therapist(2, payers=frozenset({"state"}))]),
            ("no_place", 1, (Relaxation(Reason.PAYER, 1),)),
        ),
        # nobody may: the limit that opens most comes first; who is full opens nothing
        (
            Roster(
                [
                    therapist(1, payers=frozenset({"state"})),
                    therapist(2, languages=frozenset({"vi"})),
                    therapist(3, languages=frozenset({"vi"})),
                    therapist(4, region="south", places_taken=1),
                    therapist(5, age_groups=frozenset({"child"})),
                ]
            ),
            ("no_eligible_therapist", 0, (Relaxation(Reason.LANGUAGE, 2), Relaxation(Reason.PAYER, 1))),
        ),
    ],
)
def test_why_nobody(roster: Roster, expected: tuple[str, int, tuple[Relaxation, ...]]) -> None:
    (verdict,) = propose([Waiting(client(), 1)], roster, POLICY)
    assert isinstance(verdict, Waitlisting)
    assert (verdict.reason, verdict.eligible, verdict.relaxations) == expected


def test_a_must_that_shuts_everyone_out_says_whom_it_would_open() -> None:
    (verdict,) = propose([Waiting(client(must("faith", "quaker")), 1)], Roster([therapist(1)]), POLICY)
    assert isinstance(verdict, Waitlisting)
    assert verdict.relaxations == (Relaxation(Reason.MUST_FAITH, 1),)


def test_relaxations_are_worked_out_once_for_a_reason() -> None:
    roster = Roster([therapist(1, payers=frozenset({"state"}))])
    (verdict,) = propose([Waiting(client(), 1, reason="no_eligible_therapist")], roster, POLICY)
    assert isinstance(verdict, Waitlisting)
    assert verdict.relaxations == ()


def test_of_equals_the_one_who_waits_longer_goes_first() -> None:
    new, old = waiting_for(client(), 1), waiting_for(client(), 2)
    old = Waiting(old.client, old.level, waiting=0.5)
    first, second = propose([new, old], Roster([therapist(1)]), POLICY)
    assert isinstance(first, Waitlisting)
    assert isinstance(second, Proposal)
