"""What happened to each referral: how soon and why, who takes it and why, who was told and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from careroute.checks.reconcile import Account
from careroute.client import Api
from careroute.demo.endpoints import Delivery, Endpoints
from careroute.demo.people import People
from shared.vocabulary import Urgency
from shared.web.auth import Role

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
    placed_after: float | None

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
        placed_after=_seconds(seen["timeline"], "ReferralSubmitted", "MatchAccepted"),
    )


def _seconds(timeline: Iterable[dict[str, Any]], start: str, end: str) -> float | None:
    """Between the first entries of two types."""
    at: dict[str, datetime] = {}
    for entry in timeline:
        at.setdefault(entry["type"], datetime.fromisoformat(entry["at"]))
    return (at[end] - at[start]).total_seconds() if start in at and end in at else None


def _why(timeline: Iterable[dict[str, Any]]) -> str:
    """The rules behind the first decision, each with the datum that fired it."""
    reasons: list[dict[str, str]] = next((entry["reasons"] for entry in timeline if entry["reasons"]), [])
    told = [
        f"{reason['rule']} ({reason['datum']})" if reason["datum"] else reason["rule"] for reason in reasons
    ]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _who(explanation: dict[str, Any]) -> str:
    offer = explanation.get("offer")
    if offer:
        best = sorted(offer["criteria"], key=lambda one: -one["score"] * one["weight"])[:3]
        fits = ", ".join(one["criterion"] for one in best if one["score"] * one["weight"] > 0)
        return f"{offer['therapist_name']}, for {fits}"
    waiting = explanation.get("waiting")
    return f"nobody yet. {waiting['why']}" if waiting else ""


def show(stories: list[Story], people: People, endpoints: Endpoints, out: Console) -> None:
    """A few lines for each referral, the most urgent first, then the sums."""
    order = list(Urgency)
    for story in sorted(stories, key=lambda one: order.index(Urgency(one.urgency or "emergency"))):
        _show(story, out)
    forged = sum(not one.genuine for one in endpoints.deliveries)
    out.print(
        f"\n{len(endpoints.deliveries)} webhooks, {forged} with a bad signature; "
        f"{people.acknowledged} alerts acknowledged, {people.outcomes} outcomes of crises recorded, "
        f"{people.reviewed} reviews settled, "
        f"{people.accepted} offers accepted, {people.declined} declined and passed on."
    )


def _show(story: Story, out: Console) -> None:
    colour = COLOURS.get(story.urgency or "", "cyan")
    urgency = (story.urgency or "not triaged").replace("_", " ")
    out.print(
        f"\n[bold]{escape(story.title)}[/bold]  [{colour}]{urgency}[/]  {story.state.replace('_', ' ')}"
    )
    took = f", who accepted after {story.placed_after:.1f} s" if story.placed_after is not None else ""
    told = ", ".join(sorted({one.recipient for one in story.told}))
    called = f"; first called after {story.alerted_after:.2f} s" if story.alerted_after is not None else ""
    for name, text in (
        ("why", story.why),
        ("therapist", story.therapist + took),
        ("told", told + called),
    ):
        out.print(Padding(f"[dim]{name}[/dim] {escape(text)}", (0, 0, 0, 2)), highlight=False)


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
