"""Another spelling of a region, payer or community is the network's own. One that nobody knows is taken with
a warning and put before a coordinator, and its crisis calls the network's on-call."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from services.notify.domain.directory import Directory
from tests.cases.example_network import DIRECTORY, NETWORK, RULES_THERE
from tests.cases.pipeline import BASE, Result, patched, submit

CASES: Final[list[dict[str, Any]]] = json.loads(Path(__file__).with_name("regions.json").read_text())
SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "capitals": str.upper,
    "title": str.title,
    "spaces": lambda code: f" {code.replace('_', ' ').replace('-', ' ')}  ",
    "hyphens": lambda code: code.replace("_", "-"),
    "dots": lambda code: code.replace("_", ".").replace("-", "."),
    "nothing between": lambda code: code.replace("_", "").replace("-", ""),
}


def refer(patch: dict[str, Any]) -> Result:
    return submit(patched(patch), rules=RULES_THERE, directory=DIRECTORY)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case(case: dict[str, Any]) -> None:
    result = refer(case["patch"])
    assert result.status == 202
    assert result.fact is not None and result.in_triage is not None and result.in_triage.case is not None
    sent = result.in_triage.case
    assert result.fact.region == case["region"]
    assert result.warnings == set(case["warnings"])
    assert list(sent.not_understood) == case["not_understood"]
    assert result.told("psychiatrist")[:1] == ([case["psychiatrist"]] if case["psychiatrist"] else [])
    assert result.told("coordinator") == case.get("coordinators", [])
    assert not any(notice.answers for notice in result.notices)  # somebody is on call, so no alarm
    if "payer" in case:
        assert sent.payer == case["payer"]
    if "wishes" in case:
        assert [[w.criterion, list(w.values), w.must] for w in sent.wishes] == case["wishes"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_nobody_knows_neither_travels_nor_is_said_back(case: dict[str, Any]) -> None:
    result = refer(case["patch"])
    assert result.fact is not None
    travels = "".join(fact.model_dump_json() for fact in (result.fact, *result.decisions))
    told = travels + json.dumps(result.answer) + "".join(n.title + n.text for n in result.notices)
    for word in ("narnia", 'oter"', "mother", "medicaid", "atlantean", "jedi"):
        assert word not in told


@pytest.mark.parametrize("how", SPELLINGS)
def test_every_code_of_the_network_is_known_in_every_spelling(how: str) -> None:
    spelled = SPELLINGS[how]
    for code in NETWORK.regions:
        result = refer({"client": {"region": spelled(code)}})
        assert result.fact is not None and (result.fact.region, result.warnings) == (code, set())
    for code in NETWORK.payers:
        result = refer({"payer": spelled(code)})
        assert result.in_triage and result.in_triage.case and result.in_triage.case.payer == code
    values = [spelled(code) for code in NETWORK.communities]
    wish = {"criterion": "culture", "values": values}
    case = refer({"preferences": [wish]}).in_triage
    assert case and case.case and case.case.wishes[0].values == tuple(NETWORK.communities)


@pytest.mark.parametrize("region", ["narnia", "Otter", "heron"])
def test_where_no_region_has_anybody_on_call_but_one_everybody_there_is_called(region: str) -> None:
    """Without a rota of the network, and without a network file."""
    there = [each for each in DIRECTORY.recipients if each.regions == {"salmon"}]
    result = submit(
        patched({"client": {"region": region}, "red_flags": ["overdose"]}), directory=Directory(there)
    )
    assert result.told("psychiatrist") == ["psychiatrist-salmon-1"]
    assert result.told("clinician") == ["clinician-salmon"]
    assert not any(notice.answers for notice in result.notices)  # nobody had to raise an alarm


def test_the_warning_says_which_are_known_and_which_is_close() -> None:
    (warning,) = refer({"client": {"region": "oter"}}).answer["warnings"]
    assert warning["where"] == "/client/region"
    assert "heron, otter, reed, salmon, willow" in warning["what"]
    assert "Did you mean `otter`?" in warning["what"]


def test_without_a_network_file_every_code_is_known() -> None:
    result = submit(patched({"client": {"region": "narnia"}, "payer": "medicaid"}, BASE))
    assert result.fact is not None and result.fact.region == "narnia"
    assert result.warnings == set() and result.told("coordinator") == []


def test_a_coordinator_is_asked_of_what_is_unknown_in_a_notice_that_says_so() -> None:
    result = refer({"payer": "medicaid"})
    (notice,) = [notice for notice in result.notices if notice.audience == "coordinator"]
    assert "does not know the payer" in notice.text and not notice.is_alert
