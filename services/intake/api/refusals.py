"""What is not taken: its sender is told so first, then what to do now, and it is counted."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from services.intake import metrics
from services.intake.api.dependencies import etag
from services.intake.api.fields import KEY, KEY_SHAPE
from services.intake.api.parsing import invalid, lenient
from services.intake.api.receiving import advised, shallow, signals
from services.intake.api.rules import Rules
from services.intake.api.salvage import derived_key
from services.intake.domain.refusal import KeyUsed, NoLongerOpen, OutOfDate, Refusal, UnknownReferral
from shared.ids import now
from shared.web.problems import Fault, Problem, faults, not_found

ADVICE: Final = "safety_advice"
Handler = Callable[[Request, Exception], Awaitable[Response]]


@contextmanager
def counted(body: bytes, *, rules: Rules) -> Iterator[None]:
    """Whatever a form was refused for."""
    try:
        yield
    except Refusal as refusal:
        raise count(problem_of(refusal), body, rules=rules) from None
    except Problem as problem:
        raise count(problem, body, rules=rules) from None


def problem_of(refusal: Refusal) -> Problem:
    """Status, code and sentence of a refusal."""
    match refusal:
        case UnknownReferral():
            return not_found("referral")
        case KeyUsed():
            return Problem(
                409,
                "key_used",
                "This Idempotency-Key was used for another request. Nothing was taken. Send a new key, or "
                "the request as it was.",
            )
        case OutOfDate(revision):
            return Problem(
                412,
                "stale",
                f"The referral is at revision {revision} by now. Nothing was changed. Read it again.",
                headers={"ETag": etag(revision)},
            )
        case NoLongerOpen(state):
            return Problem(
                409,
                "not_possible_now",
                f"The referral is {state} and changes no more. Submit a new one if the client needs it.",
            )
    raise refusal


def count(problem: Problem, body: bytes, *, rules: Rules) -> Problem:
    """The problem, with advice if something on the form cannot wait. What is to be sent again as it is, is
    not counted."""
    if ADVICE not in problem.members:
        problem = advised(problem, shallow(lenient(body)), rules=rules, now=now())
    if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
        metrics.REFUSED.labels("seen" if ADVICE in problem.members else "none").inc()
    return problem


def key_of(header: str | None, body: bytes, *, rules: Rules) -> str | None:
    """The Idempotency-Key. One that is none refuses the request, unless something on it cannot wait: then
    one is made of it, so that it is still taken once. Raises `Problem` 422."""
    if header is None or KEY_SHAPE.fullmatch(header):
        return header
    raw = shallow(lenient(body))
    if isinstance(raw, dict) and signals(raw, rules=rules, now=now()):
        return derived_key(header)
    raise invalid([Fault("header.Idempotency-Key", f"Takes {KEY}", "wrong_shape")])


def install(app: FastAPI, rules: Rules) -> None:
    """For what FastAPI refuses before our own reading: a path or a header."""
    otherwise: Handler = app.exception_handlers[RequestValidationError]  # type: ignore[assignment]  # an async one

    async def handler(request: Request, error: Exception) -> Response:
        if request.method != "POST" or not isinstance(error, RequestValidationError):
            return await otherwise(request, error)
        problem = invalid(faults(error.errors()))
        return count(problem, await request.body(), rules=rules).response()

    app.add_exception_handler(RequestValidationError, handler)
