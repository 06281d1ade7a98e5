"""`careroute policy overrides`: what clinicians made of each rule, by version of the policy."""

from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from careroute.calling import calling, require
from careroute.network import Network
from shared.web.auth import Role

Json = dict[str, Any]

DECIDED = ("confirmed", "raised", "lowered", "returned")


def run(network: Network, since: datetime, out: Console) -> None:
    with calling(network, "triage", Role.COORDINATOR) as client:
        answer = require(client.get("/v1/rules/overrides", params={"since": since.isoformat()}))
    if not answer["rules"]:
        out.print("No rule has fired since then.")
    for (policy, version), rates in groupby(
        answer["rules"], key=lambda rate: (rate["policy"], rate["policy_version"])
    ):
        out.print(table(f"{policy}, version {version}", list(rates)))


def table(title: str, rates: list[Json]) -> Table:
    """`changed` is the share of the decisions that were not a confirmation."""
    made = Table("rule", "fired", *DECIDED, "asked", "changed", title=title)
    for rate in rates:
        counts = [str(rate[name]) for name in ("fired", *DECIDED, "asked")]
        made.add_row(rate["rule"], *counts, changed(rate))
    return made


def changed(rate: Json) -> str:
    """Nothing where nobody has decided yet."""
    decided = sum(rate[name] for name in DECIDED)
    return f"{1 - rate['confirmed'] / decided:.0%}" if decided else ""
