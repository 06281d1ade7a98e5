"""The example files are what the generator makes, and every scenario is what it says it is."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from careroute.demo.network import up_to_date
from careroute.referral_files.files import Line, read
from examples import make
from examples.making.places import REGIONS
from examples.making.practices import PRACTICES
from examples.making.scenarios import SCENARIOS, SENT_AGAIN
from examples.making.sheets import DAY
from services.intake.api.form_mapping import case_of, filled_of
from services.intake.api.requests import BatchLine
from services.intake.domain.acceptance import Verdict, accept
from services.matching.api.roster_csv import Bad, read_areas, read_therapists
from services.matching.domain.client_needs import client_of
from services.matching.domain.eligibility_columns import relaxations
from services.matching.domain.offer_rules import LEVELS
from services.matching.domain.profiles import Client, Therapist
from services.matching.domain.proposals import Policy, Proposal, Waiting, Waitlisting, propose
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights
from services.matching.domain.therapist_entry import therapist_of
from services.matching.incoming_events import needs_of
from services.notify.api.requests import RecipientForm, RotaForm
from services.triage.db.referrals import Referral
from services.triage.domain.state import TriageState
from services.triage.handlers.intake import decide
from services.triage.policy.checks import POLICIES
from services.triage.policy.checks import load as load_policy
from shared.events import Case, ReferralSubmitted, ReferralTriaged, ReviewRequested
from shared.ids import new_id
from shared.vocabulary import GENDERS, MODALITIES, NETWORK_ROTA, Urgency

FOLDER = Path(make.__file__).parent
POLICY = load_policy(POLICIES / "network-default.toml")
URGENCIES = list(Urgency)
THAT_DAY = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
LATER = THAT_DAY + timedelta(days=2 * 365)
"""People grow older while the files do not: for two years at least the scenarios must hold."""

BY_KEY = {scenario.key: scenario for scenario in SCENARIOS}
NOBODY = {"nobody-fits", "priority-missing-no-questionnaire"}
HELD = {"adolescent-without-guardian", "no-consent-yet"}


@dataclass(frozen=True)
class Told:
    """What the services' own decisions make of one example."""

    case: Case
    verdict: Verdict
    region: str
    urgency: Urgency
    triaged: ReferralTriaged | None
    held: bool


def lines() -> Iterator[dict[str, Any]]:
    for line in (FOLDER / "referrals.ndjson").read_text().splitlines():
        yield json.loads(line)


def tell(line: dict[str, Any], now: datetime) -> Told:
    form = BatchLine.model_validate_json(json.dumps(line))
    verdict = accept(filled_of(form), age_of_majority=18, today=now.date())
    assert not verdict.faults
    submitted = ReferralSubmitted(
        event_id=new_id(),
        occurred_at=now,
        region=form.client.region,
        referral_id=new_id(),
        revision=1,
        clinic="clinic",
        express=verdict.express,
        case=case_of(form, verdict),
    )
    said = decide(
        submitted,
        Referral(
            TriageState(referral_id=submitted.referral_id, region=submitted.region, clinic=submitted.clinic)
        ),
        POLICY,
        now=now,
    ).events
    triaged = next((fact for fact in said if isinstance(fact, ReferralTriaged)), None)
    review = next((fact for fact in said if isinstance(fact, ReviewRequested)), None)
    decision = triaged or review
    assert decision is not None
    return Told(
        submitted.case, verdict, form.client.region, decision.urgency, triaged, bool(review and review.holds)
    )


@pytest.fixture(scope="module", params=[THAT_DAY, LATER], ids=["that day", "two years later"])
def told(request: pytest.FixtureRequest) -> dict[str, Told]:
    shown = up_to_date(list(lines()), today=request.param.date())
    return {line["idempotency_key"]: tell(line, request.param) for line in shown}


@pytest.fixture(scope="module")
def areas() -> dict[str, tuple[float, float]]:
    found = [area for area in read_areas((FOLDER / "areas.csv").read_text())]
    assert not [area for area in found if isinstance(area, Bad)]
    return {a.area: (a.latitude, a.longitude) for a in found if not isinstance(a, Bad)}


