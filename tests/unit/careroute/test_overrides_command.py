"""`careroute policy overrides`: what clinicians made of each rule, as a clinical lead reads it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from careroute.policy import overrides
from services.triage.api.responses import RATE
from tests.unit.careroute.http_stand_in import Answer, Asked, answering, console, network

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def run(folder: Path, *rates: dict[str, Any]) -> tuple[str, list[Asked]]:
    asked: list[Asked] = []
    out, text = console()

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 200, json.dumps({"since": SINCE.isoformat(), "rules": rates})

    with answering(answer) as url:
        overrides.run(network(folder, triage=url), SINCE, out)
    return text.getvalue(), asked


def test_each_version_has_a_table_of_its_own(tmp_path: Path) -> None:
    older = RATE | {"policy_version": "2025-12", "confirmed": 0, "fired": 3, "lowered": 3, "raised": 0}
    quiet = RATE | {"rule": "child"} | dict.fromkeys(("confirmed", "raised", "lowered", "returned"), 0)
    said, asked = run(tmp_path, RATE, quiet, older)
    assert said.index("network-default, version 2026-01") < said.index("network-default, version 2025-12")
    first, second, third = [line for line in said.splitlines() if "asked-unknown" in line or "child" in line]
    assert "41" in first and "36%" in first, "14 of 39 decisions were no confirmation"
    assert "%" not in second, "nobody has decided yet"
    assert "100%" in third
    assert "since=2026-01-01" in asked[0].path


def test_nothing_fired(tmp_path: Path) -> None:
    assert run(tmp_path)[0].strip() == "No rule has fired since then."
