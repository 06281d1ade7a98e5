"""What is passed on of a trace, and what a span says."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from shared.errors import Misconfigured
from shared.ids import new_id
from shared.telemetry import exporters, trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.record_with(provider.get_tracer("test"))
    yield exporter
    trace.record_with(None)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        f"00-{'0' * 32}-{SPAN}-01",  # W3C: all zero is no id
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        CALLER + "\n",
    ],
)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(given: str | None) -> None:
    assert trace.valid(given) is None
    begun = trace.child(given)
    assert trace.valid(begun) == begun and TRACE not in begun


def test_a_child_keeps_the_trace_and_whether_it_is_sampled() -> None:
    for flags in ("00", "01"):
        _, trace_id, span_id, kept = trace.child(f"00-{TRACE}-{SPAN}-{flags}").split("-")
        assert (trace_id, kept) == (TRACE, flags) and span_id != SPAN


def test_a_failed_step_says_the_kind_of_error_and_not_its_text(recorded: InMemorySpanExporter) -> None:
    one = new_id()
    with (
        pytest.raises(ValueError),
        trace.steps("process triage", [trace.Origin(one, CALLER, "ReferralSubmitted")]),
    ):
        assert (trace.cause_of(one) or "").startswith(f"00-{TRACE}-")
        raise ValueError("a person's own words")
    (span,) = recorded.get_finished_spans()
    assert span.status.description == "ValueError" and not span.events
    assert "words" not in span.to_json()


def test_a_trace_that_its_caller_does_not_sample_is_passed_on_unsampled(
    recorded: InMemorySpanExporter,
) -> None:
    trace.record_with(TracerProvider(sampler=ALWAYS_OFF).get_tracer("test"))
    with trace.request(CALLER, name="POST") as step:
        assert step.traceparent.endswith("-00") and TRACE in step.traceparent


def test_an_exporter_that_is_not_installed_is_a_sentence() -> None:
    with pytest.raises(Misconfigured, match="OTEL_TRACES_EXPORTER=otlp needs the package"):
        exporters.record("triage", "otlp")
