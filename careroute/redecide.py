"""After an upgrade or a new policy: decide every open referral again by the present rules, and only raise."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.table import Table

from careroute.local.errors import StackError
from careroute.network import Network
from careroute.policy import commands
from services.matching.db.checks import CARE_ENDED
from services.triage.jobs.redecision import Found, Raised, Redecider
from shared.db import outbox
from shared.db.postgres import Pool, open_pool

SENT_SECONDS: Final = 30
LOOK_SECONDS: Final = 0.1
NAMED: Final = 20


async def run(
    network: Network,
    out: Console,
    *,
    per_second: float,
    dry_run: bool = False,
    everyone: bool = False,
    sent_seconds: float = SENT_SECONDS,
) -> int:
    """0 when every open referral is decided by the present rules, or would be; 1 when a stored case cannot be
    read, and is named."""
    policy = commands.in_force(network)
    triage = await open_pool(network.database("triage"), size=2)
    matching = await open_pool(network.database("matching"), size=1)

    async def care_over(ids: Sequence[UUID]) -> set[UUID]:
        return {row["id"] for row in await matching.fetch(CARE_ENDED, ids)}

    try:
        redecider = Redecider(pool=triage, policy=policy, everyone=everyone, care_over=care_over)
        with out.status("Deciding again ...") as status:
            found = await redecider.survey(
                writes=not dry_run, progress=lambda n: status.update(f"Looked at: {n} ...")
            )
            raised: Sequence[Raised] = found.raised
            if not dry_run:
                total = len(found.raised)
                raised = await redecider.publish(
                    found.raised,
                    per_second=per_second,
                    progress=lambda n: status.update(f"Raised: {n} of {total} ..."),
                    until_sent=lambda: _until_sent(triage, sent_seconds),
                )
    finally:
        await matching.close()
        await triage.close()
    _print(found, raised, out, policy=f"{policy.name} {policy.version} ({policy.digest})", dry_run=dry_run)
    return 1 if found.unreadable else 0


async def _until_sent(triage: Pool, seconds: float) -> None:
    """So that calls leave one by one, and not all at once when a relay that was away comes back."""
    until = time.monotonic() + seconds
    while await triage.fetchval(outbox.ANY_UNSENT):
        if time.monotonic() > until:
            raise StackError(
                f"What triage has decided was not sent for {seconds:g} s. Are triage and Kafka running? "
                "Nothing is lost: start them, then run this again."
            )
        await asyncio.sleep(LOOK_SECONDS)


def _print(found: Found, raised: Sequence[Raised], out: Console, *, policy: str, dry_run: bool) -> None:
    out.print(f"By {policy}:", highlight=False)
    table = Table("what", "rule", "referrals")
    for (what, rule), count in sorted(_counts(raised).items(), key=lambda pair: (-pair[1], pair[0])):
        table.add_row(what, rule, str(count))
    table.add_section()
    table.add_row("would be raised" if dry_run else "raised", "", str(len(raised)))
    table.add_row("unchanged", "", str(found.unchanged + (0 if dry_run else len(found.raised) - len(raised))))
    table.add_row("left alone: care has ended", "", str(found.over))
    if found.unreadable:
        table.add_row("cannot be read", "", str(len(found.unreadable)))
    out.print(table)
    for id_ in found.unreadable[:NAMED]:
        out.print(f"{id_}: its stored case cannot be read by this version; a clinician must look.")


def _counts(raised: Sequence[Raised]) -> Counter[tuple[str, str]]:
    """A referral that two rules raise counts for both."""
    return Counter((_what(one), rule) for one in raised for rule in one.because)


def _what(one: Raised) -> str:
    if one.before is not one.urgency:
        return f"{one.before} -> {one.urgency}"
    return "psychiatrist joins the team" if one.because == ("team",) else "a clinician looks"
