"""One attempt to deliver: what is leased, what became of it, when and by which channel it is retried."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notify.domain.retry import GiveUp, Kind, Outcome, Retry, RetryPolicy, next_attempt
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A leased delivery with its notice and channel. `channels`: how many its recipient has; without one, or
    not `active`, nothing can be sent. The `secret` is sealed."""

    id: UUID
    notice_id: UUID
    recipient: str
    channel: int
    step: int
    host: str
    attempts: int
    first_at: datetime
    due_at: datetime
    about: str
    audience: str
    referral_id: UUID
    revision: int
    clinic: str
    region: str
    urgency: Urgency | None
    title: str
    text: str
    respond_by: datetime | None
    occurred_at: datetime
    is_alert: bool
    answers: UUID | None
    traceparent: str | None
    active: bool
    kind: str | None
    url: str | None
    secret: bytes | None
    channels: int

    @property
    def next_channel(self) -> int:
        """An ordinary notice goes by the recipient's next channel; an escalation step keeps its own."""
        may_turn = self.step == 0 and self.channels > 1
        return (self.channel + 1) % self.channels if may_turn else self.channel


@dataclass(frozen=True, slots=True)
class Attempt:
    """A leased delivery and what became of it."""

    delivery: DueDelivery
    outcome: Outcome
    traceparent: str


@dataclass(frozen=True, slots=True)
class Later:
    attempt: Attempt
    retry: Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of a number of attempts."""

    sent: tuple[Attempt, ...]
    later: tuple[Later, ...]
    given_up: tuple[Attempt, ...]

    @property
    def failing_notices(self) -> set[UUID]:
        """Alerts among them do not wait for this endpoint."""
        failing = [one.attempt for one in self.later if one.retry.failing]
        return {attempt.delivery.notice_id for attempt in (*failing, *self.given_up)}


def judge(
    attempts: Iterable[Attempt], policy: RetryPolicy, *, now: datetime, luck: Callable[[], float]
) -> Results:
    """`luck` spreads the retries."""
    sent: list[Attempt] = []
    later: list[Later] = []
    given_up: list[Attempt] = []
    for attempt in attempts:
        if attempt.outcome.kind is Kind.DELIVERED:
            sent.append(attempt)
            continue
        match _next(attempt, policy, now, luck()):
            case Retry() as retry:
                later.append(Later(attempt, retry))
            case GiveUp():
                given_up.append(attempt)
    return Results(sent=tuple(sent), later=tuple(later), given_up=tuple(given_up))


def _next(attempt: Attempt, policy: RetryPolicy, now: datetime, luck: float) -> Retry | GiveUp:
    return next_attempt(
        attempt.outcome,
        policy,
        attempts=attempt.delivery.attempts,
        since=attempt.delivery.first_at,
        now=now,
        luck=luck,
    )
