"""Rows of referrals as values of the domain."""

from typing import Any, Final

from services.matching.db.json_columns import needs_of, relaxations_of
from services.matching.domain.referrals import Referral, TriagedReferral
from services.matching.domain.state import ClosedBy, State
from shared.db.postgres import Record
from shared.vocabulary import Urgency

COLUMNS: Final = """
    id, clinic, region, revision, decision, state, held, closed_by, closed_reason, express, urgency,
    waiting_since, target, needs, declined, level, try_at, reason, eligible, relaxations, attempt,
    appointment_at, traceparent
"""


def referral_of(record: Record) -> Referral:
    return Referral(**_values(record)) if record["needs"] is None else triaged_of(record)


def triaged_of(record: Record) -> TriagedReferral:
    """Whoever is waitlisted or has an offer has been triaged."""
    return TriagedReferral(
        **_values(record) | {"urgency": Urgency(record["urgency"]), "needs": needs_of(record["needs"])}
    )


def _values(record: Record) -> dict[str, Any]:
    return dict(record) | {
        "state": State(record["state"]),
        "closed_by": ClosedBy(record["closed_by"]) if record["closed_by"] else None,
        "declined": tuple(record["declined"]),
        "relaxations": relaxations_of(record["relaxations"]),
    }
