"""The network file: what it may say, how its codes are found, and that the example network's is complete."""

import csv
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI

from careroute.local.environment import Settings
from careroute.local.errors import StackError
from careroute.local.keys import Keys
from careroute.network import EXAMPLE_NETWORK
from careroute.network import Network as Here
from services.intake.api.request_examples import BATCH_LINE, MINIMAL, REFERRAL
from services.intake.app import create_app as intake
from services.matching.api.network_entry import entry_in
from services.matching.api.roster_csv import Bad, read_areas, read_therapists
from services.matching.api.therapist_models import EXAMPLE, TherapistEntry
from services.matching.app import create_app as matching
from services.notify.api.network_terms import recipient_form
from services.notify.api.requests import EXAMPLE_RECIPIENT, EXAMPLE_ROTA, RecipientForm, RotaForm
from services.notify.app import create_app as notify
from services.triage.app import create_app as triage
from shared.errors import Misconfigured
from shared.network import NOTHING_CHECKED, Kind, Network, load
from shared.vocabulary import NETWORK_ROTA
from tests.cases.example_network import EXAMPLES, NETWORK, RULES_THERE
from tests.cases.pipeline import submit

APPS: Final[dict[str, Callable[[], FastAPI]]] = {
    "intake": intake,
    "triage": triage,
    "matching": matching,
    "notify": notify,
}
TERMS: Final[dict[str, Kind]] = {
    "region": "regions",
    "regions": "regions",
    "telehealth_regions": "regions",
    "payer": "payers",
    "payers": "payers",
    "cultures": "communities",
    "culture_familiarity": "communities",
    "faiths": "communities",
    "clinic": "clinics",
}


def network(**kinds: Any) -> Network:
    return Network.model_validate(kinds)


@pytest.mark.parametrize(
    "said", ["otter_valley", "Otter Valley", "OTTER-VALLEY", "ottervalley", "Ｏtter valley"]
)
def test_case_spaces_and_punctuation_are_forgiven(said: str) -> None:
    assert network(regions={"otter_valley": {}}).find("regions", said) == "otter_valley"


def test_what_could_mean_two_codes_means_neither() -> None:
    two = network(regions={"north-east": {}, "north_east": {}})
    assert two.find("regions", "North East") is None
    assert two.find("regions", "north-east") == "north-east"


@pytest.mark.parametrize("said", ["", "...", "narnia", "otters", "otte", "otter heron"])
def test_what_is_only_similar_is_not_taken_for_it(said: str) -> None:
    assert NETWORK.find("regions", said) is None
    assert NETWORK.canonical("regions", said) == said


def test_what_is_said_of_an_unknown_code_quotes_nobody() -> None:
    for said in ("narnia", "otters", "ask her mother"):
        told = NETWORK.unknown("regions", said)
        assert said not in told and "Known are: heron, otter, reed, salmon, willow." in told
    assert "Did you mean `otter`?" in NETWORK.unknown("regions", "otters")
    assert "Did you mean" not in NETWORK.unknown("regions", "narnia")
    assert "and 10 more" in network(payers={f"p{n:02d}": {} for n in range(60)}).unknown("payers", "x")


