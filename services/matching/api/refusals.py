"""Responses that matching refuses, as problems."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.matching.domain.responses import NotAccepted, OfferNotOpen, Refused, Unknown
from shared.web.problems import Problem, not_found


@contextmanager
def refusals() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise problem_of(error) from None


def problem_of(error: Refused) -> Problem:
    match error:
        case Unknown():
            return not_found(error.what)
        case OfferNotOpen():
            return Problem(
                409,
                "offer_not_open",
                f"This offer is no longer open: it is {error.state}. The client's next offer is under "
                f"GET /v1/offers?referral_id=.",
            )
        case NotAccepted():
            return Problem(
                409,
                "not_accepted",
                f"An appointment needs an accepted offer; this referral is {error.state} now.",
            )
    raise error
