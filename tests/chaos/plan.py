"""What goes wrong when: drawn from a seed alone, so that a run can be asked for again."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from careroute.local import SERVICES


class Kind(StrEnum):
    SERVICE_KILLED = "service killed"
    POSTGRES_CRASHED = "Postgres crashed"
    NODE_KILLED = "Kafka node killed"
    KAFKA_CUT = "network to Kafka cut"
    KAFKA_SILENT = "network to Kafka silent"
    DISK_FULL = "disk full"
    POISON = "poison"
    ROSTER = "roster changed"
    REPLAY = "replay"


@dataclass(frozen=True)
class Fault:
    """Begins `at` seconds, lasts `seconds`; `whom` it meets, where it can meet several."""

    at: float
    kind: Kind
    seconds: float = 0
    whom: str = ""

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.kind}{f' ({self.whom})' if self.whom else ''}{lasting}"


@dataclass(frozen=True)
class Often:
    """Once in so many `every` seconds, at least `least` times; each lasts between the two `lasting`."""

    kind: Kind
    every: float
    least: int
    lasting: tuple[float, float] = (0, 0)


HOW_OFTEN: Final = (
    Often(Kind.SERVICE_KILLED, 9, len(SERVICES), (0, 3)),
    Often(Kind.POSTGRES_CRASHED, 50, 2, (0.5, 2)),
    Often(Kind.NODE_KILLED, 90, 1, (3, 10)),
    Often(Kind.KAFKA_CUT, 60, 1, (2, 12)),
    Often(Kind.KAFKA_SILENT, 100, 1, (4, 14)),
    Often(Kind.DISK_FULL, 1_000, 1, (3, 6)),
    Often(Kind.POISON, 30, 2),
    Often(Kind.ROSTER, 12, 3),
    Often(Kind.REPLAY, 1_000, 1),
)


def plan(seed: int, *, seconds: float, nodes: int) -> list[Fault]:
    """The faults of a run of so many seconds, in their order. Every service is among the killed."""
    dice = random.Random(seed)
    faults = [fault for often in HOW_OFTEN for fault in _drawn(dice, often, seconds, nodes)]
    return sorted(faults, key=lambda fault: fault.at)


def clocks(seed: int) -> dict[str, list[int]]:
    """By how many seconds the clocks of two services are wrong. Matching is started on two hosts in turn, one
    fast and one slow: the order of what it says must not depend on them."""
    dice = random.Random(f"clocks of {seed}")
    other = dice.choice([name for name in SERVICES if name != "matching"])
    fast, slow = dice.randint(90, 240), -dice.randint(90, 240)
    return {"matching": [fast, slow], other: [dice.choice([fast, slow])]}


def _drawn(dice: random.Random, often: Often, seconds: float, nodes: int) -> Iterator[Fault]:
    """One in each of as many equal parts of the time, so that none is still going on when the next begins."""
    count = max(often.least, round(seconds / often.every))
    part = seconds / count
    for number, whom in enumerate(_whom(dice, often.kind, count, nodes)):
        lasts = min(dice.uniform(*often.lasting), 0.8 * part)
        yield Fault(part * number + dice.uniform(0, 0.9 * part - lasts), often.kind, lasts, whom)


def _whom(dice: random.Random, kind: Kind, count: int, nodes: int) -> list[str]:
    if kind is Kind.NODE_KILLED:
        return [str(number) for number in _turns(dice, range(1, nodes + 1), count)]
    if kind is Kind.SERVICE_KILLED:
        return [str(name) for name in _turns(dice, SERVICES, count)]
    if kind is Kind.POSTGRES_CRASHED:  # and this one is killed while it is away, with work in hand
        return [str(name) for name in _turns(dice, ("triage", "matching", "notify"), count)]
    return [""] * count


def _turns(dice: random.Random, names: Sequence[object], count: int) -> list[object]:
    """Everybody's turn comes before anybody's second."""
    found: list[object] = []
    while len(found) < count:
        found += dice.sample(list(names), len(names))
    return found[:count]
