"""The problem of each refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.notify.domain.refusals import (
    AnotherOutcome,
    NoOutcomeAsked,
    NotAcknowledged,
    NothingToAcknowledge,
    Refused,
    TakeoverNeeded,
)
from shared.web.problems import Problem, not_found

CONFLICTS: Final[dict[type[Refused], tuple[str, str]]] = {
    NothingToAcknowledge: ("nothing_to_acknowledge", "This notice needs no acknowledgement."),
    TakeoverNeeded: (
        "takeover_needed",
        "This is the part of a psychiatrist on call. To answer it in their place, send `takeover` with a "
        "`reason`; it is recorded with your token's subject.",
    ),
    NoOutcomeAsked: ("no_outcome_asked", "No outcome is recorded of this notice."),
    NotAcknowledged: ("not_acknowledged", "Acknowledge it first: whoever responds says so."),
    AnotherOutcome: (
        "another_outcome",
        "Another outcome is recorded, or its time was over. Where the crisis was called again, acknowledge "
        "the newest alert of this referral and record the outcome there.",
    ),
}


@contextmanager
def mapped() -> Iterator[None]:
    """A refusal becomes the problem of its kind; a notice that does not exist, 404."""
    try:
        yield
    except Refused as refusal:
        if type(refusal) in CONFLICTS:
            raise Problem(409, *CONFLICTS[type(refusal)]) from None
        raise not_found("notice") from None
