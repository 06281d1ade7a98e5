"""The roster, offers and the waitlist, over HTTP, on a real database."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from careroute.local.keys import Keys
from careroute.tokens import sign
from services.matching.api.therapist_models import EXAMPLE
from shared.events import TherapistChanged, Wish
from shared.vocabulary import Urgency
from shared.web.auth import Role
from tests.integration.matching.api import api
from tests.integration.matching.stage import Stage, entry, triaged
from tests.support import NewDatabase

Call = Callable[..., Awaitable[httpx.Response]]

IMPORT_LIMIT = 20_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


@pytest.fixture
async def stage(database: NewDatabase) -> Stage:
    return Stage(await database("matching"))


@pytest.fixture
def call(stage: Stage, keys: Keys) -> Call:
    app = api(stage, keys, import_limit=IMPORT_LIMIT)

    async def call(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.COORDINATOR,
        clinic: str | None = None,
        csv: str | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        token = sign(
            keys.signing_key, role=role, subject="someone", clinic=clinic, now=datetime.now(UTC), hours=1
        )
        sent = {"Authorization": f"Bearer {token}"} | (
            {"Content-Type": "text/csv"} if csv is not None else {}
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://matching") as client:
            content = csv if csv is None or isinstance(csv, bytes) else csv.encode()
            return await client.request(
                method, path, json=body, content=content, headers=sent | (headers or {})
            )

    return call


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["where"], error["code"]) for error in answer.json()["errors"]]


# ---- the roster -------------------------------------------------------------------------------------


async def test_an_entry_put_is_the_entry_read(stage: Stage, call: Call) -> None:
    id_ = uuid4()
    put = await call("PUT", f"/v1/therapists/{id_}", EXAMPLE)
    assert (put.status_code, put.headers["ETag"]) == (201, '"1"')
    got = await call("GET", f"/v1/therapists/{id_}")
    assert got.json() == put.json() == {**EXAMPLE, "id": str(id_), "version": 1, "places_taken": 0}
    assert len(await stage.said(TherapistChanged)) == 1


async def test_an_entry_is_replaced_only_by_who_has_read_it(call: Call) -> None:
    path = f"/v1/therapists/{uuid4()}"
    await call("PUT", path, EXAMPLE)
    more = {**EXAMPLE, "places_total": 9}
    assert (await call("PUT", path, EXAMPLE)).status_code == 200  # the same again changes nothing
    missing = await call("PUT", path, more)
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    replaced = await call("PUT", path, more, headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
    stale = await call("PUT", path, EXAMPLE, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    anyway = await call("PUT", path, EXAMPLE, headers={"If-Match": "*"})
    assert anyway.json()["version"] == 3
    nobody = await call("PUT", f"/v1/therapists/{uuid4()}", EXAMPLE, headers={"If-Match": '"1"'})
    assert nobody.status_code == 412


async def test_every_fault_of_an_entry_is_named_at_once(call: Call) -> None:
    wrong = {
        **EXAMPLE,
        "name": "two\nlines",
        "region": "no such code!",
        "languages": [],
        "modalities": ["cbt", "talking"],
        "hours": ["mon-24"],
        "places_total": -1,
        "phone": "555-0100",
    }
    answer = await call("PUT", f"/v1/therapists/{uuid4()}", wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert codes(answer) == [
        ("/name", "wrong_shape"),
        ("/region", "wrong_shape"),
        ("/languages", "too_short"),
        ("/modalities/1", "unknown_code"),
        ("/hours/0", "unknown_code"),
        ("/places_total", "greater_than_equal"),
        ("/phone", "unknown_field"),
    ]
    assert "555-0100" not in answer.text and "talking" not in answer.text


async def test_regions_by_telehealth_need_telehealth(call: Call) -> None:
    wrong = {**EXAMPLE, "settings": ["in_person"]}
    answer = await call("PUT", f"/v1/therapists/{uuid4()}", wrong)
    assert answer.json()["errors"][0]["code"] == "settings_missing_telehealth"


async def test_the_roster_is_read_page_by_page(stage: Stage, call: Call) -> None:
    ids = await stage.roster(*(entry() for _ in range(5)), entry(active=False), entry(region="south"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        path = "/v1/therapists?limit=2&region=north&active=true" + (f"&cursor={cursor}" if cursor else "")
        page = (await call("GET", path)).json()
        seen += [one["id"] for one in page["therapists"]]
        cursor = page["next_cursor"]
    assert seen == [str(id_) for id_ in ids[:5]]
    assert cursor is None
    wrong = await call("GET", "/v1/therapists?cursor=elsewhere")
    assert (wrong.status_code, codes(wrong)) == (422, [("query.cursor", "wrong_cursor")])


async def test_who_may_do_what(stage: Stage, call: Call) -> None:
    path = f"/v1/therapists/{uuid4()}"
    assert (await call("PUT", path, EXAMPLE, role=Role.CLINICIAN)).status_code == 403
    assert (await call("GET", "/v1/therapists", role=Role.CLINIC, clinic="clinic-1")).status_code == 403
    assert (await call("GET", path)).status_code == 404
    offer = f"/v1/offers/{uuid4()}/acceptance"
    assert (await call("POST", offer, role=Role.OPS)).status_code == 403
    assert (await call("POST", offer)).status_code == 404


HEADER = "id,name,region,languages,payers,modalities,age_groups,settings,places_total,hours,perinatal"


def line(id_: UUID, **cells: str) -> str:
    boring = {
        "name": "R. Alvarez",
        "region": "north",
        "languages": "en; es",
        "payers": "harbor",
        "modalities": "cbt;act",
        "age_groups": "adult;older",
        "settings": "in_person",
        "places_total": "4",
        "hours": "",
        "perinatal": "",
    }
    return ",".join((str(id_), *(boring | cells).values()))


async def test_an_import_takes_the_good_lines_and_names_every_bad_one(stage: Stage, call: Call) -> None:
    good, quoted = uuid4(), uuid4()
    file = "\n".join(
        (
            "\ufeff" + HEADER,
            line(good, perinatal="yes", hours="mon-09;tue-17"),
            line(uuid4(), languages="", places_total="many", hours="mon-09;mon-25"),
            "",
            line(quoted, name='"Alvarez, R."'),
            line(good),
            "not-an-id," + line(uuid4()).split(",", 1)[1],
            "too,few,cells",
            line(uuid4(), name='"never closed'),
        )
    )
    answer = await call("POST", "/v1/therapists/import", csv=file)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["created"], body["updated"], body["unchanged"]) == (2, 0, 0)
    found = {bad["line"]: [(e["column"], e["code"]) for e in bad["errors"]] for bad in body["rejected"]}
    assert found == {
        3: [("languages", "missing"), ("hours.1", "unknown_code"), ("places_total", "int_parsing")],
        6: [("id", "twice")],
        7: [("id", "uuid")],
        8: [("line", "wrong_number_of_cells")],
        9: [("line", "not_csv")],
    }
    kept = (await call("GET", f"/v1/therapists/{good}")).json()
    assert (kept["languages"], kept["hours"], kept["perinatal"]) == (["en", "es"], ["mon-09", "tue-17"], True)
    assert (await call("GET", f"/v1/therapists/{quoted}")).json()["name"] == "Alvarez, R."
    assert len(await stage.said(TherapistChanged)) == 2


async def test_a_language_is_kept_in_its_canonical_form_and_one_of_several_is_asked_about(call: Call) -> None:
    one, other = uuid4(), uuid4()
    file = "\n".join((HEADER, line(one, languages="spa; ENG;Spanish"), line(other, languages="es;zho")))
    answer = (await call("POST", "/v1/therapists/import", csv=file)).json()
    assert (answer["created"], answer["rejected"]) == (2, [])
    assert [
        (each["line"], [(w["column"], w["code"]) for w in each["warnings"]]) for each in answer["warnings"]
    ] == [(3, [("languages.1", "spoken_language")])]
    kept = (await call("GET", f"/v1/therapists/{one}")).json()
    assert (kept["languages"], "warnings" in kept) == (["en", "es"], False)
    kept = (await call("GET", f"/v1/therapists/{other}")).json()
    assert (kept["languages"], [w["column"] for w in kept["warnings"]]) == (["es", "zh"], ["languages.1"])


async def test_an_entry_of_long_ago_in_a_code_nobody_knows_can_be_read(stage: Stage, call: Call) -> None:
    (id_,) = await stage.roster(entry())
    await stage.pool.execute("""update therapist set entry = jsonb_set(entry, '{languages}', '["xx"]')""")
    answer = await call("GET", f"/v1/therapists/{id_}")
    assert (answer.status_code, answer.json()["languages"]) == (200, ["xx"])


async def test_an_import_sent_twice_changes_nothing_the_second_time(call: Call) -> None:
    ids = [uuid4() for _ in range(30)]
    file = "\n".join((HEADER, *(line(id_) for id_ in ids)))
    first = (await call("POST", "/v1/therapists/import", csv=file)).json()
    again = (await call("POST", "/v1/therapists/import", csv=file, role=Role.OPS)).json()
    changed = file.replace(line(ids[0]), line(ids[0], places_total="5"))
    third = (await call("POST", "/v1/therapists/import", csv=changed)).json()
    assert [(b["created"], b["updated"], b["unchanged"]) for b in (first, again, third)] == [
        (30, 0, 0),
        (0, 0, 30),
        (0, 1, 29),
    ]


@pytest.mark.parametrize(
    ("file", "status", "found"),
    [
        (
            "id,name,nickname,name\n",
            422,
            [
                ("region", "missing_column"),
                ("languages", "missing_column"),
                ("modalities", "missing_column"),
                ("age_groups", "missing_column"),
                ("settings", "missing_column"),
                ("places_total", "missing_column"),
                ("column 3", "unknown_column"),
                ("name", "column_twice"),
            ],
        ),
        (HEADER.encode() + b"\nx\n\xff\xfe\n", 422, [("line 3", "not_utf8")]),
        ("x" * (IMPORT_LIMIT + 1), 413, None),
    ],
)
async def test_files_of_which_nothing_is_taken(
    call: Call, file: str | bytes, status: int, found: list[tuple[str, str]] | None
) -> None:
    answer = await call("POST", "/v1/therapists/import", csv=file)
    assert answer.status_code == status
    assert found is None or codes(answer) == found


async def test_only_csv_is_imported(call: Call) -> None:
    answer = await call("POST", "/v1/therapists/import", {"id": 1})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_csv")


async def test_areas(stage: Stage, call: Call) -> None:
    file = "area,latitude,longitude\nN1,42.36,-71.06\nN2,91,0\nN3,nan,0\nN4,42.1,-71\n"
    answer = (await call("POST", "/v1/areas/import", csv=file)).json()
    assert (answer["changed"], answer["unchanged"]) == (2, 0)
    assert [(b["line"], b["errors"][0]["column"]) for b in answer["rejected"]] == [
        (3, "latitude"),
        (4, "latitude"),
    ]
    again = (await call("POST", "/v1/areas/import", csv=file)).json()
    assert (again["changed"], again["unchanged"]) == (0, 2)


# ---- offers -----------------------------------------------------------------------------------------


async def test_an_offer_from_the_list_to_the_end_of_care(stage: Stage, call: Call) -> None:
    await stage.roster(entry(name="R. Alvarez"))
    fact = triaged()
    await stage.hear(fact)
    await stage.settle()
    (offer,) = (await call("GET", "/v1/offers?state=open")).json()["offers"]
    assert (offer["referral_id"], offer["therapist_name"]) == (str(fact.referral_id), "R. Alvarez")
    accepted = await call("POST", f"/v1/offers/{offer['id']}/acceptance")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (await call("POST", f"/v1/offers/{offer['id']}/acceptance")).json() == accepted.json()
    referral = f"/v1/referrals/{fact.referral_id}"
    booked = await call("POST", f"{referral}/appointment", {"starts_at": "2026-03-03T17:00:00-05:00"})
    assert (booked.json()["state"], booked.json()["appointment_at"]) == ("booked", "2026-03-03T22:00:00Z")
    closed = await call("POST", f"{referral}/closure", {"reason": "completed"})
    assert (closed.json()["state"], closed.json()["closed_reason"]) == ("closed", "completed")
    assert (await call("POST", f"{referral}/closure", {"reason": "other"})).json() == closed.json()
    (ended,) = (await call("GET", f"/v1/offers?referral_id={fact.referral_id}")).json()["offers"]
    assert ended["state"] == "ended"


async def test_a_decline_needs_a_reason_that_is_known(stage: Stage, call: Call) -> None:
    await stage.roster(entry())
    fact = triaged()
    await stage.hear(fact)
    await stage.settle()
    path = f"/v1/offers/{(await stage.open_offer(fact.referral_id)).id}/decline"
    for body in ({}, {"reason": "did not like the name"}, {"reason": "other", "note": "words"}):
        answer = await call("POST", path, body)
        assert answer.status_code == 422
        assert "like the" not in answer.text and "words" not in answer.text
    assert (await call("POST", path, {"reason": "conflict_of_interest"})).json()["state"] == "declined"
    refused = await call("POST", f"{path[:-8]}/acceptance")
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_not_open")
    assert "it is declined" in refused.json()["detail"]


async def test_an_appointment_needs_an_accepted_offer(stage: Stage, call: Call) -> None:
    await stage.roster(entry())
    fact = triaged()
    await stage.hear(fact)
    await stage.settle()
    path, body = f"/v1/referrals/{fact.referral_id}/appointment", {"starts_at": "2026-03-03T17:00:00Z"}
    refused = await call("POST", path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_accepted")
    assert "this referral is offered now" in refused.json()["detail"]


@pytest.mark.parametrize("starts_at", ["2026-03-03T17:00:00", "0001-01-01T00:00:00+14:00", "soon", None])
async def test_a_time_that_is_none_is_refused(stage: Stage, call: Call, starts_at: str | None) -> None:
    answer = await call("POST", f"/v1/referrals/{uuid4()}/appointment", {"starts_at": starts_at})
    assert answer.status_code == 422


async def test_a_clinic_sees_its_own(stage: Stage, call: Call) -> None:
    await stage.roster(entry(places_total=2))
    mine, theirs, waiting = triaged(clinic="clinic-1"), triaged(clinic="clinic-2"), triaged(clinic="clinic-2")
    await stage.hear(mine, theirs)
    await stage.settle()
    await stage.hear(waiting)
    await stage.settle()
    as_clinic = {"role": Role.CLINIC, "clinic": "clinic-1"}
    offers = (await call("GET", "/v1/offers", **as_clinic)).json()["offers"]
    assert [offer["referral_id"] for offer in offers] == [str(mine.referral_id)]
    assert (await call("GET", "/v1/waitlist", **as_clinic)).json()["referrals"] == []
    assert (
        await call("GET", f"/v1/referrals/{theirs.referral_id}/explanation", **as_clinic)
    ).status_code == 404
    other = (await stage.open_offer(theirs.referral_id)).id
    assert (await call("POST", f"/v1/offers/{other}/acceptance", **as_clinic)).status_code == 404
    assert len((await call("GET", "/v1/waitlist")).json()["referrals"]) == 1


# ---- why --------------------------------------------------------------------------------------------


async def test_why_this_therapist(stage: Stage, call: Call) -> None:
    fair, best = await stage.roster(entry(name="Fair"), entry(name="Best", genders=["woman"]))
    fact = triaged(wishes=(Wish(criterion="therapist_gender", values=("woman",)),))
    await stage.hear(fact)
    await stage.settle()
    path = f"/v1/referrals/{fact.referral_id}/explanation"
    why = (await call("GET", path)).json()
    assert (why["state"], why["eligible"], why["considered"]) == ("offered", 2, 2)
    assert why["offer"]["therapist_name"] == "Best"
    scores = {c["criterion"]: (c["score"], c["weight"]) for c in why["offer"]["criteria"]}
    assert scores["therapist_gender"] == (1.0, 2.0)
    (other,) = why["runners_up"]
    assert (other["therapist_name"], other["therapist_id"]) == ("Fair", str(fair))
    assert other["score"] < why["offer"]["score"]
    assert {c["criterion"]: c["score"] for c in other["criteria"]}["therapist_gender"] == 0.0
    assert why["waiting"] is None and why["earlier_offers"] == []
    await stage.decline(await stage.open_offer(fact.referral_id))
    await stage.settle()
    then = (await call("GET", f"{path}?therapist_id={best}")).json()
    assert then["offer"]["therapist_name"] == "Fair"
    assert [(o["therapist_name"], o["reason"]) for o in then["earlier_offers"]] == [
        ("Best", "no_availability")
    ]
    assert then["therapist"]["limits"] == ["declined"]


async def test_why_nobody(stage: Stage, call: Call) -> None:
    (id_,) = await stage.roster(entry(name="Other payer", payers=["state"], places_total=3))
    fact = triaged()
    await stage.hear(fact)
    await stage.settle()
    why = (await call("GET", f"/v1/referrals/{fact.referral_id}/explanation?therapist_id={id_}")).json()
    assert why["offer"] is None
    assert (why["waiting"]["reason"], why["waiting"]["eligible"]) == ("no_eligible_therapist", 0)
    assert why["waiting"]["relaxations"] == [{"limit": "payer", "opens": 1}]
    assert why["waiting"]["why"].endswith("Giving up `payer` alone would open 1.")
    assert why["therapist"] == {
        "therapist_id": str(id_),
        "therapist_name": "Other payer",
        "eligible": False,
        "limits": ["payer"],
        "free_places": 3,
    }


async def test_the_waitlist_is_in_order_and_read_page_by_page(stage: Stage, call: Call) -> None:
    old, new = triaged(ago=timedelta(days=3)), triaged()
    urgent = triaged(urgency=Urgency.URGENT)
    await stage.hear(new, old, urgent)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        path = "/v1/waitlist?limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = (await call("GET", path)).json()
        seen += [one["referral_id"] for one in page["referrals"]]
        cursor = page["next_cursor"]
    assert seen == [str(f.referral_id) for f in (urgent, old, new)]
    assert cursor is None
    assert page["referrals"][0]["reason"] == "to_be_matched"
    for wrong, code in (("cursor", "wrong_cursor"), ("after", "renamed")):
        answer = await call("GET", f"/v1/waitlist?{wrong}=elsewhere")
        assert (answer.status_code, codes(answer)) == (422, [(f"query.{wrong}", code)])


async def test_offers_are_read_page_by_page(stage: Stage, call: Call) -> None:
    await stage.roster(entry(places_total=3))
    await stage.hear(triaged(), triaged(), triaged())
    await stage.settle()
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(2):
        path = "/v1/offers?limit=2&state=open" + (f"&cursor={cursor}" if cursor else "")
        page = (await call("GET", path)).json()
        seen += [one["id"] for one in page["offers"]]
        cursor = page["next_cursor"]
    assert (len(set(seen)), seen, cursor) == (3, sorted(seen), None)


async def test_a_referral_nobody_knows(call: Call) -> None:
    path = f"/v1/referrals/{uuid4()}"
    assert (await call("GET", f"{path}/explanation")).status_code == 404
    assert (await call("POST", f"{path}/closure", {"reason": "other"})).status_code == 404
    assert (await call("GET", "/v1/referrals/nobody/explanation")).status_code == 422
