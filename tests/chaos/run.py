"""One run: referrals come in while a plan of faults is carried out; then it settles and is accounted for."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from careroute.checks.reconcile import Account
from tests.chaos import operators, verdict
from tests.chaos.background import Background
from tests.chaos.chaos import Chaos
from tests.chaos.clients import Client, clinics
from tests.chaos.doors import Broken
from tests.chaos.plan import Kind, clocks, plan
from tests.chaos.poison import Poison
from tests.chaos.town import NODES, Roads, Town, town

A_SECOND: Final = 60
"""Referrals that clinics try to bring in, so that there is work in hand whenever something breaks."""
AT_LEAST: Final = 50.0


@dataclass(frozen=True)
class Ran:
    """`wrong` names every promise that was broken; `met` are the faults there were."""

    account: Account
    wrong: list[str]
    met: set[Kind]
    printed: str


def run(
    roads: Roads,
    background: Background,
    *,
    seed: int,
    referrals: int,
    patience: float,
    broken: Broken | None = None,
) -> Ran:
    """`patience` are the seconds it may take to settle once the last fault is over."""
    with town(roads, background, clocks=clocks(seed), broken=broken) as here, _people(here) as therapists:
        clients = clinics(here.api, seed, referrals)
        chaos = Chaos(here, Poison(roads.cluster.internal_servers), _Clock())
        _go_through(here, clients, chaos, seed, patience)
        if broken is Broken.NO_INBOX:  # a fault may fall where nothing is delivered twice
            background.run(operators.send_all_again(here.network))
            chaos.say("everything was sent again")
        therapists.cancel()  # or there would always be an answer on its way
        account = background.run(
            verdict.settled(here, chaos.poison, chaos.say, seconds=patience), seconds=patience + 120
        )
        chaos.say("settled")
        wrong = background.run(verdict.wrong(here, account, chaos.poison, clients))
        return Ran(
            account,
            wrong,
            chaos.met,
            "\n".join(
                [
                    verdict.printed(here),
                    _sums(here, clients, chaos.poison),
                    background.run(verdict.stands(here)),
                ]
            ),
        )


def _go_through(here: Town, clients: list[Client], chaos: Chaos, seed: int, patience: float) -> None:
    count = sum(len(client.referrals) for client in clients)
    seconds = max(count / A_SECOND, AT_LEAST)
    sending = here.background.start(_send(clients, seconds))
    chaos.run(plan(seed, seconds=seconds, nodes=NODES))
    chaos.say("the last fault is over")
    sending.result(patience)
    here.roads.cluster.start()
    here.stack.wait_ready(seconds=120)
    chaos.say("all are taken in, everything runs")


async def _send(clients: list[Client], seconds: float) -> None:
    await asyncio.gather(*(client.send_all(seconds=seconds) for client in clients))


@contextmanager
def _people(here: Town) -> Iterator[Future[None]]:
    """All act; the therapists' part is given."""
    therapists = here.background.start(operators.act([here.people.answer]))
    clinicians = here.background.start(operators.act([here.people.acknowledge, here.people.review]))
    try:
        yield therapists
    finally:
        therapists.cancel()
        clinicians.cancel()


class _Clock:
    """Prints what happens with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, said: str) -> None:
        print(f"{time.monotonic() - self._started:7.1f} s  {said}", flush=True)


def _sums(here: Town, clients: list[Client], poison: Poison) -> str:
    people = here.people
    return (
        f"{sum(len(client.taken) for client in clients)} taken in by {sum(c.tries for c in clients)} tries; "
        f"{len(poison.put)} poisoned messages; {len(here.endpoints.deliveries)} webhooks; "
        f"{people.acknowledged} alerts acknowledged, {people.outcomes} outcomes recorded, "
        f"{people.accepted} offers accepted, {people.declined} declined, {people.reviewed} reviews settled"
    )
