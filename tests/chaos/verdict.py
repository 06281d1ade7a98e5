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

from careroute import reconcile
from careroute.local import SERVICES
from careroute.reconcile import Account
from tests.chaos.clients import Client
from tests.chaos.poison import Poison
from tests.chaos.town import Town

SAY_EVERY: Final = 10.0
ROOT: Final = Path(__file__).parents[2]
DELIVERED: Final = "select id::text from delivery where state = 'delivered'"


async def settled(town: Town, poison: Poison, say: Callable[[str], None], *, seconds: float) -> Account:
    """The account once nothing is on its way any more; at the deadline, as it stands."""
    until, told = time.monotonic() + seconds, 0.0
    while True:
        found = await reconcile.account(town.network, grace_seconds=0)
        left = under_way(found, await poison.expected())
        if not any(left.values()) or time.monotonic() > until:
            return found
        if time.monotonic() > told + SAY_EVERY:
            told = time.monotonic()
            say(f"on their way: {', '.join(f'{count} {what}' for what, count in left.items() if count)}")
        await asyncio.sleep(1)


def under_way(account: Account, poison: set[str]) -> Counter[str]:
    """How much is still to be done, by who has it."""
    behind = Counter(case.rsplit(": ", 1)[-1] for case in account.lost)
    return behind + Counter(
        {
            "not sent": len(account.waiting_to_be_sent),
            "alerts": account.waiting_for_an_answer,
            "poison": len(poison - set(account.parked)),
        }
    )


async def wrong(town: Town, account: Account, poison: Poison, clients: list[Client]) -> list[str]:
    """Each promise that does not hold, with its first cases."""
    found = broken(account, await poison.expected(), clients)
    cases = {"delivered, and never seen": await unseen(town), "stopped": complaints(town)}
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
        "never sent": account.waiting_to_be_sent,
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
    seen = {one.body["delivery_id"] for one in town.endpoints.deliveries if one.genuine}
    connection = await asyncpg.connect(town.network.database("notify"))
    try:
        rows = await connection.fetch(DELIVERED)
    finally:
        await connection.close()
    return [row[0] for row in rows if row[0] not in seen]


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
