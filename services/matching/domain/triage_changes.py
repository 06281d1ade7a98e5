"""Events of triage as matching acts on them, and the referral that each leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.matching.domain.client_needs import ClientNeeds
from services.matching.domain.offer_rules import level, waited
from services.matching.domain.referrals import Referral, TriagedReferral, as_triaged
from services.matching.domain.state import MatchingState, State, TriageOutcome, state_after
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageChange:
    """One event of triage, as far as matching acts on it."""

    referral_id: UUID
    outcome: TriageOutcome
    revision: int
    decision: int
    clinic: str
    region: str
    express: bool
    closed_reason: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged(TriageChange):
    occurred_at: datetime
    urgency: Urgency
    respond_by: datetime
    needs: ClientNeeds


def states_after(
    stored: Mapping[UUID, MatchingState], changes: Iterable[TriageChange]
) -> dict[UUID, MatchingState]:
    """The states that change, as they are after all of these."""
    after: dict[UUID, MatchingState] = {}
    for change in changes:
        before = after.get(change.referral_id) or stored.get(change.referral_id)
        if (state := _state_after(before, change)) is not None:
            after[change.referral_id] = state
    return after


def _state_after(before: MatchingState | None, change: TriageChange) -> MatchingState | None:
    return state_after(before, change.outcome, revision=change.revision, decision=change.decision)


def referrals_after(
    stored: Mapping[UUID, Referral], changes: Iterable[TriageChange], now: datetime
) -> dict[UUID, Referral]:
    """The referrals that change, as they are after all of these, before it is known which offers end."""
    after = dict(stored)
    for change in changes:
        if (referral := referral_after(after.get(change.referral_id), change, now=now)) is not None:
            after[change.referral_id] = referral
    return {id_: referral for id_, referral in after.items() if referral is not stored.get(id_)}


def referral_after(before: Referral | None, change: TriageChange, *, now: datetime) -> Referral | None:
    """None when the event changes nothing."""
    state = _state_after(before.matching_state if before else None, change)
    if state is None:
        return None
    base = before or _unknown(change)
    next_ = replace(
        base,
        clinic=change.clinic,
        region=change.region,
        revision=state.revision,
        decision=state.decision,
        state=state.state,
        held=state.held,
        closed_by=state.closed_by,
        closed_reason=_closed_reason(base, change) if state.state is State.CLOSED else None,
        express=base.express or change.express,
        traceparent=change.traceparent,
    )
    return _triaged(next_, base, change, now) if isinstance(change, Triaged) else next_


def _unknown(change: TriageChange) -> Referral:
    return Referral(
        id=change.referral_id,
        clinic=change.clinic,
        region=change.region,
        revision=0,
        decision=0,
        state=State.HELD,
    )


def _closed_reason(base: Referral, change: TriageChange) -> str | None:
    return base.closed_reason if base.state is State.CLOSED else change.closed_reason


def _triaged(next_: Referral, base: Referral, change: Triaged, now: datetime) -> TriagedReferral:
    """Waiting counts from when it was first triaged, unless it was over since; the newest target counts."""
    waits_since = base.waiting_since if base.state is not State.CLOSED else None
    since = waits_since or change.occurred_at
    target = change.respond_by - change.occurred_at
    return as_triaged(
        next_,
        express=next_.express or change.urgency.cannot_wait,
        urgency=change.urgency,
        waiting_since=since,
        target=target,
        needs=change.needs,
        level=level(change.urgency, waited(since, now, target)),
        try_at=now,
        reason=None,
    )
