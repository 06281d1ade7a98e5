"""What goes in and out of triage, seen from outside; nothing is connected by making it."""

from pathlib import Path

import httpx
import pytest

from services.triage.app import create_app
from services.triage.settings import TriageSettings
from shared.clinical import DIGEST
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


@pytest.mark.parametrize("who_codes", [False, True])
async def test_the_networks_setting_for_codes_of_the_who_reaches_the_rules(
    tmp_path: Path, who_codes: bool
) -> None:
    """And is shown, with the digest of the file of diagnoses, to whoever asks whether triage is ready."""
    file = tmp_path / "network.toml"
    file.write_text(f"who_diagnosis_codes = {str(who_codes).lower()}")
    app = create_app(TriageSettings.model_validate({"CAREROUTE_NETWORK_FILE": file}))
    policy = app.state.service.consumers[0].handler.keywords["policy"]
    assert {condition.who_codes for rule in policy.rules for condition in rule.when} == {who_codes}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://triage") as http:
        answer = (await http.get("/health/ready")).json()
    assert answer["agreed"] == {"diagnoses.toml": DIGEST, "who_diagnosis_codes": str(who_codes).lower()}
