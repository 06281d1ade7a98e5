"""`.env.example` is complete: whatever a service or docker-compose.yml can be told stands in it."""

import re
from pathlib import Path

import pytest

from services.intake.settings import IntakeSettings
from services.matching.settings import MatchingSettings
from services.notify.settings import NotifySettings
from services.triage.settings import TriageSettings
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / ".env.example").read_text()
EXPLAINED = set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE))
FIXED = {"CAREROUTE_PUBLIC_KEYS"}
"""docker-compose.yml itself says these."""


@pytest.mark.parametrize("settings", [IntakeSettings, TriageSettings, MatchingSettings, NotifySettings])
def test_every_setting_of_a_service_is_in_it(settings: type[ServiceSettings]) -> None:
    assert {settings.variable(name) for name in settings.model_fields} - FIXED <= EXPLAINED


@pytest.mark.parametrize("file", ["docker-compose.yml", "docker-compose.security.yml"])
def test_every_setting_of_a_compose_file_is_in_it(file: str) -> None:
    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / file).read_text())) <= EXPLAINED


def test_nothing_in_it_is_set() -> None:
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []
