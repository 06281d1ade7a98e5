"""One round of matching: how long filter, score and assignment take, and how good the result is.

Against other ways to assign the same clients to the same therapists by the same worths: SciPy's sparse
matching (csgraph) and linear_sum_assignment (dense), each over every eligible pair and place, and greedy: the
most urgent first. Filter and score are ours for all of them; a figure is the whole round. `slack`: every
therapist has places; `scarce`: places for 0.8 of the clients. Quality is the sum of the pairs' worths as a
share of the exact optimum over every eligible pair.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from benchmarks.figures import line, machine, short, spread, table
from benchmarks.network import arguments
from services.matching.domain.assignment import Candidates, assign
from services.matching.domain.profiles import Client, Therapist, Wish
from services.matching.domain.proposals import Policy, Waiting, _judge, propose
from services.matching.domain.roster_columns import Roster
from services.matching.domain.scoring import Weights

REGIONS, LANGUAGES, PAYERS, MODALITIES, PLACES = 12, 24, 24, 16, 10
POLICY: Final = Policy(Weights(), 0.2)
DENSE: Final = 60_000_000
"""Pairs beyond which linear_sum_assignment is not tried: its matrix has eight bytes for each."""

Way = Callable[[Sequence[Candidates], NDArray[np.int32]], list[int | None]]


def therapists(count: int, luck: random.Random) -> list[Therapist]:
    return [
        Therapist(
            id=UUID(int=luck.getrandbits(128)),
            region=f"region-{luck.randrange(REGIONS)}",
            languages=frozenset({"l0", *(f"l{_skewed(LANGUAGES, luck)}" for _ in range(luck.randrange(3)))}),
            works_with_interpreter=luck.random() < 0.3,
            payers=frozenset(f"p{luck.randrange(PAYERS)}" for _ in range(12)),
            modalities=frozenset(f"m{luck.randrange(MODALITIES)}" for _ in range(6)),
            age_groups=frozenset({"adult", luck.choice(("child", "adolescent", "older"))}),
            genders=frozenset({luck.choice(("woman", "man"))}),
            settings=frozenset({"in_person", "telehealth"}),
            hours=frozenset(
                f"{day}-{luck.randrange(8, 20):02d}" for day in ("mon", "tue", "wed", "thu", "fri")
            ),
            places_total=luck.randrange(1, PLACES + 1),
        )
        for _ in range(count)
    ]


def pool(count: int, luck: random.Random) -> list[Waiting]:
    return [
        Waiting(
            Client(
                id=UUID(int=luck.getrandbits(128)),
                region=f"region-{luck.randrange(REGIONS)}",
                age=luck.randrange(18, 65),
                languages=(f"l{_skewed(LANGUAGES, luck)}",),
                interpreter_ok=luck.random() < 0.5,
                payer=f"p{luck.randrange(PAYERS)}",
                first_line=frozenset(f"m{luck.randrange(MODALITIES)}" for _ in range(2)),
                alternatives=frozenset(f"m{luck.randrange(MODALITIES)}" for _ in range(2)),
                wishes=(
                    Wish("therapist_gender", (luck.choice(("woman", "man")),)),
                    Wish("modality", (f"m{luck.randrange(MODALITIES)}",)),
                    Wish("hours", (f"tue-{luck.randrange(8, 20):02d}", f"thu-{luck.randrange(8, 20):02d}")),
                ),
            ),
            level=luck.choice((0, 1, 1, 2, 2, 2, 3)),
            waiting=luck.random(),
        )
        for _ in range(count)
    ]


def _skewed(count: int, luck: random.Random) -> int:
    return min(int(luck.expovariate(0.7)), count - 1)


def greedy(clients: Sequence[Candidates], free: NDArray[np.int32]) -> list[int | None]:
    """The most urgent first, each their best that is left."""
    left = free.copy()
    chosen: list[int | None] = [None] * len(clients)
    for place in sorted(range(len(clients)), key=lambda place: -clients[place].level):
        client = clients[place]
        open_ = np.flatnonzero(left[client.rows] > 0)
        if len(open_):
            best = int(open_[np.argmax(client.merit[open_])])
            chosen[place] = best
            left[client.rows[best]] -= 1
    return chosen


def _columns(
    clients: Sequence[Candidates], free: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A column for each place that could be of use: whose it is, and where each therapist's first one is."""
    rows = np.unique(np.concatenate([client.rows for client in clients]))
    useful = np.minimum(free[rows], len(clients))
    first = np.zeros(len(free) + 1, np.int64)
    first[rows] = np.cumsum(useful) - useful
    return np.repeat(rows, useful), first


