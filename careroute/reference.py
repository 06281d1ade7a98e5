"""Reference pages made from the code: `python -m careroute.reference settings > docs/settings.md`."""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from careroute.local.environment import SERVICES
from services.intake.settings import IntakeSettings
from services.matching.settings import MatchingSettings
from services.notify.settings import NotifySettings
from services.triage.settings import TriageSettings
from shared.settings import ServiceSettings

ROOT: Final = Path(__file__).parents[1]
SETTINGS: Final[Mapping[str, type[ServiceSettings]]] = MappingProxyType(
    {
        "intake": IntakeSettings,
        "triage": TriageSettings,
        "matching": MatchingSettings,
        "notify": NotifySettings,
    }
)


@dataclass(frozen=True)
class Measure:
    """`family` is the name without the endings that samples have; `name` as it was given."""

    name: str
    family: str
    type: str
    about: str
    labels: tuple[str, ...]


def metrics(service: str) -> list[Measure]:
    """What this service measures, that of all services first."""
    return [*_measures("shared.telemetry.metrics"), *_measures(f"services.{service}.metrics")]


def _measures(module: str) -> Iterator[Measure]:
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, MetricWrapperBase):
            (described,) = value.describe()
            total = "_total" if described.type == "counter" else ""
            yield Measure(
                name=described.name + total,
                family=described.name,
                type=described.type,
                about=described.documentation,
                labels=tuple(value._labelnames),
            )


def metrics_page() -> str:
    """docs/metrics.md"""
    parts = [
        "# Metrics",
        "Made by `python -m careroute.reference metrics > docs/metrics.md`. Every service answers `GET "
        "/metrics`. What a service counts in its database every replica reports alike: take `max()` over "
        "replicas of gauges of depth, age and number, `sum()` of counters, histograms and consumer lag.",
    ]
    for title, module in (
        ("Every service", "shared.telemetry.metrics"),
        *((s, f"services.{s}.metrics") for s in SERVICES),
    ):
        rows = [(f"`{m.name}`", m.type, ", ".join(m.labels), m.about) for m in _measures(module)]
        parts += [f"## {title}", _table(("metric", "type", "labels", "what it is"), rows)]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """docs/settings.md"""
    common, own = _kinds(ServiceSettings)
    parts = [
        "# Settings",
        "Made by `python -m careroute.reference settings > docs/settings.md`. A setting is an environment "
        "variable, or a file of that name in the folder `CAREROUTE_SECRETS`. A wrong value stops a service "
        "at its start and is named, never shown. OpenTelemetry's other `OTEL_*` variables and uvicorn's own "
        "options hold as usual.",
        "## The same for all four services",
        _settings_table(ServiceSettings, common),
        "## For each service by its own prefix",
        "`<SERVICE>` is `INTAKE`, `TRIAGE`, `MATCHING` or `NOTIFY`.",
        _settings_table(ServiceSettings, own, prefix="<SERVICE>_"),
    ]
    for service, settings in SETTINGS.items():
        names = [name for name in settings.model_fields if name not in ServiceSettings.model_fields]
        parts += [f"## {service}", _settings_table(settings, names)]
    return "\n\n".join(parts) + "\n"


def _kinds(settings: type[ServiceSettings]) -> tuple[list[str], list[str]]:
    names = list(settings.model_fields)
    common = [name for name in names if settings.model_fields[name].validation_alias]
    return common, [name for name in names if name not in common]


def _settings_table(settings: type[ServiceSettings], names: list[str], *, prefix: str = "") -> str:
    rows = [
        (f"`{prefix}{settings.variable(name)}`", _default(info), info.description or "")
        for name in names
        for info in [settings.model_fields[name]]
    ]
    return _table(("variable", "default", "what it is"), rows)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "(must be given)"
    value: Any = info.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        value = value.relative_to(ROOT)
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in (None, "", {}) else f"`{value}`"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


PAGES: Final = MappingProxyType({"settings": settings_page, "metrics": metrics_page})


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else "settings"
    if wanted not in PAGES:
        sys.exit(f"careroute.reference: the pages are {', '.join(PAGES)}")
    sys.stdout.write(PAGES[wanted]())


if __name__ == "__main__":
    main()
