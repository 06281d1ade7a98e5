"""A made-up town of two regions, and the referrals that its clinics write."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from shared.ids import now
from shared.web.auth import Role

REGIONS = ("north", "south")
CLINICS = ("clinic-1", "clinic-2")
MODALITIES = ["talk_therapy", "cbt", "dbt", "act", "emdr", "cpt", "psychodynamic", "counselling"]
MODALITIES += ["guided_self_help", "group_cbt", "psychoeducation_group", "family_therapy", "ipt"]


async def load(api: Api, endpoints: Endpoints) -> None:
    """Forty therapists with room, two psychiatrists and a clinician in each region, two clinics."""
    for number in range(1, 41):
        await api.put(
            "matching", f"/v1/therapists/{UUID(int=number)}", therapist(number), role=Role.COORDINATOR
        )
    for person in people():
        body = {name: value for name, value in person.items() if name != "id"} | {
            "channels": [{"kind": "webhook", "url": endpoints.url(person["id"]), "secret": endpoints.secret}]
        }
        await api.put("notify", f"/v1/recipients/{person['id']}", body, role=Role.OPS)
    for region in REGIONS:
        rota = {"fallback": [f"psychiatrist-{region}-1", f"psychiatrist-{region}-2", f"clinician-{region}"]}
        await api.put("notify", f"/v1/rota/{region}", rota, role=Role.OPS)


def therapist(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"Therapist {number}",
        "region": REGIONS[number % 2],
        "languages": ["en", "es"] if number % 4 == 0 else ["en"],
        "works_with_interpreter": number % 5 == 0,
        "payers": ["payer-a", "payer-b"],
        "modalities": MODALITIES,
        "age_groups": ["child", "adolescent", "adult", "older"],
        "perinatal": True,
        "genders": ["woman" if number % 2 else "man"],
        "settings": ["in_person", "telehealth"],
        "hours": [f"{day}-{hour:02d}" for day in ("mon", "tue", "wed", "thu") for hour in range(9, 19)],
        "places_total": 200,
    } | changes


def people() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for region in REGIONS:
        for order in (1, 2):
            found.append(
                {"id": f"psychiatrist-{region}-{order}", "audience": "psychiatrist", "regions": [region]}
            )
        found.append({"id": f"clinician-{region}", "audience": "clinician", "regions": [region]})
    for clinic in CLINICS:
        found.append({"id": f"{clinic}-desk", "audience": "clinic", "clinic": clinic})
        found.append({"id": f"{clinic}-primary-care", "audience": "primary_care", "clinic": clinic})
    for audience in ("coordinator", "ops", "therapist"):
        found.append({"id": audience, "audience": audience, "regions": list(REGIONS)})
    return found


YESTERDAY = (now() - timedelta(days=1)).date().isoformat()


def referral(**changes: Any) -> dict[str, Any]:
    """An adult with mild low mood, no safety item, everything assessed: routine."""
    return {
        "client": {
            "name": "Alex Example",
            "region": "north",
            "birth_date": "1990-05-17",
            "languages": ["en"],
            "contact": {"phone": "555-0100"},
        },
        "consent": {"share_with_network": True, "version": "2026-01"},
        "problems": ["depression"],
        "screenings": [phq9(1, 1, 1, 1, 1, 0, 0, 0, 0)],
        "requested_priority": "routine",
        "payer": "payer-a",
    } | changes


def phq9(*answers: Any, **more: Any) -> dict[str, Any]:
    return {"instrument": "phq9", "taken_on": YESTERDAY, "answers": list(answers), **more}


def crisis(**changes: Any) -> dict[str, Any]:
    """A plan and intent on the C-SSRS screener."""
    sheet = {"instrument": "cssrs", "taken_on": YESTERDAY, "answers": [1, 1, 1, 1, 1, 0, None]}
    return referral(screenings=[sheet], requested_priority="stat", **changes)
