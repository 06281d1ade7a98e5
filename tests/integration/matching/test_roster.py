"""The roster by HTTP, one entry at a time."""

from uuid import uuid4

from services.matching.api.therapist_models import EXAMPLE
from shared.events import TherapistChanged
from shared.web.auth import Role
from tests.integration.matching.api import Call, codes
from tests.integration.matching.stage import Stage, entry


async def test_an_entry_put_is_the_entry_read(stage: Stage, call: Call) -> None:
    id_ = uuid4()
    put = await call("PUT", f"/v1/therapists/{id_}", EXAMPLE)
    assert (put.status_code, put.headers["ETag"]) == (201, '"1"')
    got = await call("GET", f"/v1/therapists/{id_}")
    assert got.json() == put.json() == {**EXAMPLE, "id": str(id_), "version": 1, "places_taken": 0}
    assert len(await stage.published(TherapistChanged)) == 1


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
