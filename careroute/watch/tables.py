"""Referrals as people read them in a terminal. Ids and codes, nobody's name."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from shared.vocabulary import Urgency

Json = Mapping[str, Any]

TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

COLOURS: Final[Mapping[str, str]] = {
    Urgency.EMERGENCY: "bold red",
    Urgency.VERY_URGENT: "red",
    Urgency.URGENT: "yellow",
}
RULES_SHOWN: Final = 3
DETAILS: Final = (
    "urgency",
    "level_of_care",
    "therapist_id",
    "audience",
    "recipient",
    "about",
    "reason",
    "next_step",
    "respond_by",
    "review_by",
    "expires_at",
    "try_again_by",
    "starts_at",
    "by",
)
"""What is shown of a fact, in this order."""


def standings(referrals: Iterable[Json], *, most: int, wide: bool = True, note: str = "") -> RenderableType:
    """The last changed first, at most so many; below them how many there are in each state. What is not
    wide fits into 80 columns with its ids whole."""
    ordered = sorted(referrals, key=lambda one: moment(one["updated_at"]), reverse=True)
    names = ("referral", "state", "urgency", "due by", *(("clinic", "region", "changed") if wide else ()))
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None, pad_edge=False)
    for one in ordered[:most]:
        first = (one["id"], one["state"], _urgency(one.get("urgency")), at(one.get("due_by")))
        rest = (escape(one["clinic"]), escape(one["region"]), at(one["updated_at"]))
        table.add_row(*first, *(rest if wide else ()))
    counts = Counter(one["state"] for one in ordered)
    sums = ", ".join(f"{count} {state}" for state, count in counts.most_common()) or "no referral yet"
    return Group(table, Text(f"{len(ordered)} of the last day: {sums}"), Text(note, style="yellow"))


def story(referral_id: str, stands: Json, entries: Sequence[Json], *, note: str = "") -> RenderableType:
    """One referral: what became known of it, in the order of time, and where it stands."""
    table = Table(Column("at", no_wrap=True), "what", "because of", "more", box=SIMPLE_HEAD)
    for entry in sorted(entries, key=lambda one: (moment(one["at"]), one["event_id"])):
        table.add_row(at(entry["at"], seconds=True), escape(entry["what"]), _because(entry), _more(entry))
    due = f", due by {at(stands['due_by'])}" if stands.get("due_by") else ""
    state = Text.assemble(
        f"{referral_id}: {stands.get('state', 'not known yet')}, ",
        Text.from_markup(_urgency(stands.get("urgency"))),
        due,
    )
    return Group(table, state, Text(note, style="yellow"))


def _because(entry: Json) -> str:
    reasons = [f"{one['rule']} ({one['datum']})" for one in entry.get("reasons", ())]
    more = f" and {len(reasons) - RULES_SHOWN} more" if len(reasons) > RULES_SHOWN else ""
    return escape(", ".join(reasons[:RULES_SHOWN]) + more)


def _more(entry: Json) -> str:
    details = entry.get("details", {})
    return escape(", ".join(f"{name} {_value(details[name])}" for name in DETAILS if details.get(name)))


def _value(value: Any) -> str:
    text = str(value)
    return at(text) if TIME.match(text) else text


def _urgency(urgency: str | None) -> str:
    if urgency is None:
        return "not triaged yet"
    colour = COLOURS.get(urgency)
    return f"[{colour}]{urgency}[/]" if colour else escape(urgency)


def at(text: str | None, *, seconds: bool = False) -> str:
    """In the reader's own time zone."""
    return format(moment(text).astimezone(), "%b %d %H:%M:%S" if seconds else "%b %d %H:%M") if text else ""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
