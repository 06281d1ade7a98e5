"""One referral, from the clinic's door to a person."""

from typing import Any

from shared.web.auth import Role
from tests.journey.conftest import Town
from tests.journey.town import YESTERDAY, crisis, phq9, referral
from tests.support import eventually


async def test_a_routine_referral_is_offered_a_therapist_and_its_clinic_is_told(town: Town) -> None:
    taken = await town.submit(referral())
    assert taken["state"] == "received" and not taken["safety_advice"]
    await town.is_in(taken["id"], "offered")

    async def heard_of_all() -> Any:
        """Intake hears triage and matching over different topics, in either order."""
        seen = await town.referral(taken["id"])
        types = [entry["type"] for entry in seen["timeline"]]
        return seen if {"ReferralTriaged", "MatchProposed"} <= set(types) else None

    seen = await eventually(heard_of_all)
    assert seen["urgency"] == "routine" and seen["state"] == "offered"
    types = [entry["type"] for entry in seen["timeline"] if not entry["type"].startswith("Notice")]
    assert types == ["ReferralSubmitted", "ReferralTriaged", "MatchProposed"]

    async def clinic_told() -> set[str]:
        about = {one.body["about"] for one in town.told(taken["id"], "clinic-1-desk")}
        return about if {"ReferralTriaged", "MatchProposed"} <= about else set()

    await eventually(clinic_told, what="telling the clinic")
    assert all(one.genuine for one in town.told(taken["id"]))


async def test_a_crisis_calls_the_psychiatrist_until_somebody_acknowledges(town: Town) -> None:
    taken = await town.submit(crisis())
    assert taken["express"] and taken["safety_advice"]["text"]

    async def called() -> object:
        return [one for one in town.told(taken["id"], "psychiatrist-north-1") if one.body["type"] == "alert"]

    await eventually(called, what="calling the psychiatrist")
    seen = await town.is_in(taken["id"], "crisis_handover")
    assert seen["urgency"] in ("emergency", "very_urgent")
    (alert, *_) = [one for one in town.told(taken["id"]) if one.recipient == "psychiatrist-north-1"]
    notice = alert.body["notice_id"]
    assert alert.body["acknowledge_url"].endswith(f"/v1/notices/{notice}/acknowledgement")
    answer = await town.api.post(
        "notify", f"/v1/notices/{notice}/acknowledgement", role=Role.ONCALL, subject="psychiatrist-1"
    )
    assert answer["acknowledged_by"] == "psychiatrist-1"

    async def known() -> bool:
        entries = (await town.referral(taken["id"]))["timeline"]
        return any(entry["type"] == "NoticeAcknowledged" for entry in entries)

    await eventually(known, what="intake hearing of the acknowledgement")
    outcome = await town.api.post(
        "notify",
        f"/v1/notices/{notice}/outcome",
        {"outcome": "reached"},
        role=Role.ONCALL,
        subject="psychiatrist-1",
    )
    assert (outcome["outcome_by"], outcome["called_again"]) == ("psychiatrist-1", False)


async def test_self_harm_in_a_diagnosis_calls_the_psychiatrist_though_every_answer_is_zero(
    town: Town,
) -> None:
    calm = [phq9(0, 0, 0, 0, 0, 0, 0, 0, 0)]
    taken = await town.submit(referral(diagnoses=["T39.1X2A"], screenings=calm))
    assert taken["express"] and taken["safety_advice"]["because"] == ["diagnosis.self_harm"]

    async def called() -> object:
        return [one for one in town.told(taken["id"], "psychiatrist-north-1") if one.body["type"] == "alert"]

    await eventually(called, what="calling the psychiatrist")


async def test_a_low_total_never_hides_a_positive_safety_item(town: Town) -> None:
    taken = await town.submit(referral(screenings=[phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)]))
    assert taken["safety_advice"]

    async def triaged() -> str | None:
        urgency: str | None = (await town.referral(taken["id"]))["urgency"]
        return urgency

    assert await eventually(triaged) in ("urgent", "very_urgent", "emergency")


async def test_a_priority_nobody_knows_is_reviewed_and_never_routine(town: Town) -> None:
    taken = await town.submit(referral(requested_priority="soonish"))
    assert any(warning["where"] == "/requested_priority" for warning in taken["warnings"])

    async def reviewed() -> bool:
        return bool(town.told(taken["id"], "clinician-north"))

    await eventually(reviewed, what="telling the clinician")
    assert (await town.referral(taken["id"]))["urgency"] not in ("routine", "preventive")


async def test_a_worse_screening_later_raises_and_takes_the_express_lane(town: Town) -> None:
    taken = await town.submit(referral())
    await town.is_in(taken["id"], "offered")
    worse = {"instrument": "cssrs", "taken_on": YESTERDAY, "answers": [1, 1, 1, 1, 0, 0, None]}
    answer = await town.api.post(
        "intake",
        f"/v1/referrals/{taken['id']}/screenings",
        {"screenings": [worse]},
        role=Role.CLINIC,
        clinic="clinic-1",
    )
    assert answer["express"] and answer["revision"] == 2

    async def called() -> object:
        return [one for one in town.told(taken["id"]) if one.body["type"] == "alert"]

    await eventually(called, what="calling somebody")


async def test_a_withdrawal_frees_the_place(town: Town) -> None:
    taken = await town.submit(referral())
    await town.is_in(taken["id"], "offered")
    await town.api.post(
        "intake",
        f"/v1/referrals/{taken['id']}/withdrawal",
        {"reason": "found_other_care"},
        role=Role.CLINIC,
        clinic="clinic-1",
    )
    await town.is_in(taken["id"], "withdrawn")

    async def closed() -> bool:
        answer = await town.api.get(
            "matching", f"/v1/referrals/{taken['id']}/explanation", role=Role.COORDINATOR
        )
        return bool(answer["state"] == "closed" and answer["offer"] is None)

    await eventually(closed, what="freeing the place")


async def test_at_the_end_nothing_is_lost_or_doubled(town: Town) -> None:
    found = await town.account()
    assert found.accepted >= 5
    assert (found.lost, found.doubled, found.double_booked, found.parked) == ([], [], [], [])
    assert found.disagreeing == []
