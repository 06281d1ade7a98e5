"""Reasons by HTTP: why this therapist, or why nobody yet."""

from uuid import uuid4

from shared.events import Wish
from tests.integration.matching.api import Call
from tests.integration.matching.stage import Stage, entry, triaged


async def test_why_this_therapist(stage: Stage, call: Call) -> None:
    fair, best = await stage.roster(entry(name="Fair"), entry(name="Best", genders=["woman"]))
    fact = triaged(wishes=(Wish(criterion="therapist_gender", values=("woman",)),))
    await stage.receive(fact)
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
    await stage.receive(fact)
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


async def test_a_referral_nobody_knows(call: Call) -> None:
    path = f"/v1/referrals/{uuid4()}"
    assert (await call("GET", f"{path}/explanation")).status_code == 404
    assert (await call("POST", f"{path}/closure", {"reason": "other"})).status_code == 404
    assert (await call("GET", "/v1/referrals/nobody/explanation")).status_code == 422
