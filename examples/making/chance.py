"""Seeded choices, the same on every Python: they use only `random()`, whose sequence is fixed."""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random  # noqa: S311  # made-up data, not a secret

    def yes(self, share: float) -> bool:
        return self._next() < share

    def between(self, low: int, high: int) -> int:
        """Both ends included."""
        return low + int(self._next() * (high - low + 1))

    def one(self, values: Sequence[T]) -> T:
        return values[int(self._next() * len(values))]

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """So many different ones, in the order of `values`."""
        left = list(range(len(values)))
        chosen = [left.pop(int(self._next() * len(left))) for _ in range(min(count, len(left)))]
        return [values[place] for place in sorted(chosen)]

    def each(self, shares: Mapping[T, float]) -> list[T]:
        """Those whose share of luck came up."""
        return [value for value, share in shares.items() if self.yes(share)]
