"""`careroute reviews`: what waits for a clinician, who has taken what, and until when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from careroute.calling import calling, require
from careroute.network import Network
from shared.web.auth import Role

Json = dict[str, Any]


def run(network: Network, out: Console) -> int:
    """Prints the queue, the earliest deadline first; 1 when something in it is overdue."""
    with calling(network, "triage", Role.COORDINATOR) as client:
        found = list(_all(client))
    if not found:
        out.print("Nothing waits for a clinician.")
        return 0
    out.print(table(found))
    overdue = sum(review["overdue"] for review in found)
    held = sum(review["claimed_by"] is not None for review in found)
    out.print(f"{len(found)} wait, {overdue} of them past their time; {held} are held by somebody.")
    return 1 if overdue else 0


def table(reviews: list[Json]) -> Table:
    made = Table("referral", "urgency", "review by", "held by", "until", "why")
    for review in reviews:
        made.add_row(
            review["referral_id"],
            review["urgency"].replace("_", " "),
            _at(review["review_by"]) + (" overdue" if review["overdue"] else ""),
            review["claimed_by"] or "",
            _at(review["claimed_until"]) if review["claimed_until"] else "",
            _why(review),
            style="red" if review["overdue"] else None,
        )
    return made


def _all(client: httpx.Client) -> Iterator[Json]:
    query = {"limit": "500", "waits_for": "all"}
    while True:
        page = require(client.get("/v1/reviews", params=query))
        yield from page["reviews"]
        if not page["next_cursor"]:
            return
        query["cursor"] = page["next_cursor"]


def _why(review: Json) -> str:
    if review["asked"]:
        return f"the referrer was asked: {', '.join(review['asked']['codes'])}"
    return ", ".join(dict.fromkeys(reason["rule"] for reason in review["reasons"]))


def _at(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%F %H:%M}Z"
