"""When is a delivery retried, and when is it given up? The back-off doubles, with jitter, over days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LONGEST_RETRY_AFTER: Final = timedelta(days=1)


class Kind(StrEnum):
    """What an attempt came to.

    `refused` is a response that a retry will not change soon, such as 404 or 410: it is retried after the
    longest pause, in case a person corrects the endpoint, and an alert moves up at once.
    """

    DELIVERED = "delivered"
    UNWELL = "unwell"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` such as `http_503` or `timeout`; `retry_after` is what the endpoint asked for."""

    kind: Kind
    code: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """After `moves_up_after` failures in a row, an alert does not wait for this endpoint."""

    first_pause: timedelta
    longest_pause: timedelta
    give_up_after: timedelta
    moves_up_after: int = 2


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime
    failing: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It could not be delivered in all this time."""


def next_attempt(
    outcome: Outcome, policy: RetryPolicy, *, attempts: int, since: datetime, now: datetime, luck: float
) -> Retry | GiveUp:
    """After `attempts` failures, the first try being due at `since`; `luck` is from 0 to 1."""
    if now >= since + policy.give_up_after:
        return GiveUp()
    pause = policy.longest_pause if outcome.kind is Kind.REFUSED else _doubled(policy, attempts)
    wait = max(pause * (0.5 + luck / 2), min(outcome.retry_after or timedelta(), LONGEST_RETRY_AFTER))
    failing = outcome.kind is Kind.REFUSED or attempts >= policy.moves_up_after
    return Retry(min(now + wait, since + policy.give_up_after), failing)


def judge(status: int) -> Kind:
    """2xx is delivered. A redirect is not followed: it could lead anywhere."""
    if 200 <= status < 300:
        return Kind.DELIVERED
    return Kind.UNWELL if status in (408, 425, 429) or status >= 500 else Kind.REFUSED


def _doubled(policy: RetryPolicy, attempts: int) -> timedelta:
    doublings: int = 1 << min(max(attempts, 1) - 1, 30)
    return min(policy.first_pause * doublings, policy.longest_pause)
