"""A referral on its way into the database, and as it comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.identity import SEALED
from services.intake.domain.status import State
from shared.db.postgres import Record
from shared.events import Case, ReferralSubmitted
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReferral:
    """Everything about a referral that is about to be stored, its answer included: so the answer can be
    remembered under its key in the statement that claims the key. `said` is not stored."""

    submitted: ReferralSubmitted
    owner: str
    key: str | None
    said: bytes
    fingerprint: bytes
    key_id: str
    sealed: dict[str, bytes | None]
    answer: bytes
    traceparent: str | None = None

    @property
    def id(self) -> UUID:
        return self.submitted.referral_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a key was answered before."""

    fingerprint: bytes
    key_id: str
    status: int
    answer: bytes
    referral_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A stored referral with all facts known of it."""

    id: UUID
    clinic: str
    region: str
    revision: int
    express: bool
    state: State
    urgency: Urgency | None
    due_by: datetime | None
    reason: str | None
    next_step: str | None
    case: Case
    sealed: dict[str, bytes | None]
    key_id: str
    created_at: datetime
    updated_at: datetime
    facts: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, row: Record) -> "Referral":
        return cls(
            id=row["id"],
            clinic=row["clinic"],
            region=row["region"],
            revision=row["revision"],
            express=row["express"],
            state=State(row["state"]),
            urgency=Urgency(row["urgency"]) if row["urgency"] else None,
            due_by=row["due_by"],
            reason=row["reason"],
            next_step=row["next_step"],
            case=Case.model_validate(row["routing"]),
            sealed={column: row[column] for column in SEALED},
            key_id=row["key_id"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            facts=tuple(row["facts"]),
        )
