"""A referral is amended, measured again, withdrawn: each change is one more revision, said in order."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.intake.api.changes import merge
from services.intake.api.form_mapping import case_of, form_of, identity_of
from services.intake.api.parsing import read
from services.intake.api.request_examples import AMENDMENT, MINIMAL, REFERRAL
from services.intake.api.requests import ReferralForm
from services.intake.api.rules import Rules
from services.intake.db.cipher import Keyring
from services.intake.policy import DEFAULT, load
from shared.events import (
    InformationRequested,
    Question,
    ReferralAmended,
    ReferralSubmitted,
    ReferralWithdrawn,
    ScreeningRecorded,
    Stated,
)
from shared.ids import now
from shared.vocabulary import Lane, Urgency
from shared.web.auth import Role
from tests.integration.intake.support import KEYS, Intake, about, intake_on
from tests.support import NewDatabase

TODAY = now().date().isoformat()
CALM = REFERRAL | {"screenings": [{"instrument": "phq9", "taken_on": TODAY, "answers": [0] * 9}]}
WORSE = {"screenings": [{"instrument": "cssrs", "taken_on": TODAY, "answers": [1, 1, 0, 1, 0, 0]}]}


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


async def identity(intake: Intake, referral_id: str) -> dict[str, Any]:
    answer = await intake.call("GET", f"/v1/referrals/{referral_id}/identity", role=Role.CLINICIAN)
    form: dict[str, Any] = answer.json()["referral"]
    return form


async def test_an_amendment_replaces_what_it_mentions_and_keeps_the_rest(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", AMENDMENT)
    assert (answer.status_code, answer.json()["revision"]) == (202, 2)
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralAmended)
    assert (fact.revision, fact.case.payer, fact.case.red_flags) == (2, None, ("clinician_concern",))
    assert fact.case.problems == ("depression", "insomnia")
    form = await identity(intake, taken["id"])
    assert form["client"]["contact"] == REFERRAL["client"]["contact"] | AMENDMENT["client"]["contact"]
    assert form["notes"] == REFERRAL["notes"]
    assert form["goals"][0] == REFERRAL["goals"][0]


@pytest.mark.parametrize("patch", [{"notes": None, "client": {"guardian": None}}, {}])
async def test_taking_away_what_may_be_missing_is_fine(intake: Intake, patch: dict[str, Any]) -> None:
    taken = await intake.submit(REFERRAL)
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", patch)
    assert answer.status_code == 202
    assert (await identity(intake, taken["id"]))["notes"] == (None if patch else REFERRAL["notes"])


@pytest.mark.parametrize(
    ("patch", "where"),
    [
        ({"client": {"name": None}}, "/client/name"),
        ({"client": None}, "/client"),
        ({"problems": ["depression", 5]}, "/problems/1"),
        ({"nickname": "x"}, "/nickname"),
        ({"client": {"name": "\x00"}}, "/client/name"),
        ([], "/"),
    ],
)
async def test_an_amendment_that_breaks_the_referral_changes_nothing(
    intake: Intake, patch: Any, where: str
) -> None:
    taken = await intake.submit(REFERRAL)
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", patch)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
    assert (await intake.read(taken["id"]))["revision"] == 1
    assert await intake.count("outbox") == 1


UNKNOWN_FLAG: dict[str, Any] = CALM | {"red_flags": ["medication_question", "strangulation"]}


async def unread(intake: Intake, referral_id: str) -> list[tuple[int, str, Any]]:
    answer = await intake.call("GET", f"/v1/referrals/{referral_id}/identity", role=Role.CLINICIAN)
    return [(each["revision"], each["where"], each["value"]) for each in answer.json()["not_understood"]]


async def parts(intake: Intake) -> list[tuple[str, ...]]:
    return [fact.case.not_understood for fact in await intake.said() if hasattr(fact, "case")]


async def test_what_nobody_knew_stays_until_it_is_replaced(intake: Intake) -> None:
    taken = await intake.submit(UNKNOWN_FLAG)
    path = f"/v1/referrals/{taken['id']}"
    patches: tuple[dict[str, Any], ...] = (
        {"payer": "payer-b"},
        {"red_flags": ["clinician_concern", "noose"]},
        {"red_flags": []},
    )
    for patch in patches:
        answer = await intake.call("POST", f"{path}/amendments", patch)
        assert answer.status_code == 202, answer.text
        if patch == {"payer": "payer-b"}:
            assert await unread(intake, taken["id"]) == [(1, "/red_flags/1", "strangulation")]
    assert await parts(intake) == [("red_flag",), ("red_flag",), ("red_flag", "red_flag"), ()]
    assert await unread(intake, taken["id"]) == []
    last = (await intake.said())[-1]
    assert isinstance(last, ReferralAmended) and last.case.red_flags == ()


async def test_a_crisis_in_an_amendment_is_taken_without_what_cannot_be_read(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    before = (await identity(intake, taken["id"]))["client"]
    patch = {"red_flags": "overdose", "client": {"birth_date": "5/17/90", "name": None}, "nickname": "x"}
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", patch)
    assert answer.status_code == 202, answer.text
    assert answer.json()["safety_advice"]["because"] == ["flag.overdose"]
    assert (await identity(intake, taken["id"]))["client"] == before
    assert {where for _, where, _ in await unread(intake, taken["id"])} == {
        "/client/birth_date", "/client/name", "/nickname",
    }  # fmt: skip


async def test_a_crisis_that_is_stored_does_not_let_a_broken_amendment_in(intake: Intake) -> None:
    taken = await intake.submit(CALM | {"red_flags": ["overdose"]})
    patch = {"client": {"birth_date": "5/17/90"}}
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", patch)
    assert answer.status_code == 422 and "safety_advice" not in answer.json()


@pytest.mark.parametrize(
    "more",
    [
        {"instrument": "phq8", "taken_on": "2025-03-03", "answers": [1] * 8},
        {"instrument": "gad7", "taken_on": "yesterday", "answers": [1] * 7},
        "gad7",
    ],
)
async def test_a_sheet_that_fires_is_recorded_beside_one_that_cannot_be_read(
    intake: Intake, more: Any
) -> None:
    taken = await intake.submit(CALM)
    body = {"screenings": [more, *WORSE["screenings"]], "red_flags": ["overdose"]}
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/screenings", body)
    assert answer.status_code == 202, answer.text
    because = answer.json()["safety_advice"]["because"]
    assert because == ["cssrs.q1", "cssrs.q2", "cssrs.q4", "flag.overdose"]
    assert "/screenings/0" in {warning["where"] for warning in answer.json()["warnings"]}
    fact = (await intake.said())[-1]
    assert isinstance(fact, ScreeningRecorded) and fact.case.red_flags == ("overdose",)
    assert fact.case.not_understood and (await unread(intake, taken["id"]))[0][2] == more


async def test_an_unknown_sheet_alone_is_kept(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    sheet = {"instrument": "PHQ-8", "taken_on": "2025-03-03", "answers": [1] * 8}
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/screenings", {"screenings": [sheet]})
    assert answer.status_code == 202, answer.text
    assert await unread(intake, taken["id"]) == [(2, "/screenings/0", sheet)]


async def test_a_crisis_for_a_referral_that_has_ended_is_refused_with_the_crisis_lines(
    intake: Intake,
) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}"
    await intake.call("POST", f"{path}/withdrawal", {"reason": "duplicate"})
    answer = await intake.call("POST", f"{path}/amendments", {"red_flags": ["overdose"]})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("NOT taken; nobody has been told.")
    assert answer.json()["safety_advice"]["lines"]


async def test_a_crisis_sent_to_no_referral_is_refused_with_the_crisis_lines(intake: Intake) -> None:
    for where, status in (("not-an-id", 422), (str(uuid4()), 404)):
        path = f"/v1/referrals/{where}/amendments"
        answer = await intake.call("POST", path, {"red_flags": ["overdose"]})
        assert answer.status_code == status
        assert answer.json()["detail"].startswith("NOT taken; nobody has been told.")
        assert answer.json()["safety_advice"]["because"] == ["flag.overdose"]
    assert "safety_advice" not in (await intake.call("GET", "/v1/referrals/not-an-id")).json()


async def test_a_crisis_beside_more_sheets_than_a_referral_holds_is_taken(intake: Intake) -> None:
    calm = {"instrument": "gad7", "taken_on": "2025-03-03", "answers": [0] * 7}
    taken = await intake.submit(CALM | {"screenings": [calm] * 50})
    path = f"/v1/referrals/{taken['id']}/screenings"
    for _ in range(7):
        await intake.call("POST", path, {"screenings": [calm] * 20})
    await intake.call("POST", path, {"screenings": [calm] * 10})
    assert (await intake.call("POST", path, {"screenings": [calm]})).status_code == 422
    answer = await intake.call("POST", path, WORSE)
    assert answer.status_code == 202, answer.text
    fact = (await intake.said())[-1]
    assert isinstance(fact, ScreeningRecorded) and len(fact.case.screenings) == 200
    assert fact.case.screenings[-1].instrument == "cssrs"
    assert await unread(intake, taken["id"]) == [
        (10, "/screenings/0", calm | {"language": None, "stated_total": None})
    ]


async def test_a_screening_later_is_added_and_may_bring_it_to_the_express_lane(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    answer = (await intake.call("POST", f"/v1/referrals/{taken['id']}/screenings", WORSE)).json()
    assert answer["express"] and answer["safety_advice"]["because"] == ["cssrs.q1", "cssrs.q2", "cssrs.q4"]
    assert answer["warnings"] == []
    fact = (await intake.said())[-1]
    assert isinstance(fact, ScreeningRecorded) and fact.lane is Lane.EXPRESS
    assert [sheet.instrument for sheet in fact.case.screenings] == ["phq9", "cssrs"]


async def test_once_express_always_express(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    calm = {"screenings": CALM["screenings"], "requested_priority": "routine"}
    assert (await intake.call("POST", f"/v1/referrals/{taken['id']}/amendments", calm)).json()["express"]
    assert {fact.lane for fact in await intake.said()} == {Lane.EXPRESS}


async def test_a_change_says_what_it_states_and_its_answer_is_about_that(intake: Intake) -> None:
    """A patch that mentions no safety signal states none, whatever was stated before."""
    taken = await intake.submit(CALM | {"red_flags": ["overdose"]})
    assert "is being told" in taken["safety_advice"]["text"]
    path = f"/v1/referrals/{taken['id']}"
    changes: list[tuple[str, Any, Stated, list[str] | None]] = [
        ("amendments", {"client": {"contact": {"phone": "555-0100"}}}, Stated(), None),
        ("amendments", {"red_flags": ["overdose"]}, Stated(parts=("red_flags",)), ["flag.overdose"]),
        ("amendments", {"red_flags": None}, Stated(), None),
        ("amendments", {"express": True}, Stated(parts=("express",)), None),
        (
            "screenings",
            WORSE,
            Stated(parts=("screenings",), sheets=1),
            ["cssrs.q1", "cssrs.q2", "cssrs.q4"],
        ),
    ]
    for route, body, stated, because in changes:
        answer = (await intake.call("POST", f"{path}/{route}", body)).json()
        advice = answer["safety_advice"]
        assert (advice["because"] if advice else None) == because
        assert answer["express"] is True
        fact = (await intake.said())[-1]
        assert isinstance(fact, ReferralAmended | ScreeningRecorded) and fact.stated == stated
    first = (await intake.said())[0]
    assert isinstance(first, ReferralSubmitted) and first.stated
    assert {"red_flags", "screenings", "problems"} <= set(first.stated.parts)
    assert "stated" not in (await intake.read(taken["id"]))["timeline"][0]["details"]


async def test_a_crisis_stated_again_is_said_once_for_a_key(intake: Intake) -> None:
    taken = await intake.submit(CALM | {"red_flags": ["overdose"]})
    path = f"/v1/referrals/{taken['id']}/amendments"
    again = {"red_flags": ["overdose"]}
    answers = [await intake.call("POST", path, again, Idempotency_Key="key-2") for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert len([fact for fact in await intake.said() if isinstance(fact, ReferralAmended)]) == 1


async def test_a_withdrawal_ends_it_and_says_what_else_there_is(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}"
    assert (await intake.call("POST", f"{path}/withdrawal", {"reason": "duplicate"})).status_code == 202
    seen = await intake.read(taken["id"])
    assert (seen["state"], seen["fhir_status"], seen["reason"]) == ("withdrawn", "cancelled", "duplicate")
    assert seen["next_actions"] == []
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralWithdrawn) and (fact.reason, fact.revision) == ("duplicate", 2)
    for route, body in (("withdrawal", {"reason": "other"}), ("amendments", {}), ("screenings", WORSE)):
        answer = await intake.call("POST", f"{path}/{route}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible_now")
    unknown = await intake.call("POST", f"{path}/withdrawal", {"reason": "she told me so"})
    assert unknown.status_code == 422 and "she told" not in unknown.text


async def test_information_that_was_asked_for_brings_it_back(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    await intake.hear(
        InformationRequested(
            **about(taken),
            express=False,
            decision=1,
            reason="missing_information",
            questions=(Question(code="consent", text="Does the person agree?"),),
            answer_by=now() + timedelta(days=3),
            urgency=Urgency.SOON,
            respond_by=now() + timedelta(days=7),
            decided_by="dr-grey",
        )
    )
    asked = await intake.read(taken["id"])
    assert (asked["state"], asked["fhir_status"]) == ("needs_information", "on-hold")
    assert asked["questions"] == [{"code": "consent", "text": "Does the person agree?"}]
    assert timedelta(days=2) < datetime.fromisoformat(asked["due_by"]) - now() < timedelta(days=3)
    first = asked["next_actions"][0]
    assert (first["action"], first["href"]) == ("give_information", taken["links"]["amendments"])
    await intake.call("POST", first["href"], {"notes": "Here it is."})
    assert (await intake.read(taken["id"]))["state"] == "in_review"


async def test_a_key_makes_a_change_once(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}/screenings"
    answers = await asyncio.gather(
        *(intake.call("POST", path, WORSE, Idempotency_Key="key-1") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (await intake.read(taken["id"]))["revision"] == 2
    other = await intake.call("POST", path, {"screenings": CALM["screenings"]}, Idempotency_Key="key-1")
    assert other.status_code == 409


async def test_a_key_whose_request_was_refused_may_be_used_again(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}/amendments"
    bad = await intake.call("POST", path, {"client": {"name": None}}, Idempotency_Key="key-1")
    assert bad.status_code == 422
    assert (await intake.call("POST", path, AMENDMENT, Idempotency_Key="key-1")).status_code == 202


async def test_changes_at_once_are_said_in_the_order_of_their_revisions(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}"
    bodies = [("amendments", {"payer": f"payer-{number}"}) for number in range(6)] + [("screenings", WORSE)]
    await asyncio.gather(*(intake.call("POST", f"{path}/{route}", body) for route, body in bodies))
    facts = await intake.said()
    assert [getattr(fact, "revision", 0) for fact in facts] == list(range(1, 9))
    assert (await intake.read(taken["id"]))["revision"] == 8


async def test_if_match_guards_against_what_somebody_else_changed(intake: Intake) -> None:
    taken = await intake.submit(CALM)
    path = f"/v1/referrals/{taken['id']}"
    etag = (await intake.call("GET", path)).headers["etag"]
    first = await intake.call("POST", f"{path}/amendments", AMENDMENT, If_Match=etag)
    stale = await intake.call("POST", f"{path}/amendments", AMENDMENT, If_Match=etag)
    assert (first.status_code, stale.status_code, stale.headers["etag"]) == (202, 412, '"2"')
    anyway = await intake.call("POST", f"{path}/amendments", AMENDMENT, If_Match='"1", W/"2"')
    assert anyway.status_code == 202


@pytest.mark.parametrize("route", ["amendments", "screenings", "withdrawal"])
async def test_anothers_referral_answers_as_if_it_did_not_exist(intake: Intake, route: str) -> None:
    taken = await intake.submit(CALM)
    body = {"amendments": AMENDMENT, "screenings": WORSE, "withdrawal": {"reason": "other"}}[route]
    answers = [
        await intake.call("POST", f"/v1/referrals/{referral_id}/{route}", body, clinic="clinic-2")
        for referral_id in (taken["id"], uuid4())
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await intake.read(taken["id"]))["revision"] == 1


@pytest.mark.parametrize("role", list(Role))
async def test_clinics_coordinators_and_clinicians_change_referrals(intake: Intake, role: Role) -> None:
    taken = await intake.submit(CALM)
    answer = await intake.call("POST", f"/v1/referrals/{taken['id']}/screenings", WORSE, role=role)
    assert answer.status_code == (403 if role in (Role.ONCALL, Role.OPS) else 202)
    facts = [fact for fact in await intake.said() if isinstance(fact, ScreeningRecorded)]
    assert all(fact.clinic == "clinic-1" for fact in facts)


@pytest.mark.parametrize("body", [REFERRAL, MINIMAL, REFERRAL | {"requested_priority": None}])
def test_a_form_divided_is_the_form_again(body: dict[str, Any]) -> None:
    rules = Rules(policy=load(DEFAULT), keyring=Keyring.parse(KEYS))
    form = ReferralForm.model_validate(body, strict=False)
    case = case_of(form, rules.judge(form, now=now()))
    again = form_of(case, form.client.region, identity_of(form))
    assert read(ReferralForm, json.dumps(again).encode(), now=now()) == form


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ([1], {"a": "b"}, {"a": "b"}),
    ],
)
def test_merging_as_rfc_7396_says(target: Any, patch: Any, merged: Any) -> None:
    assert merge(target, patch) == merged


async def test_words_to_be_read_are_flagged_by_their_revision_and_stay_here(intake: Intake) -> None:
    """A note changed later is to be read anew; a change of something else is not."""
    words = "She says that the nights are the worst."
    taken = await intake.submit(CALM | {"notes": words, "read_notes": True})
    assert not [each for each in taken["warnings"] if each["code"] == "no_words"]
    path = taken["links"]["amendments"]
    for patch in ({"payer": "payer-2"}, {"notes": words + " Since May."}, {"read_notes": False}):
        answer = await intake.call("POST", path, patch)
        assert answer.status_code == 202, answer.text
    facts = [fact for fact in await intake.said() if isinstance(fact, ReferralSubmitted | ReferralAmended)]
    assert [fact.case.read_notes for fact in facts] == [1, 1, 3, None]
    assert "nights" not in "".join(fact.model_dump_json() for fact in facts)


async def test_a_flag_without_words_is_a_warning(intake: Intake) -> None:
    bare = {name: value for name, value in MINIMAL.items() if name != "notes"}
    taken = await intake.submit(bare | {"read_notes": True})
    assert ("/read_notes", "no_words") in {(each["where"], each["code"]) for each in taken["warnings"]}


@pytest.mark.parametrize("value", ["0", "946684800000", 0, 946684800000, "07/09/2000", True])
async def test_an_amendment_reads_days_as_strictly(intake: Intake, value: Any) -> None:
    taken = await intake.submit(CALM)
    for patch, where in (
        ({"client": {"birth_date": value}}, "/client/birth_date"),
        ({"screenings": [CALM["screenings"][0] | {"taken_on": value}]}, "/screenings/0/taken_on"),
    ):
        answer = await intake.call("POST", taken["links"]["amendments"], patch)
        assert answer.status_code == 422
        assert [fault["where"] for fault in answer.json()["errors"]] == [where]
    assert (await intake.read(taken["id"]))["revision"] == 1


async def test_a_placeholder_stays_unknown_until_the_birth_date_is_amended(intake: Intake) -> None:
    taken = await intake.submit(CALM | {"client": CALM["client"] | {"birth_date": "1900-01-01"}})
    path = taken["links"]["amendments"]
    for patch in ({"payer": "payer-2"}, {"client": {"birth_date": "1985-06-01"}}):
        assert (await intake.call("POST", path, patch)).status_code == 202
    facts = [fact for fact in await intake.said() if isinstance(fact, ReferralSubmitted | ReferralAmended)]
    assert [fact.case.not_understood for fact in facts] == [("birth_date",), ("birth_date",), ()]
    assert [fact.case.age is None for fact in facts] == [True, True, False]
    assert (await identity(intake, taken["id"]))["client"]["birth_date"] == "1985-06-01"


@pytest.mark.parametrize("diagnoses", [["T39.1X2A"], ["F33.1", "X78.9XXD"]])
async def test_self_harm_in_an_amended_diagnosis_is_express_with_advice(
    intake: Intake, diagnoses: list[str]
) -> None:
    taken = await intake.submit(CALM)
    assert not taken["express"]
    answer = await intake.call("POST", taken["links"]["amendments"], {"diagnoses": diagnoses})
    assert answer.status_code == 202, answer.text
    assert answer.json()["express"] and answer.json()["safety_advice"]["lines"]
    fact = (await intake.said())[-1]
    assert isinstance(fact, ReferralAmended) and fact.lane is Lane.EXPRESS
