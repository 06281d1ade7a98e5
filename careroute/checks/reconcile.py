"""The promises, checked against the databases; each case that breaks one is named by its id.

Nothing lost, nothing doubled, no place held twice, every alert answered, all services deciding alike.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.table import Table

from careroute import dead
from careroute.checks.acted_on import Databases, connected, not_acted_on, parked_events
from careroute.network import Network
from careroute.policy import commands
from careroute.row_chunks import row_chunks
from services.intake.db import checks as intake
from services.matching.db import checks as matching
from services.notify.db import checks as notify
from services.triage.db import checks as triage
from services.triage.db import redecision
from services.triage.policy.load import PolicyRefused
from shared.db import agreed
from shared.db import checks as events
from shared.db.checks import Check


@dataclass
class Account:
    """What was found; every list names the cases. `by_older_rules` is None where the policy in force is not
    known here."""

    accepted: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    double_booked: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)
    waiting_for_an_answer: int = 0
    waiting_for_an_outcome: int = 0
    waiting_to_be_sent: list[str] = field(default_factory=list)
    by_older_rules: int | None = None

    @property
    def clean(self) -> bool:
        return not self.cases

    @property
    def cases(self) -> list[str]:
        return [
            *self.disagreeing,
            *self.lost,
            *self.doubled,
            *self.double_booked,
            *self.unanswered,
            *self.parked,
        ]


DOUBLED: Final[tuple[tuple[str, Check], ...]] = (
    ("triage", triage.DECIDED_TWICE),
    *(("matching", check) for check in matching.DOUBLED),
    ("notify", notify.NOTIFIED_TWICE),
    *(("intake", check) for check in intake.DOUBLED),
)


async def account(network: Network, *, grace_seconds: float = 60) -> Account:
    """Reads all four databases and the parking places; changes nothing."""
    found = Account()
    async with connected(network) as databases:
        parked = await dead.read_all(network.kafka_settings())
        found.parked = [f"{one.id} ({one.reason})" for one in parked]
        found.accepted = await databases["intake"].fetchval(intake.COUNT)
        found.disagreeing = await disagreeing(databases)
        await _facts(databases, found, parked_events(parked), grace_seconds)
        await _referrals(databases, found, grace_seconds)
        for service, check in DOUBLED:
            found.doubled += await _cases(databases, service, check)
        found.double_booked = await _cases(databases, "matching", matching.DOUBLE_BOOKED)
        found.unanswered = [
            *await _cases(databases, "notify", notify.UNANSWERED),
            *await _cases(databases, "notify", notify.NO_OUTCOME, grace_seconds),
            *await _cases(databases, "triage", triage.OVERDUE_NOT_PUBLISHED, grace_seconds),
        ]
        found.waiting_for_an_answer = await databases["notify"].fetchval(notify.COUNT_OPEN_ALERTS)
        found.waiting_for_an_outcome = await databases["notify"].fetchval(notify.COUNT_AWAITING_OUTCOME)
        found.by_older_rules = await _by_older_rules(network, databases)
    return found


MUST_AGREE: Final = ("intake", "triage")


async def disagreeing(databases: Databases) -> list[str]:
    """Each value that intake and triage, or replicas of one of them, do not share. A service of an older
    version has none; where neither ever ran there is nothing to compare."""
    values: dict[str, dict[str, set[str]]] = {}
    for service in MUST_AGREE:
        if await databases[service].fetchval(agreed.IS_THERE):
            for name, value in await databases[service].fetch(agreed.IN_USE):
                values.setdefault(name, {}).setdefault(service, set()).add(value)
    found: list[str] = []
    for name, by_service in sorted(values.items()):
        used = {service: by_service.get(service, {"nothing"}) for service in MUST_AGREE}
        if len(set().union(*used.values())) > 1:
            said = ", ".join(f"{service} uses {' and '.join(sorted(each))}" for service, each in used.items())
            found.append(f"{name}: {said}; they must be the same")
    return found


async def _by_older_rules(network: Network, databases: Databases) -> int | None:
    try:
        policy = await asyncio.to_thread(commands.in_force, network)
    except PolicyRefused:
        return None
    return await redecision.count(databases["triage"], policy.digest)


async def _cases(databases: Databases, service: str, check: Check, *arguments: object) -> list[str]:
    rows = await databases[service].fetch(check.query, *arguments)
    return [f"{service}: {row[0]}: {check.about}" for row in rows]


async def _facts(databases: Databases, found: Account, parked: dict[str, set[UUID]], grace: float) -> None:
    """Every fact that was sent has been acted on by everyone who must, or is parked."""
    for service, database in databases.items():
        found.waiting_to_be_sent += [
            f"{service}: {row[0]}: not sent yet" for row in await database.fetch(events.UNSENT, grace)
        ]
        found.doubled += [
            f"{service}: {row[0]}: said twice" for row in await database.fetch(events.PUBLISHED_TWICE)
        ]
    async for source, target, event in not_acted_on(databases, parked, grace_seconds=grace):
        found.lost.append(f"{source}: {event}: {target} has not acted on it")


async def _referrals(databases: Databases, found: Account, grace: float) -> None:
    """Every referral is where it must be: known to triage, then to matching; and a crisis to somebody."""
    hops = (
        ("intake", intake.REFERRALS, "triage", triage.BEHIND, "accepted, and triage does not know it"),
        ("triage", triage.DECIDED, "matching", matching.BEHIND, "decided, and matching does not know it"),
        ("triage", triage.CRISES, "notify", notify.NOT_ALERTED, "cannot wait, and nobody was alerted"),
        (
            "triage",
            triage.OVERDUE,
            "notify",
            notify.NO_CLINICIAN_ALERTED,
            "past its time, and no clinician was alerted",
        ),
    )
    for source, query, target, behind, about in hops:
        async with databases[source].transaction():
            async for rows in row_chunks(databases[source], query, grace):
                ids, numbers = [row["id"] for row in rows], [row["revision"] for row in rows]
                found.lost += [
                    f"{source}: {row[0]}: {about}"
                    for row in await databases[target].fetch(behind, ids, numbers)
                ]


def run(network: Network, out: Console, *, grace_seconds: float) -> int:
    """Print the account; 0 when it is clean."""
    found = asyncio.run(account(network, grace_seconds=grace_seconds))
    show(found, out)
    return 0 if found.clean else 1


def show(found: Account, out: Console, *, most: int = 20) -> None:
    """Counts, then each case by name."""
    table = Table("promise", "count", title="reconcile")
    for name, count in (
        ("accepted", found.accepted),
        ("lost", len(found.lost)),
        ("doubled", len(found.doubled)),
        ("double-booked", len(found.double_booked)),
        ("unanswered alerts", len(found.unanswered)),
        ("parked", len(found.parked)),
        ("what services do not agree on", len(found.disagreeing)),
        ("alerts waiting for an answer in time", found.waiting_for_an_answer),
        ("crises waiting for their outcome", found.waiting_for_an_outcome),
        ("facts waiting to be sent", len(found.waiting_to_be_sent)),
        ("open referrals decided by older rules", found.by_older_rules),
    ):
        table.add_row(name, "policy not readable here" if count is None else str(count))
    out.print(table)
    if found.by_older_rules:
        out.print("`careroute redecide` asks the present rules about them.", highlight=False)
    for case in found.cases[:most]:
        out.print(case, highlight=False, markup=False)
