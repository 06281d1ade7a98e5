"""A refusal of the domain as the problem that the caller reads."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from services.triage.domain import refusal
from services.triage.domain.refusal import Conflict, Invalid, Refusal, Unknown
from shared.web.problems import Fault, Problem, not_found


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    try:
        yield
    except Refusal as refused:
        raise problem(refused) from None


def problem(refused: Refusal) -> Problem:
    match refused:
        case Unknown():
            return not_found(refused.what)
        case Conflict():
            return Problem(409, refused.code, refused.detail, faults=_faults(refused.faults))
        case Invalid():
            detail = "Nothing was decided. Every problem is listed."
            return Problem(422, "invalid", detail, faults=_faults(refused.faults))
    raise refused


def _faults(faults: Iterable[refusal.Fault]) -> list[Fault]:
    return [Fault(fault.where, fault.what, fault.code) for fault in faults]
