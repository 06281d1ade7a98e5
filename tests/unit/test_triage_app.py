"""What goes in and out of triage, seen from outside; nothing is connected by making it."""

from pathlib import Path

import pytest

from services.triage.app import create_app
from services.triage.settings import TriageSettings
from shared.errors import Misconfigured


def test_it_is_made_without_a_database_or_a_broker() -> None:
    paths = create_app(TriageSettings()).openapi()["paths"]
    assert {"/v1/referrals/{referral_id}/decisions", "/v1/reviews"} <= set(paths)
    for path, operations in paths.items():
        if path.startswith("/v1"):
            assert all(operation["summary"] for operation in operations.values())


def test_a_policy_with_a_fault_stops_the_start(tmp_path: Path) -> None:
    wrong = tmp_path / "ours.toml"
    wrong.write_text('name = "ours"')
    with pytest.raises(Misconfigured, match=r"ours\.toml"):
        create_app(TriageSettings(policy=wrong))


def test_the_policy_can_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_POLICY", str(tmp_path / "absent.toml"))
    with pytest.raises(Misconfigured, match=r"absent\.toml"):
        create_app()