def test_a_kind_that_the_file_leaves_out_is_not_checked() -> None:
    only_regions = network(regions={"otter": {}})
    assert only_regions.find("payers", "whoever") == "whoever"
    assert NOTHING_CHECKED.knows("clinics", "anybody")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[regions]\nnetwork = {}", "regions"),
        ('[regions]\notter = { aliases = ["The Network", "net-work"] }', "regions"),
        ('[regions]\n"a b" = {}', "regions.a b"),
        ('[regions]\notter = { time_zone = "Mars/Olympus" }', "regions.otter.time_zone"),
        ("[payer]\nx = {}", "payer"),
        ("[regions", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named_with_every_wrong_entry(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "network.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match=named):
        load(file)


def test_a_file_that_is_not_text_or_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "network.toml"
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(file)


# ---- the example network --------------------


def unknown_in(value: Any, name: str = "") -> Iterator[str]:
    """The codes anywhere in it that stand in a field of the network's and are none of its codes."""
    if isinstance(value, dict):
        for field, each in value.items():
            yield from unknown_in(each, field)
    elif isinstance(value, list):
        for each in value:
            yield from unknown_in(each, name)
    elif isinstance(value, str) and name in TERMS and not NETWORK.knows(TERMS[name], value):
        yield f"{name}: {value}"


def test_the_example_network_has_whatever_the_other_example_files_name() -> None:
    found: list[str] = []
    with (EXAMPLES / "therapists.csv").open() as file:
        found += unknown_in(
            [{k: v.split(";") if v else [] for k, v in row.items()} for row in csv.DictReader(file)]
        )
    with (EXAMPLES / "referrals.csv").open() as file:
        rows = list(csv.DictReader(file))
        found += unknown_in([{"region": row["client.region"], "payer": row["payer"] or None} for row in rows])
    found += unknown_in(json.loads((EXAMPLES / "clinics.json").read_text()))
    found += unknown_in(json.loads((EXAMPLES / "oncall.json").read_text())["recipients"])
    clinics = [clinic["id"] for clinic in json.loads((EXAMPLES / "clinics.json").read_text())]
    found += unknown_in(
        [scenario["clinic"] for scenario in json.loads((EXAMPLES / "scenarios.json").read_text()).values()],
        "clinic",
    )
    assert found == []
    assert sorted(NETWORK.clinics) == sorted(clinics)
    rota = json.loads((EXAMPLES / "oncall.json").read_text())["rota"]
    assert rota.keys() == NETWORK.regions.keys() | {NETWORK_ROTA}


def test_every_example_referral_is_understood_by_the_example_network() -> None:
    lines = [*(EXAMPLES / "referrals.ndjson").read_text().splitlines()]
    lines += (EXAMPLES / "referrals-again.ndjson").read_text().splitlines()
    for line in lines:
        body = json.loads(line)
        body.pop("idempotency_key")
        result = submit(body, rules=RULES_THERE)
        assert result.in_triage and result.in_triage.case
        assert not {w for w in result.warnings if w.startswith("unknown_")}
        assert not set(result.in_triage.case.not_understood) & {"region", "payer", "community"}


# ---- what /docs shows --------------------


@pytest.mark.parametrize("body", [REFERRAL, MINIMAL, BATCH_LINE], ids=["referral", "minimal", "batch line"])
def test_a_referral_of_the_docs_is_understood_by_the_example_network(body: dict[str, Any]) -> None:
    result = submit({k: v for k, v in body.items() if k != "idempotency_key"}, rules=RULES_THERE)
    assert result.status == 202
    assert not {w for w in result.warnings if w.startswith("unknown_")}


def test_a_therapist_of_the_docs_is_taken_by_the_example_network() -> None:
    entry = TherapistEntry.model_validate(EXAMPLE)
    assert entry_in(NETWORK, entry) == (entry, [])


def test_the_files_of_the_docs_are_taken_by_the_example_network() -> None:
    paths = matching().openapi()["paths"]
    examples = {
        path: item["post"]["requestBody"]["content"]["text/csv"]["example"]
        for path, item in paths.items()
        if path.endswith("/import")
    }
    therapists = list(read_therapists(examples["/v1/therapists/import"], NETWORK))
    areas = list(read_areas(examples["/v1/areas/import"]))
    assert therapists and areas
    assert not [line for line in [*therapists, *areas] if isinstance(line, Bad)]


def test_a_recipient_and_a_rota_of_the_docs_are_taken_by_the_example_network() -> None:
    form = RecipientForm.model_validate(EXAMPLE_RECIPIENT)
    assert recipient_form(form, NETWORK) == form
    people = {each["id"] for each in json.loads((EXAMPLES / "oncall.json").read_text())["recipients"]}
    assert {recipient for _, recipient in RotaForm.model_validate(EXAMPLE_ROTA).places()} <= people


def shown(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("example", "examples"):
                yield each
            else:
                yield from shown(each)
    elif isinstance(value, list):
        for each in value:
            yield from shown(each)


@pytest.mark.parametrize("name", APPS)
def test_no_example_of_the_docs_names_what_the_example_network_lacks(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_ENCRYPTION_KEYS", f"k1:{b64encode(bytes(32)).decode()}")
    examples = list(shown(APPS[name]().openapi()))
    assert examples
    assert [found for example in examples for found in unknown_in(example)] == []


# ---- the local stack and the command line --------------------


def settings(folder: Path, caller: dict[str, str], network_file: Path | None) -> Settings:
    keys = Keys(folder)
    keys.ensure()
    names = ("intake", "triage", "matching", "notify")
    return Settings(
        keys=keys,
        urls=dict.fromkeys(names, "http://127.0.0.1:1"),
        databases=dict.fromkeys(names, "postgresql://127.0.0.1:1/x"),
        kafka="127.0.0.1:1",
        kafka_embedded=True,
        caller=caller,
        network_file=network_file,
    )


@pytest.mark.parametrize(
    ("caller", "default", "set_to"),
    [
        ({}, None, None),
        ({}, EXAMPLE_NETWORK, str(EXAMPLE_NETWORK)),
        ({"CAREROUTE_NETWORK_FILE": "own.toml"}, EXAMPLE_NETWORK, "own.toml"),
        ({"CAREROUTE_NETWORK_FILE": ""}, EXAMPLE_NETWORK, ""),
    ],
    ids=["nobody names one", "the example network", "the caller's own", "the caller wants none"],
)
def test_the_network_file_of_a_local_stack(
    tmp_path: Path, caller: dict[str, str], default: Path | None, set_to: str | None
) -> None:
    stack = settings(tmp_path, caller, default)
    assert stack.variables("notify").get("CAREROUTE_NETWORK_FILE") == set_to
    assert stack.variables().get("CAREROUTE_NETWORK_FILE") == set_to


def test_a_token_is_made_only_for_a_clinic_of_the_network() -> None:
    here = Here({}, {"CAREROUTE_NETWORK_FILE": str(EXAMPLE_NETWORK)}, None)
    assert here.clinic("clinic-riverside") == "clinic-riverside"
    assert here.clinic("Clinic Riverside") == "clinic-riverside"
    with pytest.raises(StackError, match=r"Known are: clinic-harbor, .*clinic-riverside"):
        here.clinic("clinic-1")
    assert Here({}, {}, None).clinic("clinic-1") == "clinic-1"
