"""Offers, appointments and closures by HTTP."""

from uuid import uuid4

import pytest

from shared.web.auth import Role
from tests.integration.matching.api import Call
from tests.integration.matching.stage import Stage, entry, triaged


async def test_an_offer_from_the_list_to_the_end_of_care(stage: Stage, call: Call) -> None:
    await stage.roster(entry(name="R. Alvarez"))
    fact = triaged()
    await stage.receive(fact)
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
    await stage.receive(fact)
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
    await stage.receive(fact)
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
    await stage.receive(mine, theirs)
    await stage.settle()
    await stage.receive(waiting)
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


async def test_offers_are_read_page_by_page(stage: Stage, call: Call) -> None:
    await stage.roster(entry(places_total=3))
    await stage.receive(triaged(), triaged(), triaged())
    await stage.settle()
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(2):
        path = "/v1/offers?limit=2&state=open" + (f"&cursor={cursor}" if cursor else "")
        page = (await call("GET", path)).json()
        seen += [one["id"] for one in page["offers"]]
        cursor = page["next_cursor"]
    assert (len(set(seen)), seen, cursor) == (3, sorted(seen), None)