@pytest.fixture(scope="module")
def therapists(areas: dict[str, tuple[float, float]]) -> list[Therapist]:
    found = list(read_therapists((FOLDER / "therapists.csv").read_text()))
    assert not [row for row in found if isinstance(row, Bad)]
    return [
        therapist_of(row.id, row.entry.stated(), version=1, places_taken=0, areas=areas)
        for row in found
        if not isinstance(row, Bad)
    ]


@pytest.fixture
def matched(
    told: dict[str, Told], therapists: list[Therapist], areas: dict[str, tuple[float, float]]
) -> dict[str, tuple[Client, Proposal | Waitlisting]]:
    """One round with everybody at once, as the services would hold it."""
    clients = {
        key: client_of(UUID(int=n), one.region, needs_of(one.triaged), (), areas)
        for n, (key, one) in enumerate(told.items(), 1)
        if one.triaged
    }
    pool = [Waiting(client, LEVELS[told[key].urgency]) for key, client in clients.items()]
    found = propose(pool, Roster(therapists), Policy(Weights(), 0.2))
    return {key: (client, one) for (key, client), one in zip(clients.items(), found, strict=True)}


@pytest.mark.parametrize("name", sorted(make.files()))
def test_making_the_files_again_gives_the_same_bytes(name: str) -> None:
    assert make.files()[name] == (FOLDER / name).read_bytes()


def test_there_are_60_referrals_and_a_scenario_for_each() -> None:
    keys = [line["idempotency_key"] for line in lines()]
    catalogue = json.loads((FOLDER / "scenarios.json").read_text())
    assert len(keys) == len(set(keys)) == 60
    assert list(catalogue) == keys
    clinics = {clinic["id"] for clinic in json.loads((FOLDER / "clinics.json").read_text())}
    assert {scenario["clinic"] for scenario in catalogue.values()} == clinics
    assert {scenario["expect_at_least"] for scenario in catalogue.values()} == set(Urgency)


def test_every_scenario_is_explained_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert [key for key in BY_KEY if f"`{key}`" not in readme] == []
    assert [name for name in make.files() if f"`{name}`" not in readme] == []


def test_the_rules_answer_as_soon_as_every_scenario_expects(told: dict[str, Told]) -> None:
    too_late = {
        key: one.urgency
        for key, one in told.items()
        if URGENCIES.index(one.urgency) > URGENCIES.index(Urgency(BY_KEY[key].at_least))
    }
    assert too_late == {}


def test_what_is_preventive_stays_preventive(told: dict[str, Told]) -> None:
    expected = {key for key, scenario in BY_KEY.items() if scenario.at_least == "preventive"}
    assert {key for key, one in told.items() if one.urgency is Urgency.PREVENTIVE} == expected


def test_only_consent_and_guardians_hold_a_referral(told: dict[str, Told]) -> None:
    assert {key for key, one in told.items() if one.held} == HELD


def test_whatever_cannot_wait_is_told_so_at_the_door(told: dict[str, Told]) -> None:
    crises = {key for key, scenario in BY_KEY.items() if scenario.at_least in ("emergency", "very_urgent")}
    assert crises
    assert [key for key in crises if not told[key].verdict.express] == []


def test_a_place_is_found_for_all_but_those_who_are_there_to_show_the_opposite(
    matched: dict[str, tuple[Client, Proposal | Waitlisting]],
) -> None:
    assert {key for key, (_, one) in matched.items() if isinstance(one, Waitlisting)} == NOBODY


def test_who_fits_nobody_is_told_which_single_limit_would_open_how_many(
    matched: dict[str, tuple[Client, Proposal | Waitlisting]], therapists: list[Therapist]
) -> None:
    client, _ = matched["nobody-fits"]
    roster = Roster(therapists)
    opened = {str(one.limit): one.opens for one in relaxations(client, roster, roster.all_rows())}
    assert opened.keys() == {"must_language", "must_therapist_gender"}
    assert opened["must_language"] > opened["must_therapist_gender"]