def sparse(clients: Sequence[Candidates], free: NDArray[np.int32]) -> list[int | None]:
    """Every eligible pair, once for each place, and for each client a column of their own to stay out."""
    owner, first = _columns(clients, free)
    who, columns, worth = [], [], []
    for place, client in enumerate(clients):
        times = np.minimum(free[client.rows], len(clients)).astype(np.int64)
        start = np.repeat(first[client.rows], times)
        step = np.arange(len(start)) - np.repeat(np.cumsum(times) - times, times)
        columns.append(np.append(start + step, len(owner) + place))
        worth.append(np.append(np.repeat(client.worth(), times), 1))
        who.append(np.full(len(start) + 1, place))
    shape = (len(clients), len(owner) + len(clients))
    graph = csr_array((np.concatenate(worth), (np.concatenate(who), np.concatenate(columns))), shape=shape)
    _, taken = min_weight_full_bipartite_matching(graph.astype(np.float64), maximize=True)
    return [_place(client, owner, int(column)) for client, column in zip(clients, taken, strict=True)]


def dense(clients: Sequence[Candidates], free: NDArray[np.int32]) -> list[int | None]:
    owner, _ = _columns(clients, free)
    worth = np.zeros((len(clients), len(owner) + len(clients)))
    for place, client in enumerate(clients):
        by_row = np.zeros(len(free))
        by_row[client.rows] = client.worth()
        worth[place, : len(owner)] = by_row[owner]
    _, taken = linear_sum_assignment(worth, maximize=True)
    found = [_place(client, owner, int(column)) for client, column in zip(clients, taken, strict=True)]
    return found


def _place(client: Candidates, owner: NDArray[np.int64], column: int) -> int | None:
    if column >= len(owner):
        return None
    place = int(np.searchsorted(client.rows, owner[column]))
    return place if place < len(client.rows) and client.rows[place] == owner[column] else None


WAYS: Final[dict[str, Way]] = {"ours": assign, "csgraph": sparse, "dense": dense, "greedy": greedy}


def value(clients: Sequence[Candidates], chosen: Sequence[int | None]) -> int:
    return sum(int(c.worth()[place]) for c, place in zip(clients, chosen, strict=True) if place is not None)


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    given = arguments(__doc__, repeats=5, largest=100_000)
    machine()
    rows: list[tuple[object, ...]] = []
    for count in (size for size in (1_000, 10_000, 100_000) if size <= given.largest):
        luck = random.Random(count)
        roster = Roster(therapists(count, luck))
        for clients in (1, 50, 500):
            rows.append(_one(roster, pool(clients, luck), "slack", given.repeats))
        for clients in (50, 500):
            _make_scarce(roster, clients, luck)
            rows.append(_one(roster, pool(clients, luck), "scarce", given.repeats))
    title = "matching: ms for a round (whole: `propose`, with reasons and runners-up)"
    table(title, ("clients x therapists", "whole", "filter+score", *WAYS, "quality", "of greedy"), rows)


def _make_scarce(roster: Roster, clients: int, luck: random.Random) -> None:
    open_ = set(luck.sample(range(len(roster)), int(0.8 * clients)))
    roster.set_free({therapist: int(row in open_) for row, therapist in enumerate(roster.ids)})


def _one(roster: Roster, waiting: Sequence[Waiting], supply: str, repeats: int) -> tuple[object, ...]:
    judged = [_judge(one, roster, POLICY).candidates for one in waiting]
    free = roster.free
    whole = timed(lambda: propose(waiting, roster, POLICY), repeats)
    base = spread(timed(lambda: [_judge(one, roster, POLICY) for one in waiting], repeats)).middle
    small = len(waiting) * int(np.minimum(free, len(waiting)).sum()) <= DENSE
    ways = {name: way for name, way in WAYS.items() if small or name != "dense"}
    took = {
        name: [base + ms for ms in timed(partial(way, judged, free), repeats)] for name, way in ways.items()
    }
    worth = {name: value(judged, way(judged, free)) for name, way in ways.items()}
    best = max(worth["csgraph"], 1)
    fastest = min(ways.keys() & {"csgraph", "dense"}, key=lambda name: spread(took[name]).middle)
    line(
        f"matching_{supply}_{len(waiting)}x{len(roster)}",
        ours=took["ours"],
        limit=took[fastest],
        unit="ms",
        n=len(waiting),
        more={"fastest_exact": fastest, "quality": worth["ours"] / best, "greedy": worth["greedy"] / best},
    )
    cells = [short(spread(took[name]).middle) if name in took else "-" for name in WAYS]
    quality = [f"{worth[name] / best:.5f}" for name in ("ours", "greedy")]
    return f"{len(waiting)} x {len(roster):,} {supply}", spread(whole).middle, base, *cells, *quality


if __name__ == "__main__":
    main()
