"""The best set of pairs for a batch: which client is offered which therapist's place.

A pair is worth `2 ** level * (BASE + merit)` with merit from 0 to MERIT = BASE - 1. So a client one level
more urgent is worth more at their worst therapist than the other at their best (design: r * b >= 1), and
nobody is left out while a less urgent client holds a place they could use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

Ints = NDArray[np.int64]

MERIT: Final = 1 << 16
BASE: Final = MERIT + 1
KEPT: Final = 32
"""Candidates kept per client; measured to cost under 0.1 % of the optimum for batches up to 500."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Whom one client could be offered: therapists' rows with a free place, and how good each would be."""

    level: int
    rows: Ints
    merit: Ints
    turn: int = 0

    def worth(self) -> Ints:
        found: Ints = (self.merit + BASE) << self.level
        return found

    def best(self, count: int) -> "Candidates":
        """The best, up to `count`. Among equals each client begins at their own `turn`, not all at one."""
        size = len(self.rows)
        if size <= count:
            return self
        order = (np.arange(size, dtype=np.int64) + self.turn) % size
        chosen = np.sort(np.argpartition(self.merit * size + order, -count)[-count:])
        return Candidates(self.level, self.rows[chosen], self.merit[chosen], self.turn)


def merit_of(score: NDArray[np.float64]) -> Ints:
    """A score from 0 to 1 as the whole number that the solver needs."""
    return np.rint(np.clip(score, 0, 1) * MERIT).astype(np.int64)


def assign(clients: Sequence[Candidates], free: NDArray[np.int32]) -> list[int | None]:
    """For each client the place in their `rows` they are assigned, or None. `free` is by therapist row.

    Exact over each client's best candidates. Whoever is left out then gets all of theirs, until it does not
    help: so cutting the list never costs a more urgent client a place.
    """
    kept = [client.best(KEPT) for client in clients]
    while True:
        chosen = _optimum(kept, free)
        cut = [
            place
            for place, row in enumerate(chosen)
            if row is None and len(kept[place].rows) < len(clients[place].rows)
        ]
        if not cut:
            return [
                None if row is None else int(np.searchsorted(client.rows, row))
                for client, row in zip(clients, chosen, strict=True)
            ]
        for place in cut:
            kept[place] = clients[place]


def _optimum(clients: Sequence[Candidates], free: NDArray[np.int32]) -> list[int | None]:
    """The row of the therapist for each client, in the most valuable set of pairs that places allow."""
    sizes = [len(client.rows) for client in clients]
    if sum(sizes) == 0:
        return [None] * len(clients)
    who = np.repeat(np.arange(len(clients)), sizes)
    rows, columns = np.unique(np.concatenate([c.rows for c in clients]), return_inverse=True)
    worth = np.concatenate([c.worth() for c in clients])
    flow = _Flow(len(clients), len(rows))
    arcs = flow.pairs(who, columns, worth)
    flow.places(free[rows])
    flow.stay_out()
    taken = np.flatnonzero(flow.solve(arcs))
    chosen: list[int | None] = [None] * len(clients)
    for pair in taken.tolist():
        chosen[int(who[pair])] = int(rows[columns[pair]])
    return chosen


class _Flow:
    """Clients on the left, therapists in the middle, one sink that all must reach."""

    def __init__(self, clients: int, therapists: int) -> None:
        self._network = SimpleMinCostFlow()
        self._clients = np.arange(clients, dtype=np.int32)
        self._therapists = np.arange(clients, clients + therapists, dtype=np.int32)
        self._sink = clients + therapists
        self._network.set_nodes_supplies(self._clients, np.ones(clients, np.int64))
        self._network.set_node_supply(self._sink, -clients)

    def pairs(self, who: Ints, columns: Ints, worth: Ints) -> Ints:
        arcs: Ints = self._arcs(self._clients[who], self._therapists[columns], np.ones_like(worth), -worth)
        return arcs

    def places(self, free: NDArray[np.int32]) -> None:
        self._arcs(self._therapists, self._to_sink(self._therapists), free, np.zeros_like(free))

    def stay_out(self) -> None:
        self._arcs(
            self._clients,
            self._to_sink(self._clients),
            np.ones_like(self._clients),
            np.zeros_like(self._clients),
        )

    def solve(self, arcs: Ints) -> Ints:
        status = self._network.solve()
        if status != self._network.OPTIMAL:
            raise RuntimeError(f"the assignment has no optimum: {status.name}")
        flows: Ints = self._network.flows(arcs)
        return flows

    def _to_sink(self, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.full(len(nodes), self._sink, np.int32)

    def _arcs(
        self,
        tails: NDArray[np.int32],
        heads: NDArray[np.int32],
        capacity: NDArray[np.int32] | Ints,
        cost: NDArray[np.int32] | Ints,
    ) -> Ints:
        arcs: Ints = self._network.add_arcs_with_capacity_and_unit_cost(
            tails, heads, capacity.astype(np.int64), cost.astype(np.int64)
        )
        return arcs
