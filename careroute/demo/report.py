"""What happened to each referral: how soon and why, who takes it and why, who was told and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from careroute.client import Api
from careroute.demo.endpoints import Delivery, Endpoints
from careroute.demo.people import People
from careroute.reconcile import Account
from shared.auth import Role
from shared.vocabulary import Urgency

COLOURS: Final = {"emergency": "bold red", "very_urgent": "red", "urgent": "yellow"}
DONE: Final = frozenset({"accepted", "booked", "waitlisted", "returned", "withdrawn", "closed"})
MUST_BE_ANSWERED: Final = (Urgency.EMERGENCY, Urgency.VERY_URGENT)


@dataclass(frozen=True)
class Story:
    """One referral, from its clinic's door to its end here. `told` are the webhooks about it."""

    referral_id: str
    title: str
    expected: str
    state: str
    urgency: str | None
    why: str
    therapist: str
    told: list[Delivery]
    submitted_at: float

    @property
    def alerted_after(self) -> float | None:
        """Seconds from submission to the first call of somebody who must answer."""
        alerts = [one.at for one in self.told if one.body["type"] == "alert"]
        return min(alerts) - self.submitted_at if alerts else None


async def stories(api: Api, referrals: list[dict[str, Any]], endpoints: Endpoints) -> list[Story]:
    """Asks intake and matching about each."""
    told: dict[str, list[Delivery]] = {}
    for delivery in endpoints.deliveries:
        told.setdefault(delivery.body["referral_id"], []).append(delivery)
    return [await _story(api, referral, told.get(referral["id"], [])) for referral in referrals]


async def _story(api: Api, referral: dict[str, Any], told: list[Delivery]) -> Story:
    seen = await api.get("intake", f"/v1/referrals/{referral['id']}", role=Role.COORDINATOR)
    answer = await api.call(
        "GET", "matching", f"/v1/referrals/{referral['id']}/explanation", role=Role.COORDINATOR
    )
    return Story(
        referral_id=referral["id"],
        title=referral["scenario"]["title"],
        expected=referral["scenario"]["expect_at_least"],
        state=seen["state"],
        urgency=seen["urgency"],
        why=_why(seen["timeline"]),
        therapist=_who(answer.json()) if answer.is_success else "",
        told=told,
        submitted_at=referral["at"],
    )


def _why(timeline: Iterable[dict[str, Any]]) -> str:
    decided = [entry for entry in timeline if entry["type"] == "ReferralTriaged" and entry["reasons"]]
    return ", ".join(reason["rule"] for reason in decided[0]["reasons"][:3]) if decided else ""


def _who(explanation: dict[str, Any]) -> str:
    offer = explanation.get("offer")
    if offer:
        best = sorted(offer["criteria"], key=lambda one: -one["score"] * one["weight"])[:3]
        fits = ", ".join(one["criterion"] for one in best if one["score"] * one["weight"] > 0)
        return f"{offer['therapist_name']} ({fits})"
    waiting = explanation.get("waiting")
    return f"nobody yet. {waiting['why']}" if waiting else ""


def show(stories: list[Story], people: People, endpoints: Endpoints, out: Console) -> None:
    """A line for each referral, then the sums."""
    table = Table("referral", "urgency", "because of", "state", "therapist, and what fits", "told", "alerted")
    for story in stories:
        after = story.alerted_after
        table.add_row(
            story.title,
            f"[{COLOURS.get(story.urgency or '', 'default')}]{story.urgency}[/]",
            story.why,
            story.state,
            story.therapist,
            str(len({one.recipient for one in story.told})),
            f"{after:.2f} s" if after is not None else "",
        )
    out.print(table)
    forged = sum(not one.genuine for one in endpoints.deliveries)
    out.print(
        f"{len(endpoints.deliveries)} webhooks, {forged} with a bad signature; "
        f"{people.acknowledged} alerts acknowledged, {people.reviewed} reviews settled, "
        f"{people.accepted} offers accepted, {people.declined} declined and passed on."
    )


def problems(stories: Iterable[Story], found: Account, endpoints: Endpoints) -> list[str]:
    """Everything that did not go as promised, each with the referral's id."""
    wrong = []
    order = list(Urgency)
    for story in stories:
        name = f"{story.referral_id} ({story.title})"
        if story.state not in DONE:
            wrong.append(f"{name} is stuck: {story.state}")
        if story.urgency is None or order.index(Urgency(story.urgency)) > order.index(
            Urgency(story.expected)
        ):
            wrong.append(f"{name} is {story.urgency}, and must be {story.expected} at least")
        if story.urgency in MUST_BE_ANSWERED and story.alerted_after is None:
            wrong.append(f"{name} cannot wait, and nobody was called")
        if not story.told:
            wrong.append(f"{name}: nobody was told anything")
    if found.waiting_for_an_answer:
        wrong.append(f"{found.waiting_for_an_answer} alerts have no answer")
    if found.waiting_to_be_sent:
        wrong.append(f"{len(found.waiting_to_be_sent)} facts were not sent")
    wrong += [
        f"a webhook to {one.recipient} was not genuine" for one in endpoints.deliveries if not one.genuine
    ]
    return wrong
