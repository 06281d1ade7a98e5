"""The policy file is checked when it is read, and says what to do without labelling anybody."""

from pathlib import Path

import pytest

from services.intake.policy import DEFAULT, load
from shared.errors import Misconfigured

SAFETY = '[safety]\ntext = "Do this."\n[[safety.lines]]\nname = "988"\ncontact = "988"\nhow = "call"\n'
WHOLE = 'name = "x"\nversion = "1"\nage_of_majority = 18\n' + SAFETY


def test_the_policy_that_is_shipped_names_the_crisis_line_and_no_risk() -> None:
    policy = load(DEFAULT)
    lines = policy.safety.lines_of("anywhere")
    assert {"988", "911"} <= {line.contact for line in lines}
    assert "risk" not in policy.safety.text.lower()


def test_a_line_may_be_for_some_regions_only(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    local = '[[safety.lines]]\nname = "Team"\ncontact = "1"\nhow = "call"\nregions = ["north"]\n'
    file.write_text(WHOLE + local)
    safety = load(file).safety
    assert [line.name for line in safety.lines_of("north")] == ["988", "Team"]
    assert [line.name for line in safety.lines_of("south")] == ["988"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "age_of_majority"),
        (WHOLE.replace("18", "0"), "age_of_majority"),
        (WHOLE.replace('"Do this."', '""'), "safety.text"),
        ('name = "x"\nversion = "1"\nage_of_majority = 18\n[safety]\ntext = "x"\nlines = []', "safety.lines"),
        ("colour = 1\n" + WHOLE, "colour"),
        ("= nonsense", "cannot be read"),
    ],
)
def test_a_policy_that_cannot_be_used_names_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match=named) as refused:
        load(file)
    assert "INTAKE_POLICY_FILE" in str(refused.value)


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="INTAKE_POLICY_FILE"):
        load(tmp_path / "missing.toml")
