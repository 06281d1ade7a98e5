"""How many deliveries may be under way to one host, so that a slow one does not hold up the others.

A host that fails rests, longer each time, and is then asked with one delivery. This is kept by each process
for itself; forgetting it costs one failed attempt.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

FIRST_REST: Final = timedelta(seconds=1)
LONGEST_REST: Final = timedelta(minutes=5)


@dataclass
class _Rest:
    until: datetime
    failures: int


@dataclass
class Lines:
    """`at_once` per line. `rests` is off for alerts: they are sent whatever became of others."""

    at_once: int
    rests: bool = True
    _busy: Counter[str] = field(default_factory=Counter)
    _resting: dict[str, _Rest] = field(default_factory=dict)

    def took(self, line: str) -> None:
        self._busy[line] += 1

    def freed(self, line: str) -> None:
        self._busy[line] -= 1
        if not self._busy[line]:
            del self._busy[line]

    def went_well(self, line: str) -> None:
        self._resting.pop(line, None)

    def went_wrong(self, line: str, now: datetime, asked: timedelta | None) -> None:
        """`asked` is the endpoint's own Retry-After."""
        if not self.rests:
            return
        rest = self._resting.setdefault(line, _Rest(now, 0))
        if rest.until <= now:  # those that failed side by side count once
            rest.failures += 1
            rest.until = now + min(FIRST_REST * 2 ** min(rest.failures - 1, 20), LONGEST_REST)
        if asked:
            rest.until = max(rest.until, now + asked)

    def rests_now(self, line: str, now: datetime) -> bool:
        rest = self._resting.get(line)
        return rest is not None and rest.until > now

    def room(self, now: datetime, *, ahead: int = 1) -> Iterator[tuple[str, int]]:
        """The lines of which not `ahead` times `at_once` more may be taken, with how many may."""
        for line in self._busy.keys() | self._resting.keys():
            yield line, max(self._limit(line, now, ahead) - self._busy[line], 0)

    def _limit(self, line: str, now: datetime, ahead: int) -> int:
        if self.rests_now(line, now):
            return 0
        return 1 if line in self._resting else self.at_once * ahead
