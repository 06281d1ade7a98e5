"""A referral comes in over HTTP: it is stored sealed, announced without identity, and answered usefully."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.intake.api.request_examples import MINIMAL, REFERRAL
from shared.events import ReferralSubmitted
from shared.vocabulary import Lane
from shared.web.auth import Role
from tests.integration.intake.support import Intake, bearer, intake_on, only
from tests.support import NewDatabase


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


async def test_a_referral_is_stored_announced_and_answered(intake: Intake) -> None:
    answer = await intake.call("POST", "/v1/referrals", REFERRAL)
    taken = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/referrals/{taken['id']}" == taken["links"]["self"]
    assert (taken["state"], taken["fhir_status"], taken["revision"]) == ("received", "received", 1)
    fact = only(await intake.said())
    assert isinstance(fact, ReferralSubmitted)
    assert (str(fact.referral_id), fact.clinic, fact.region) == (taken["id"], "clinic-1", "otter")
    assert fact.case.goals == ("sleep", "feel_better")
    assert [(w.criterion, w.values, w.must) for w in fact.case.wishes][:2] == [
        ("language", ("es",), True),
        ("modality", ("cbt", "act"), False),
    ]


async def test_only_name_region_and_consent_are_needed(intake: Intake) -> None:
    taken = await intake.submit(MINIMAL)
    assert {warning["code"] for warning in taken["warnings"]} == {"priority_unknown", "age_unknown"}
    assert not taken["express"] and taken["safety_advice"] is None


async def test_a_safety_item_is_answered_with_advice_and_takes_the_express_lane(intake: Intake) -> None:
    taken = await intake.submit(REFERRAL)
    assert taken["express"]
    assert taken["safety_advice"]["because"] == ["phq9.item9"]
    assert any(line["contact"] == "988" for line in taken["safety_advice"]["lines"])
    assert "risk" not in json.dumps(taken["safety_advice"]).lower()
    assert only(await intake.said()).lane is Lane.EXPRESS


async def test_who_somebody_is_and_what_they_said_is_nowhere_in_clear(intake: Intake) -> None:
    await intake.submit(REFERRAL, Idempotency_Key="key-1")
    dump = ""
    for table in ("referral", "timeline", "idempotency", "outbox"):
        rows = await intake.pool.fetch(f"select * from {table}")
        assert rows
        dump += "".join(repr(dict(row)) for row in rows)
    for planted in ("Alex", "1990-05-17", "555 0100", "alex@example", "Springfield", "she/her", "Sam Sample"):
        assert planted not in dump
    for said in ("sleep through", "choir", "CBT in 2019", "night shifts", "leave no message"):
        assert said not in dump


@pytest.mark.parametrize("keyed", [True, False])
async def test_fifty_at_once(intake: Intake, keyed: bool) -> None:
    """With a key one referral and one answer; without, fifty."""
    more: dict[str, Any] = {"Idempotency_Key": "key-1"} if keyed else {}
    answers = await asyncio.gather(
        *(intake.call("POST", "/v1/referrals", REFERRAL, **more) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} == {202}
    many = 1 if keyed else 50
    assert len({answer.content for answer in answers}) == many
    assert len({answer.headers["location"] for answer in answers}) == many
    assert await intake.count("referral") == await intake.count("outbox") == many


async def test_fifty_at_once_from_two_processes_with_two_bodies(database: NewDatabase) -> None:
    """Whichever is first is taken; the same again is answered the same, the other is a conflict."""
    pool = await database("intake")
    async with intake_on(pool) as one, intake_on(pool) as other:
        calls = [
            (one, other)[number % 2].call(
                "POST", "/v1/referrals", (REFERRAL, MINIMAL)[number % 3 == 0], Idempotency_Key="key-1"
            )
            for number in range(50)
        ]
        answers = await asyncio.gather(*calls)
        assert await one.count("referral") == await one.count("outbox") == 1
    assert {answer.status_code for answer in answers} == {202, 409}
    assert len({answer.content for answer in answers if answer.status_code == 202}) == 1


async def test_a_key_belongs_to_its_clinic_and_to_its_request_however_written(intake: Intake) -> None:
    first = await intake.submit(MINIMAL, Idempotency_Key="key-1")
    reordered = dict(reversed(MINIMAL.items())) | {"payer": None, "problems": []}
    assert (await intake.submit(reordered, Idempotency_Key="key-1"))["id"] == first["id"]
    theirs = await intake.submit(MINIMAL, Idempotency_Key="key-1", clinic="clinic-2")
    assert theirs["id"] != first["id"]
    other = await intake.call(
        "POST", "/v1/referrals", MINIMAL | {"payer": "payer-a"}, Idempotency_Key="key-1"
    )
    assert (other.status_code, other.json()["code"]) == (409, "key_used")


async def test_a_replay_tells_the_first_answer_also_after_the_referral_moved_on(intake: Intake) -> None:
    first = await intake.call("POST", "/v1/referrals", MINIMAL, Idempotency_Key="key-1")
    path = first.headers["location"]
    await intake.call("POST", f"{path}/withdrawal", {"reason": "duplicate"})
    again = await intake.call("POST", "/v1/referrals", MINIMAL, Idempotency_Key="key-1")
    assert (again.content, again.headers["location"]) == (first.content, path)


QUIET: dict[str, Any] = REFERRAL | {
    "screenings": [{"instrument": "phq9", "taken_on": "2025-03-03", "answers": [2, 2, 1, 1, 0, 1, 1, 0, 0]}]
}
"""Nothing on it cannot wait."""


def changed(**changes: Any) -> dict[str, Any]:
    return QUIET | changes


def of_client(**changes: Any) -> dict[str, Any]:
    return changed(client=QUIET["client"] | changes)


MARK = "Zephyrine 555-0173"

REFUSED = [
    ("no name", changed(client={"region": "north"}), {"/client/name"}),
    ("a field nobody knows", changed(nickname=MARK), {"/nickname"}),
    ("a sentence as a field's name", changed(**{MARK: 1}), {"/(unreadable name)"}),
    ("NUL in a name", of_client(name=MARK + "\x00"), {"/client/name"}),
    ("NUL in a note", changed(notes="\x00"), {"/notes"}),
    ("a language of 101 characters", of_client(languages=[MARK * 10]), {"/client/languages/0"}),
    ("a birth date in words", of_client(birth_date=MARK), {"/client/birth_date"}),
    ("born tomorrow week", of_client(birth_date="2999-01-01"), {"/client/birth_date"}),
    ("two distances", changed(preferences=[{"criterion": "distance_km", "values": [5, 6]}]),
     {"/preferences/0/values"}),
    ("an answer out of range and one that is none",
     changed(screenings=[{"instrument": "phq9", "taken_on": "2025-03-03",
                          "answers": [0, 0, 0, 0, 0, 0, 0, 0, 5]},
                         {"instrument": "gad7", "taken_on": "2025-03-03", "answers": [MARK, True]}]),
     {"/screenings/0/answers/8", "/screenings/1/answers/0", "/screenings/1/answers/1"}),
    ("a list", [MARK], {"/"}),
    ("a sentence", MARK, {"/"}),
    ("yes in words", changed(consent={"share_with_network": "yes"}), {"/consent/share_with_network"}),
    ("too long", changed(notes="x" * 20_001), {"/notes"}),
    ("too many", changed(red_flags=["clinician_concern"] * 51), {"/red_flags"}),
    ("an unknown code beside it", changed(problems=[MARK], notes=5), {"/problems/0", "/notes"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "where"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_what_is_wrong_is_named_by_its_place_and_never_quoted(
    intake: Intake, body: Any, where: set[str]
) -> None:
    answer = await intake.call("POST", "/v1/referrals", body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["where"] for error in answer.json()["errors"]} == where
    assert answer.json()["detail"].startswith("NOT taken; nobody has been told.")
    assert "Zephyrine" not in answer.text and "safety_advice" not in answer.json()
    assert await intake.count("referral") == 0


UNKNOWN = [
    ("problems", changed(problems=["depression", MARK, "x"]), {"/problems/1", "/problems/2"}),
    ("a goal", changed(goals=[{"code": MARK}]), {"/goals/0"}),
    ("a flag", changed(red_flags=[MARK]), {"/red_flags/0"}),
    ("a diagnosis", changed(diagnoses=["f33", MARK]), {"/diagnoses/1"}),
    ("a value of a wish",
     changed(preferences=[{"criterion": "setting", "values": ["in_person", MARK]}]),
     {"/preferences/0/values/1"}),
    ("a wish", changed(preferences=[{"criterion": MARK, "values": [1]}]), {"/preferences/0"}),
    ("an instrument",
     changed(screenings=[{"instrument": "horoscope", "taken_on": "2025-03-03", "answers": [1]}]),
     {"/screenings/0"}),
    ("a priority", changed(requested_priority=MARK), {"/requested_priority"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "where"), [u[1:] for u in UNKNOWN], ids=[u[0] for u in UNKNOWN])
async def test_a_code_nobody_knows_is_taken_warned_of_and_kept_sealed(
    intake: Intake, body: Any, where: set[str]
) -> None:
    answer = await intake.call("POST", "/v1/referrals", body)
    assert answer.status_code == 202, answer.text
    assert where <= {warning["where"] for warning in answer.json()["warnings"]}
    (fact,) = await intake.said()
    assert isinstance(fact, ReferralSubmitted) and fact.case.not_understood
    for table in ("referral", "timeline", "outbox"):
        assert "Zephyrine" not in "".join(
            repr(dict(r)) for r in await intake.pool.fetch(f"select * from {table}")
        )
    path = f"{answer.headers['Location']}/identity"
    kept = (await intake.call("GET", path, role=Role.CLINICIAN)).json()["not_understood"]
    assert {each["where"] for each in kept} == where
    assert MARK in json.dumps(kept) or "horoscope" in json.dumps(kept)


BESIDE = [refused for refused in REFUSED if refused[0] not in ("no name", "a list", "a sentence")]


@pytest.mark.parametrize(("body", "where"), [r[1:] for r in BESIDE], ids=[r[0] for r in BESIDE])
async def test_beside_a_flag_that_cannot_wait_it_is_taken_and_warned_of(
    intake: Intake, body: Any, where: set[str]
) -> None:
    flags = [*body["red_flags"], "overdose"]
    answer = await intake.call("POST", "/v1/referrals", body | {"red_flags": flags})
    assert answer.status_code == 202, answer.text
    taken = answer.json()
    assert taken["express"] and taken["safety_advice"]["because"] == ["flag.overdose"]
    assert "Zephyrine" not in answer.text
    (fact,) = await intake.said()
    assert isinstance(fact, ReferralSubmitted) and "overdose" in fact.case.red_flags
    assert "Zephyrine" not in fact.model_dump_json()
    if flags[0] != "clinician_concern":
        warned = tuple(warning["where"] for warning in taken["warnings"])
        assert all(place.startswith(warned) for place in where)


async def test_without_a_name_it_is_refused_with_the_crisis_lines_and_counted(intake: Intake) -> None:
    refused = REGISTRY.get_sample_value
    before = refused("careroute_refused_total", {"signal": "seen"}) or 0
    body = changed(client={"region": "north"}, red_flags=["overdose"])
    answer = await intake.call("POST", "/v1/referrals", body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["detail"].startswith("NOT taken; nobody has been told.")
    assert problem["safety_advice"]["because"] == ["flag.overdose"]
    assert any(line["contact"] == "988" for line in problem["safety_advice"]["lines"])
    assert "is being told" not in answer.text
    assert refused("careroute_refused_total", {"signal": "seen"}) == before + 1
    assert await intake.count("referral") == 0


async def test_a_key_that_is_none_does_not_refuse_what_cannot_wait(intake: Intake) -> None:
    body = changed(red_flags=["overdose"])
    first = await intake.submit(body, Idempotency_Key="two words")
    assert (await intake.submit(body, Idempotency_Key="two words"))["id"] == first["id"]
    other = body | {"notes": "another"}
    again = await intake.call("POST", "/v1/referrals", other, Idempotency_Key="two words")
    assert again.status_code == 409 and again.json()["safety_advice"]["because"] == ["flag.overdose"]


async def test_another_unknown_value_under_the_same_key_is_another_request(intake: Intake) -> None:
    first = await intake.submit(changed(red_flags=["x"]), Idempotency_Key="key-1")
    assert (await intake.submit(changed(red_flags=["x"]), Idempotency_Key="key-1"))["id"] == first["id"]
    other = await intake.call("POST", "/v1/referrals", changed(red_flags=["y"]), Idempotency_Key="key-1")
    assert other.status_code == 409


async def test_an_odd_answer_sheet_is_taken_and_said_back_and_its_safety_item_counts(intake: Intake) -> None:
    sheet = {"instrument": "phq9", "taken_on": "2020-03-03", "answers": [7, *[0] * 7, 1], "stated_total": 9}
    body = REFERRAL | {"screenings": [sheet]}
    answer = await intake.call("POST", "/v1/referrals", body)
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert said["express"] and said["safety_advice"]["because"] == ["phq9.item9"]
    assert {(each["where"], each["code"]) for each in said["warnings"]} == {
        ("/screenings/0/answers/0", "out_of_range"),
        ("/screenings/0/taken_on", "stale"),
        ("/screenings/0/stated_total", "total_differs"),
    }
    (fact,) = await intake.said()
    assert isinstance(fact, ReferralSubmitted)
    assert fact.case.screenings[0].answers == (7, *[0] * 7, 1)
    assert fact.case.as_of == fact.occurred_at.date()


async def test_everything_wrong_is_named_at_once(intake: Intake) -> None:
    sheet = {"instrument": "phq9", "taken_on": "2025-03-03", "answers": [0] * 8 + [7]}
    body = of_client(birth_date="2999-01-01") | {"problems": ["x"], "extra": 1, "screenings": [sheet]}
    answer = await intake.call("POST", "/v1/referrals", body)
    places = {error["where"] for error in answer.json()["errors"]}
    assert places == {"/client/birth_date", "/problems/0", "/extra", "/screenings/0/answers/8"}


BYTES = [
    (b"{", 400),
    (b"", 400),
    (b"\xff\xfe", 400),
    (b"[" * 100_000, 400),
    (b'{"client":{"name":"\\ud800"}}', 422),
    (b'{"notes":"\xed\xa0\x80"}', 422),
    (b"null", 422),
    (b"NaN", 422),
    (b'{"client":' + b"9" * 5000 + b"}", 400),
    (b'{"preferences":[{"criterion":"distance_km","values":[' + b"9" * 4000 + b"]}]}", 422),
]


@pytest.mark.parametrize(("body", "status"), BYTES, ids=range(len(BYTES)))
async def test_bytes_that_are_no_referral_are_never_our_fault(
    intake: Intake, body: bytes, status: int
) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    answer = await intake.http.post("/v1/referrals", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_half_a_surrogate_pair_is_named_by_its_place(intake: Intake) -> None:
    body = json.dumps(of_client(name="x\ud800")).encode()
    headers = bearer() | {"Content-Type": "application/json"}
    answer = await intake.http.post("/v1/referrals", content=body, headers=headers)
    assert [error["where"] for error in answer.json()["errors"]] == ["/client/name"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_another_content_type_is_told_which_ones_are_taken(
    intake: Intake, headers: dict[str, str]
) -> None:
    answer = await intake.http.post("/v1/referrals", content=b"{}", headers=bearer() | headers)
    assert (answer.status_code, answer.headers["accept-post"]) == (415, "application/json")


async def test_a_body_past_the_limit_is_refused(intake: Intake) -> None:
    answer = await intake.call("POST", "/v1/referrals", {"notes": "x" * 1_100_000})
    assert answer.status_code == 413


async def test_a_key_that_is_none_is_refused(intake: Intake) -> None:
    answer = await intake.call("POST", "/v1/referrals", MINIMAL, Idempotency_Key="two words")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "header.Idempotency-Key")


async def test_one_request_too_many_is_asked_to_wait(database: NewDatabase) -> None:
    async with intake_on(await database("intake"), max_under_way=3) as intake:
        answers = await asyncio.gather(
            *(intake.call("POST", "/v1/referrals", MINIMAL) for _ in range(20)),
            intake.call("POST", "/v1/referrals", MINIMAL, clinic="clinic-2"),
        )
        *mine, theirs = answers
        assert {answer.status_code for answer in mine} == {202, 429}
        assert theirs.status_code == 202
        assert all(a.headers["retry-after"] == "1" for a in mine if a.status_code == 429)
        assert (await intake.call("POST", "/v1/referrals", MINIMAL)).status_code == 202


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CLINIC])
async def test_only_clinics_refer(intake: Intake, role: Role) -> None:
    assert (await intake.call("POST", "/v1/referrals", MINIMAL, role=role)).status_code == 403


async def test_nobody_enters_without_a_token(intake: Intake) -> None:
    answer = await intake.http.post("/v1/referrals", json=MINIMAL)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
