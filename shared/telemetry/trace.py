"""One trace through every hop: a fact is announced under the trace of the fact or request that caused it.

The W3C traceparent is passed on from the request to the outbox, to the Kafka header, to the batch, and so on
to the webhook. Where traces are recorded (see `telemetry.py`) each hop is a span; where they are not, no
span is made and ids alone are passed on.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

About = Mapping[str, str | int]
"""What a span says of itself: codes, ids and counts; never what somebody wrote."""

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_request: ContextVar[str | None] = ContextVar("request", default=None)
_causes: ContextVar[Mapping[UUID, str]] = ContextVar("causes")
_tracer: Tracer | None = None


def record_with(tracer: Tracer | None) -> None:
    """From now on every hop of this process is a span of this tracer; with None, of nobody's."""
    global _tracer
    _tracer = tracer


def is_recorded(traceparent: str | None) -> bool:
    return _tracer is not None and traceparent is not None


def valid(traceparent: str | None) -> str | None:
    """The W3C traceparent if it is one, else None: a bad header is no reason to stop."""
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None


def child(traceparent: str | None) -> str:
    """A new span's traceparent in the same trace, or in a new trace."""
    known = valid(traceparent)
    if known is None:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return f"{known[:36]}{secrets.token_hex(8)}{known[-3:]}"


def cause_of(referral_id: UUID | None) -> str | None:
    """The trace under which something is being said about this referral."""
    causes = _causes.get({})
    return (causes.get(referral_id) if referral_id else None) or _request.get()


@dataclass(slots=True)
class Step:
    """One hop under way; what it causes carries its traceparent."""

    traceparent: str
    _span: Span | None = None

    def tell(self, name: str, about: About) -> None:
        """What is known only at its end."""
        if self._span is not None:
            self._span.update_name(name)
            self._span.set_attributes(dict(about))

    def end(self, failed: str | None = None) -> None:
        """`failed` is a code; an error's own text may quote a person."""
        if self._span is not None:
            if failed:
                self._span.set_status(Status(StatusCode.ERROR, failed))
            self._span.end()


def begin(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    since: datetime | None = None,
    about: About | None = None,
) -> Step:
    """The caller ends it. `since` if it began earlier than now."""
    if _tracer is None:
        return Step(child(parent))
    began = int(since.timestamp() * 1_000_000_000) if since else None
    span = _tracer.start_span(name, _context(parent), kind, dict(about or {}), start_time=began)
    found = span.get_span_context()
    return Step(f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}", span)


def _context(parent: str | None) -> Context:
    known = valid(parent)
    if known is None:
        return Context()
    _, trace_id, span_id, flags = known.split("-")
    remote = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(remote), Context())


@contextmanager
def request(traceparent: str | None, *, name: str) -> Iterator[Step]:
    """While a request is handled."""
    step = begin(name, traceparent, kind=SpanKind.SERVER)
    token = _request.set(step.traceparent)
    try:
        yield step
    except BaseException as error:
        step.end(type(error).__name__)
        raise
    finally:
        _request.reset(token)
    step.end()


@contextmanager
def causes(by_referral: Mapping[UUID, str]) -> Iterator[None]:
    """While a batch of facts is handled."""
    token = _causes.set(by_referral)
    try:
        yield
    finally:
        _causes.reset(token)


class Origin(NamedTuple):
    """Why something is done about a referral: the trace it came under, the type of the fact it came with."""

    referral_id: UUID
    traceparent: str | None
    fact: str = ""


@contextmanager
def steps(
    name: str,
    origins: Iterable[Origin],
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    since: datetime | None = None,
    about: About | None = None,
) -> Iterator[None]:
    """While several referrals are worked on at once, each is a step of its own trace."""
    if _tracer is None:
        with causes({origin.referral_id: child(origin.traceparent) for origin in origins}):
            yield
        return
    begun = [(one.referral_id, _begin_one(name, one, kind, since, about)) for one in origins]
    failed: str | None = None
    try:
        with causes({referral_id: step.traceparent for referral_id, step in begun}):
            yield
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        for _, step in begun:
            step.end(failed)


def _begin_one(
    name: str, origin: Origin, kind: SpanKind, since: datetime | None, about: About | None
) -> Step:
    own = {"careroute.referral_id": str(origin.referral_id), "careroute.fact": origin.fact}
    return begin(name, origin.traceparent, kind=kind, since=since, about={**own, **(about or {})})