@pytest.mark.parametrize(
    ("key", "criterion"),
    [
        ("own-therapist-again", "therapist"),
        ("interpreter-tigrinya", "language"),
        ("item9-positive-in-spanish", "language"),
        ("sign-language-video", "setting"),
        ("muslim-woman-anxiety", "faith"),
        ("grief-and-faith", "faith"),
        ("veteran-ptsd", "culture_familiarity"),
        ("relapse-prevention", "modality"),
    ],
)
def test_the_wish_that_a_scenario_is_about_is_met(
    key: str, criterion: str, matched: dict[str, tuple[Client, Proposal | Waitlisting]]
) -> None:
    _, one = matched[key]
    assert isinstance(one, Proposal)
    assert {each.criterion: each.score for each in one.choice.criteria}[criterion] == 1.0


def test_the_roster_has_what_a_network_has(therapists: list[Therapist]) -> None:
    assert len(therapists) == 200
    assert {t.region for t in therapists} == {region.code for region in REGIONS}
    assert len({t.id for t in therapists}) == 200
    spoken = Counter(language for t in therapists for language in t.languages)
    assert len(spoken) >= 12
    assert spoken["es"] >= 40 > max(n for code, n in spoken.items() if code not in ("en", "es"))
    assert spoken["ti"] == 2
    assert len({payer for t in therapists for payer in t.payers}) == 6
    assert {modality for t in therapists for modality in t.modalities} == MODALITIES
    assert {gender for t in therapists for gender in t.genders} == GENDERS
    assert {t.places_total for t in therapists} == set(range(1, 9))


def test_every_region_has_every_kind_of_practice(therapists: list[Therapist]) -> None:
    kinds = {frozenset(practice.modalities) for practice in PRACTICES}
    for region in REGIONS:
        assert kinds <= {t.modalities for t in therapists if t.region == region.code}


def test_everybody_to_be_told_is_as_notify_takes_them() -> None:
    oncall = json.loads((FOLDER / "oncall.json").read_text().replace("{endpoints}", "http://127.0.0.1:9"))
    audiences: dict[str, str] = {}
    for recipient in oncall["recipients"]:
        form = RecipientForm.model_validate({k: v for k, v in recipient.items() if k != "id"})
        audiences[recipient["id"]] = form.audience
    assert set(audiences.values()) == {"psychiatrist", "clinician", "coordinator", "therapist", "ops"}
    assert oncall["rota"].keys() == {region.code for region in REGIONS} | {NETWORK_ROTA}
    for region, rota in oncall["rota"].items():
        on_call = {audiences[recipient] for _, recipient in RotaForm.model_validate(rota).places()}
        assert on_call == {"psychiatrist", "clinician"}, region


def test_what_is_sent_again_are_lines_of_the_first_file_and_of_one_clinic() -> None:
    first = (FOLDER / "referrals.ndjson").read_text().splitlines()
    again = (FOLDER / "referrals-again.ndjson").read_text().splitlines()
    assert again
    assert set(again) <= set(first)
    assert len({BY_KEY[key].clinic for key in SENT_AGAIN}) == 1


def test_the_spreadsheet_is_read_as_forms_that_can_be_taken() -> None:
    found = list(read(FOLDER / "referrals.csv", clinic="clinic-riverside"))
    taken = [tell(json.loads(line.body), THAT_DAY) for line in found if isinstance(line, Line)]
    assert len(taken) == 5
    assert [one.urgency for one in taken] == ["routine", "urgent", "soon", "urgent", "preventive"]
    assert taken[3].case.screenings[0].answers[8] is None
    assert taken[1].case.wishes[0].must


def test_phone_numbers_and_addresses_are_of_the_kind_kept_for_fiction() -> None:
    rows = list(csv.DictReader(io.StringIO((FOLDER / "referrals.csv").read_text())))
    contacts = [line["client"]["contact"] for line in lines()]
    phones = [contact["phone"] for contact in contacts]
    phones += [line["referrer"]["phone"] for line in lines()]
    phones += [row["client.contact.phone"] for row in rows]
    assert {phone[:9] for phone in phones} == {"+1 555 01"}
    assert {contact["email"].rpartition("@")[2] for contact in contacts} == {"example.org"}
