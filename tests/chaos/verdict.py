"""What is true at the end: the account of `careroute reconcile`, and what the endpoints saw."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncpg

from careroute.checks import reconcile
from careroute.checks.reconcile import Account
from careroute.local import SERVICES
from shared.events import Topic
from tests.chaos.clients import Client
from tests.chaos.groups import unread
from tests.chaos.poison import Poison
from tests.chaos.town import Town

ASK_AGAIN: Final = 4.0
GRACE: Final = 20.0
NOTHING_MOVES: Final = 30.0
"""Seconds in which nothing changed though everything is read: then it never will."""
ROOT: Final = Path(__file__).parents[2]
STANDS: Final = (
    ("intake", "select state, count(*) from referral group by 1 order by 1"),
    ("triage", "select state, count(*) from referral group by 1 order by 1"),
    (
        "matching",
        "select state || coalesce(' ' || reason, ''), count(*) from referral group by 1 order by 1",
    ),
    ("notify", "select state || ' ' || lane, count(*) from delivery group by 1 order by 1"),
)
STATES: Final = "select id::text, state from referral"
_UNDER_WAY: Final = frozenset({"in_review", "crisis_handover"})
READ_AS: Final = {
    "waiting": _UNDER_WAY | {"triaged", "waitlisted"},
    "held": _UNDER_WAY,
    "offered": _UNDER_WAY | {"offered"},
    "accepted": frozenset({"accepted"}),
}
"""By matching's state, what the clinic may read when nothing is on its way."""
DELIVERED: Final = "select id::text from delivery where state = 'delivered'"


async def settled(town: Town, poison: Poison, say: Callable[[str], None], *, seconds: float) -> Account:
    """The account once nothing has been left lying for `GRACE` seconds, or ever will move; at the deadline,
    as it stands. Notices go on being delivered meanwhile, and what is said of them is on its way."""
    until, since, before, unsent = time.monotonic() + seconds, time.monotonic(), Counter[str](), set[str]()
    while True:
        found = await reconcile.account(town.network, grace_seconds=GRACE)
        left = under_way(found, await poison.expected(), unsent)
        left["unread"] = await unread(poison.servers, without=Topic.NOTIFY_NOTICES)
        unsent = set(found.waiting_to_be_sent)
        if left != before:
            since, before = time.monotonic(), left
            say(f"on their way: {', '.join(f'{count} {what}' for what, count in left.items() if count)}")
        still = time.monotonic() - since
        done = still > GRACE and not left.total()
        never = still > NOTHING_MOVES and not left["unread"]
        if done or never or time.monotonic() > until:
            return found
        await asyncio.sleep(ASK_AGAIN)


def under_way(account: Account, poison: set[str], unsent: set[str]) -> Counter[str]:
    """How much is still to be done, by who has it; `unsent` was so when last asked."""
    behind = Counter(case.rsplit(": ", 1)[-1] for case in account.lost)
    return behind + Counter(
        {
            "not sent": len(unsent.intersection(account.waiting_to_be_sent)),
            "alerts": account.waiting_for_an_answer,
            "poison": len(poison - set(account.parked)),
        }
    )


async def wrong(town: Town, account: Account, poison: Poison, clients: list[Client]) -> list[str]:
    """Each promise that does not hold, with its first cases."""
    found = broken(account, await poison.expected(), clients)
    cases = {
        "delivered, and never seen": await unseen(town),
        "stopped": complaints(town),
        "the clinic reads something else": await misread(town),
    }
    return found + _named(cases)


def broken(account: Account, expected: set[str], clients: list[Client]) -> list[str]:
    taken = [id for client in clients for id in client.taken.values()]
    parked = set(account.parked)
    cases = {
        "lost": account.lost,
        "doubled": account.doubled,
        "double-booked": account.double_booked,
        "unanswered alerts": account.unanswered,
        "alerts without an answer": ["?"] * account.waiting_for_an_answer,
        "parked, and no poison": sorted(parked - expected),
        "poison, and not parked": sorted(expected - parked),
        "a retry got something else": [case for client in clients for case in client.differed],
        "one id for two referrals": [] if len(set(taken)) == len(taken) else ["?"],
        "accepted is not what clinics were told": []
        if account.accepted == len(taken)
        else [f"{account.accepted} and {len(taken)}"],
    }
    return _named(cases)


def _named(cases: dict[str, list[str]]) -> list[str]:
    return [f"{what}: {len(found)}: {found[:5]}" for what, found in cases.items() if found]


async def unseen(town: Town) -> list[str]:
    """Deliveries that notify calls delivered and no endpoint ever saw."""
    delivered = await _ask(town, "notify", DELIVERED)
    seen = {one.body["delivery_id"] for one in town.endpoints.deliveries if one.genuine}
    return [id for (id,) in delivered if id not in seen]


async def misread(town: Town) -> list[str]:
    """Referrals whose clinic is told another state than matching's."""
    matched = {id: state for id, state in await _ask(town, "matching", STATES)}
    return [
        f"{id}: {told}, and is {matched[id]}"
        for id, told in await _ask(town, "intake", STATES)
        if id in matched and told not in READ_AS[matched[id]]
    ]


async def stands(town: Town) -> str:
    """Where referrals and deliveries are."""
    found = {service: await _ask(town, service, query) for service, query in STANDS}
    return "; ".join(
        f"{service}: {', '.join(f'{count} {state}' for state, count in rows)}"
        for service, rows in found.items()
    )


async def _ask(town: Town, service: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(town.network.database(service))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


def complaints(town: Town) -> list[str]:
    """A consumer or a loop that stopped, which the next restart of its service would have hidden."""
    found = []
    for name in SERVICES:
        for line in (town.stack.folder / "logs" / f"{name}.log").read_text(errors="replace").splitlines():
            if '"critical"' in line:
                said = json.loads(line)
                found.append(f"{name}: {said.get('event')}: {line[-1500:]}")
    return found


def printed(town: Town) -> str:
    """What an operator is told."""
    environ = os.environ | {"CAREROUTE_FOLDER": str(town.stack.folder), "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "careroute", "reconcile"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr
