"""The responses of this service."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.notify.db.deliveries import StoredDelivery
from services.notify.db.recipients import StoredRecipient
from services.notify.domain.batch import Notice as NoticeInDomain
from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.crisis_outcomes import CALLS_AGAIN
from services.notify.domain.directory import Directory, Duty
from services.notify.domain.on_call_gaps import gaps
from services.notify.domain.stored_notices import StoredNotice


class Seen(BaseModel):
    """`state`: open, acknowledged, no_recipient, sending, sent, undeliverable, or ended (no more to send).

    `alarm_by` and what follows it are of alerts only; an alarm `answers` the alert that it is about.
    `taken_over` is why somebody else acknowledged a psychiatrist's part. `outcome_due_at`: without an outcome
    the crisis is called again then; `missed` is an outcome that nobody recorded in time.
    """

    id: UUID
    about: str
    referral_id: UUID
    clinic: str
    region: str
    audience: str
    urgency: str | None
    title: str
    text: str
    state: str
    respond_by: datetime | None
    created_at: datetime
    alarm_by: datetime | None
    alarms: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    taken_over: str | None
    outcome: str | None
    outcome_at: datetime | None
    outcome_by: str | None
    outcome_due_at: datetime | None
    answers: UUID | None


class Attempts(BaseModel):
    """One delivery to one recipient. `outcome` is of the last attempt, such as `http_204` or `timeout`."""

    id: UUID
    recipient: str
    channel: int
    step: int
    state: str
    attempts: int
    outcome: str | None
    first_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None


class Notice(Seen):
    deliveries: list[Attempts]


class Notices(BaseModel):
    """`next_cursor` asks for the following page as `cursor`; null at the end."""

    notices: list[Seen]
    next_cursor: str | None


class Acknowledgement(BaseModel):
    """Who was first. An outcome is expected by `outcome_due_at`, if there is one."""

    notice_id: UUID
    referral_id: UUID
    state: str
    acknowledged_by: str
    acknowledged_at: datetime
    taken_over: str | None
    outcome_due_at: datetime | None


class Outcome(BaseModel):
    """`called_again`: the ladder has started again."""

    notice_id: UUID
    referral_id: UUID
    outcome: str
    outcome_by: str
    outcome_at: datetime
    called_again: bool


class Channel(BaseModel):
    """`secret` is there only in the response to the request for which it was made."""

    kind: str
    url: str
    secret: str | None = None


class Recipient(BaseModel):
    id: str
    audience: str
    clinic: str | None
    therapist: UUID | None
    regions: list[str]
    channels: list[Channel]
    active: bool
    updated_at: datetime


class Recipients(BaseModel):
    """`next_cursor` asks for the following page as `cursor`; null at the end."""

    recipients: list[Recipient]
    next_cursor: str | None


class Shift(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    recipient: str
    starts_at: datetime = Field(serialization_alias="from")
    ends_at: datetime = Field(serialization_alias="until")
    order: int


class OnCall(BaseModel):
    """Recipients in the order in which they are called."""

    psychiatrist: list[str]
    clinician: list[str]


class Gap(BaseModel):
    """From `since` on, until the next change, fewer than two psychiatrists are on call."""

    since: datetime
    psychiatrists: int


class Rota(BaseModel):
    """`on_call` at the moment `at`; without a rota, that is everyone who covers the region, and where the
    region has nobody, whoever is on call for the whole network. `gaps` are the first of those to come."""

    region: str
    at: datetime
    on_call: OnCall
    shifts: list[Shift]
    fallback: list[str]
    gaps: list[Gap]


def seen(stored: StoredNotice) -> dict[str, Any]:
    """The fields of `Seen`."""
    of_notice = {field.name for field in fields(NoticeInDomain)}
    return {name: getattr(stored.notice if name in of_notice else stored, name) for name in Seen.model_fields}


def attempts(delivery: StoredDelivery) -> Attempts:
    return Attempts(**asdict(delivery))


def acknowledgement(alert: StoredNotice) -> Acknowledgement:
    assert alert.acknowledged_by and alert.acknowledged_at, "somebody has acknowledged it"
    return Acknowledgement(
        notice_id=alert.notice.id,
        referral_id=alert.notice.referral_id,
        state=alert.state,
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=alert.acknowledged_at,
        taken_over=alert.taken_over,
        outcome_due_at=alert.outcome_due_at,
    )


def outcome(alert: StoredNotice) -> Outcome:
    assert alert.outcome and alert.outcome_by and alert.outcome_at, "somebody has recorded it"
    return Outcome(
        notice_id=alert.notice.id,
        referral_id=alert.notice.referral_id,
        outcome=alert.outcome,
        outcome_by=alert.outcome_by,
        outcome_at=alert.outcome_at,
        called_again=alert.outcome in CALLS_AGAIN,
    )


def recipient(stored: StoredRecipient, made: Mapping[str, str] | None = None) -> Recipient:
    """`made`: the secrets made just now, by address."""
    return Recipient(
        id=stored.id,
        audience=stored.audience,
        clinic=stored.clinic,
        therapist=stored.therapist,
        regions=list(stored.regions),
        channels=[Channel(kind=kind, url=url, secret=(made or {}).get(url)) for kind, url in stored.channels],
        active=stored.active,
        updated_at=stored.updated_at,
    )


def rota(region: str, directory: Directory, at: datetime) -> Rota:
    duties = [d for d in directory.rota if d.region == region]
    shifts = sorted((d for d in duties if d.starts_at and d.ends_at), key=_begins)
    behind = sorted((d for d in duties if d.is_fallback), key=lambda d: d.place)
    return Rota(
        region=region,
        at=at,
        on_call=OnCall(
            psychiatrist=[r.id for r in directory.on_call(PSYCHIATRIST, region, at)],
            clinician=[r.id for r in directory.on_call(CLINICIAN, region, at)],
        ),
        shifts=[_shift(duty) for duty in shifts],
        fallback=[duty.recipient for duty in behind],
        gaps=[
            Gap(since=gap.since, psychiatrists=gap.people)
            for gap in gaps(directory, PSYCHIATRIST, region, at)
        ],
    )


def _begins(duty: Duty) -> tuple[datetime | None, int, str]:
    return duty.starts_at, duty.place, duty.recipient


def _shift(duty: Duty) -> Shift:
    assert duty.starts_at and duty.ends_at, "a shift has both"
    return Shift(recipient=duty.recipient, starts_at=duty.starts_at, ends_at=duty.ends_at, order=duty.place)
