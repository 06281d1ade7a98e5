"""Where spans go, if anywhere: the standard OTEL_* variables, read by OpenTelemetry's own SDK."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Final

from shared.errors import Misconfigured
from shared.telemetry import trace

GROUP: Final = "opentelemetry_traces_exporter"
NAMES: Final = {"otlp": ("otlp_proto_http", "otlp_proto_grpc"), "console": ("console",)}


def record(service: str, exporter: str) -> Callable[[], None]:
    """Begin to record this process's spans; returns what sends the last of them. With `none` nothing is
    loaded and nothing runs."""
    if exporter == "none":
        return lambda: None
    from opentelemetry.sdk.resources import Resource  # costs half a second, so only who records pays it
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"careroute-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(exporter)))
    trace.record_with(provider.get_tracer("careroute"))
    return provider.shutdown


def _exporter(name: str) -> Any:
    for wanted in NAMES[name]:
        for found in entry_points(group=GROUP, name=wanted):
            return found.load()()
    raise Misconfigured(
        f"OTEL_TRACES_EXPORTER={name} needs the package opentelemetry-exporter-otlp-proto-http beside "
        "careroute. Install it in the same environment, or set OTEL_TRACES_EXPORTER=none."
    )
