"""How many deliveries may be under way to one host, so that a slow one does not hold up the others.

A host that fails cools down, longer each time, and then gets one delivery. Each process keeps this for
itself; forgetting it costs one failed attempt.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

FIRST_COOLDOWN: Final = timedelta(seconds=1)
LONGEST_COOLDOWN: Final = timedelta(minutes=5)


@dataclass
class _Cooldown:
    until: datetime
    failures: int


@dataclass
class HostLimits:
    """`at_once` per host. `cooldown` is off for alerts: they are sent whatever became of others."""

    at_once: int
    cooldown: bool = True
    _busy: Counter[str] = field(default_factory=Counter)
    _cooling: dict[str, _Cooldown] = field(default_factory=dict)

    def leased(self, host: str) -> None:
        self._busy[host] += 1

    def released(self, host: str) -> None:
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]

    def succeeded(self, host: str) -> None:
        self._cooling.pop(host, None)

    def failed(self, host: str, now: datetime, retry_after: timedelta | None) -> None:
        """`retry_after` is the endpoint's own."""
        if not self.cooldown:
            return
        cooldown = self._cooling.setdefault(host, _Cooldown(now, 0))
        if cooldown.until <= now:  # those that failed side by side count once
            cooldown.failures += 1
            cooldown.until = now + min(FIRST_COOLDOWN * 2 ** min(cooldown.failures - 1, 20), LONGEST_COOLDOWN)
        if retry_after:
            cooldown.until = max(cooldown.until, now + retry_after)

    def is_cooling(self, host: str, now: datetime) -> bool:
        cooldown = self._cooling.get(host)
        return cooldown is not None and cooldown.until > now

    def room(self, now: datetime, *, ahead: int = 1) -> Iterator[tuple[str, int]]:
        """Each host with a limit of its own at this moment, and how many more may be leased."""
        for host in self._busy.keys() | self._cooling.keys():
            yield host, max(self._limit(host, now, ahead) - self._busy[host], 0)

    def _limit(self, host: str, now: datetime, ahead: int) -> int:
        if self.is_cooling(host, now):
            return 0
        return 1 if host in self._cooling else self.at_once * ahead
