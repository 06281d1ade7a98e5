"""The proposals of one round, for a batch of waitlisted clients: who is offered whom, who is not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from services.matching.domain.assignment import Candidates, assign, merit_of
from services.matching.domain.eligibility_columns import Relaxation, eligible, relaxations
from services.matching.domain.profiles import Client
from services.matching.domain.roster_columns import Roster, Rows
from services.matching.domain.scoring import CriterionScore, Fit, Weights, fit

RUNNERS_UP: Final = 3

NO_PLACE: Final = "no_place"
NO_ELIGIBLE: Final = "no_eligible_therapist"
ROSTER_EMPTY: Final = "roster_empty"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client in the pool: how urgent by now, how long waitlisted (0 to 1), and why so far."""

    client: Client
    level: int
    waiting: float = 0.0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the network weighs. `waiting_share` is what waiting counts beside fit within a level."""

    weights: Weights
    waiting_share: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A therapist and how well they meet the client's wishes."""

    therapist_id: UUID
    score: float
    criteria: tuple[CriterionScore, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Offer this place. `eligible` met every limit, `considered` also had a place."""

    client_id: UUID
    choice: Choice
    runners_up: tuple[Choice, ...]
    eligible: int
    considered: int


@dataclass(frozen=True, slots=True)
class Waitlisting:
    """Nobody yet. `relaxations` are worked out when the reason is new."""

    client_id: UUID
    reason: str
    eligible: int
    relaxations: tuple[Relaxation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    waiting: Waiting
    eligible: int
    rows: Rows
    fit: Fit
    candidates: Candidates


def propose(pool: Sequence[Waiting], roster: Roster, policy: Policy) -> list[Proposal | Waitlisting]:
    """One verdict for each of the pool, in its order."""
    judged = [_judge(waiting, roster, policy) for waiting in pool]
    chosen = assign([j.candidates for j in judged], roster.free)
    with_place = np.flatnonzero(roster.free[: len(roster)] > 0)
    return [
        _waitlisting(j, roster, with_place) if place is None else _proposal(j, place, roster)
        for j, place in zip(judged, chosen, strict=True)
    ]


def _judge(waiting: Waiting, roster: Roster, policy: Policy) -> _Judged:
    able = eligible(waiting.client, roster)
    rows = able[roster.free[able] > 0]
    found = fit(waiting.client, roster, rows, policy.weights)
    share = policy.waiting_share
    merit = merit_of((1 - share) * found.total + share * waiting.waiting)
    turn = waiting.client.id.int & 0xFFFF
    return _Judged(waiting, len(able), rows, found, Candidates(waiting.level, rows, merit, turn))


def _proposal(judged: _Judged, place: int, roster: Roster) -> Proposal:
    others = judged.candidates.best(RUNNERS_UP + 1).rows
    ranked = sorted(np.searchsorted(judged.rows, others).tolist(), key=lambda p: -judged.fit.total[p])
    return Proposal(
        client_id=judged.waiting.client.id,
        choice=_choice(judged, place, roster),
        runners_up=tuple(_choice(judged, p, roster) for p in ranked if p != place)[:RUNNERS_UP],
        eligible=judged.eligible,
        considered=len(judged.rows),
    )


def _choice(judged: _Judged, place: int, roster: Roster) -> Choice:
    therapist_id = roster.ids[int(judged.rows[place])]
    return Choice(therapist_id, round(float(judged.fit.total[place]), 4), judged.fit.at(place))


def _waitlisting(judged: _Judged, roster: Roster, with_place: Rows) -> Waitlisting:
    waiting = judged.waiting
    reason = _why_nobody(judged.eligible, roster)
    opens = relaxations(waiting.client, roster, with_place) if reason != waiting.reason else ()
    return Waitlisting(waiting.client.id, reason, judged.eligible, opens)


def _why_nobody(eligible: int, roster: Roster) -> str:
    if len(roster) == 0:
        return ROSTER_EMPTY
    return NO_PLACE if eligible else NO_ELIGIBLE
