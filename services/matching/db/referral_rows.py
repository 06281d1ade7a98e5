"""One referral as matching keeps it, and why it waits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.matching.domain.state import By, Standing, State
from shared.db.postgres import Record
from shared.vocabulary import Urgency

COLUMNS: Final = """
    id, clinic, region, revision, decision, state, held, closed_by, closed_reason, express, urgency,
    waiting_since, target, needs, declined, level, try_at, reason, eligible, relaxations, attempt,
    appointment_at, traceparent
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """One row. `needs` is None for what is only remembered so that nothing older is acted on."""

    id: UUID
    clinic: str
    region: str
    revision: int
    decision: int
    state: State
    held: bool = False
    closed_by: By | None = None
    closed_reason: str | None = None
    express: bool = False
    urgency: Urgency | None = None
    waiting_since: datetime | None = None
    target: timedelta | None = None
    needs: dict[str, Any] | None = None
    declined: list[UUID] = field(default_factory=list)
    level: int = 0
    try_at: datetime | None = None
    reason: str | None = None
    eligible: int | None = None
    relaxations: list[dict[str, Any]] | None = None
    attempt: int = 0
    appointment_at: datetime | None = None
    traceparent: str | None = None

    @property
    def standing(self) -> Standing:
        return Standing(self.revision, self.decision, self.state, self.held, self.closed_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why a referral waits, by now."""

    id: UUID
    level: int
    reason: str
    eligible: int
    relaxations: list[dict[str, Any]]


def referral_of(record: Record) -> Referral:
    row = dict(record)
    row["state"] = State(row["state"])
    row["closed_by"] = By(row["closed_by"]) if row["closed_by"] else None
    row["urgency"] = Urgency(row["urgency"]) if row["urgency"] else None
    return Referral(**row)
