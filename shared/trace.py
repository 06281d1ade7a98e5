"""One trace through every hop: a fact is announced under the trace of the fact or request that caused it."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")

_request: ContextVar[str | None] = ContextVar("request", default=None)
_causes: ContextVar[Mapping[UUID, str]] = ContextVar("causes")


def valid(traceparent: str | None) -> str | None:
    """The W3C traceparent if it is one, else None: a bad header is no reason to stop."""
    return traceparent if traceparent and _TRACEPARENT.match(traceparent) else None


def child(traceparent: str | None) -> str:
    """A new span's traceparent in the same trace, or in a new trace."""
    known = valid(traceparent)
    trace_id = known.split("-")[1] if known else secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"


def cause_of(referral_id: UUID | None) -> str | None:
    """The trace under which something is being said about this referral."""
    causes = _causes.get({})
    return (causes.get(referral_id) if referral_id else None) or _request.get()


@contextmanager
def request(traceparent: str | None) -> Iterator[str]:
    """While a request is handled."""
    mine = child(traceparent)
    token = _request.set(mine)
    try:
        yield mine
    finally:
        _request.reset(token)


@contextmanager
def causes(by_referral: Mapping[UUID, str]) -> Iterator[None]:
    """While a batch of facts is handled."""
    token = _causes.set(by_referral)
    try:
        yield
    finally:
        _causes.reset(token)
