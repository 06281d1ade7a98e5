"""Our own rules, called one referral at a time: the logic is the same, and only the plumbing differs."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.peers.models import Referral, Therapist
from services.matching.db.json_columns import entry_of, needs_of
from services.matching.domain.client_needs import client_of
from services.matching.domain.offer_rules import LEVELS
from services.matching.domain.proposals import Policy as Weighing
from services.matching.domain.proposals import Proposal, Waiting, propose
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights
from services.matching.domain.therapist_entry import therapist_of
from services.triage.case_mapping import chart_of
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.urgency import assess_urgency
from services.triage.policy.checks import POLICIES, load
from shared.events import Case
from shared.vocabulary import Urgency

OFFER = timedelta(hours=72)
WEIGHING = Weighing(Weights(), 0.2)
ROSTER_SECONDS = 30


class NobodyFits(Exception):
    """Tried again later, as a retry."""


@dataclass(frozen=True)
class Scored:
    urgency: Urgency
    respond_by: datetime
    decision: dict[str, Any]


@dataclass(frozen=True)
class Chosen:
    therapist_id: UUID
    expires_at: datetime
    score: float
    why: dict[str, Any]


@cache
def policy() -> Policy:
    return load(POLICIES / "network-default.toml")


def score(case: dict[str, Any], *, asked_at: datetime) -> Scored:
    known = Case.model_validate(case)
    chart = chart_of(known)
    verdict = assess_urgency(chart, policy(), asked_at=asked_at)
    pathway = what_care(chart, policy(), verdict.urgency)
    found = [(i.modality, i.problem, i.strength) for i in pathway.indications if i.problem in known.problems]
    decision = {
        "level_of_care": pathway.level_of_care,
        "team": pathway.team,
        "indications": found,
        "rules": [(f.rule, f.datum, f.text) for f in (*verdict.findings, *pathway.findings)],
    }
    return Scored(verdict.urgency, verdict.respond_by, decision)


@dataclass
class _Kept:
    """Entries change seldom and are kept for a while; places are read every time."""

    roster: Roster
    until: float = 0.0


_kept = _Kept(Roster())


def choose(session: Session, referral: Referral, at: datetime) -> Chosen:
    """Raises `NobodyFits`."""
    _refresh(session)
    rows = session.execute(
        select(Therapist.id, Therapist.places_total - Therapist.places_taken).where(
            Therapist.region == referral.region
        )
    )
    _kept.roster.set_free({therapist: free for therapist, free in rows})
    client = client_of(referral.id, referral.region, needs_of(_needs(referral)), (), {})
    assert referral.urgency is not None
    (found,) = propose([Waiting(client, LEVELS[Urgency(referral.urgency)])], _kept.roster, WEIGHING)
    if not isinstance(found, Proposal):
        raise NobodyFits
    criteria = [(each.criterion, each.score, each.weight) for each in found.choice.criteria]
    why = {"criteria": criteria, "runners_up": [str(c.therapist_id) for c in found.runners_up]}
    return Chosen(found.choice.therapist_id, at + OFFER, found.choice.score, why)


def _refresh(session: Session) -> None:
    if time.monotonic() < _kept.until:
        return
    _kept.roster.put(
        [
            therapist_of(
                each.id, entry_of("", each.entry), version=1, places_taken=each.places_taken, areas={}
            )
            for each in session.scalars(select(Therapist))
        ]
    )
    _kept.until = time.monotonic() + ROSTER_SECONDS


def _needs(referral: Referral) -> dict[str, Any]:
    assert referral.decision is not None
    indications = referral.decision["indications"]
    first = {modality for modality, _, strength in indications if strength == "first_line"}
    other = {modality for modality, _, _ in indications} - first
    return {
        **referral.case,
        "first_line": sorted(first - {"medication_review"}),
        "alternatives": sorted(other - {"medication_review"}),
    }
