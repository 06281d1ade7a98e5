"""Health that does not lie: live says that the work turns, ready that it can be given more."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Check = Callable[[], str | None]


@dataclass
class Health:
    """Checks that answer with what is wrong, or None."""

    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)
    started: bool = False

    def problems(self, checks: dict[str, Check]) -> dict[str, str]:
        found = {name: check() for name, check in checks.items()}
        return {name: problem for name, problem in found.items() if problem}

    def not_live(self) -> dict[str, str]:
        return self.problems(self.live)

    def not_ready(self) -> dict[str, str]:
        if not self.started:
            return {"start": "waiting for Postgres or Kafka"} | self.not_live()
        return self.not_live() | self.problems(self.ready)


@dataclass
class Turning:
    """Whether a loop turns: it says when it takes up work and when it has put it down."""

    limit_seconds: float
    busy_since: float | None = None
    stopped: str | None = None

    def begin(self) -> None:
        self.busy_since = time.monotonic()

    def end(self) -> None:
        self.busy_since = None

    def problem(self) -> str | None:
        if self.stopped:
            return f"stopped: {self.stopped}"
        if self.busy_since is not None:
            seconds = time.monotonic() - self.busy_since
            if seconds > self.limit_seconds:
                return f"stuck for {seconds:.0f} s"
        return None


@dataclass
class Answers:
    """Whether what no work can be taken without has answered lately; until it first did, nothing is said."""

    limit_seconds: float
    last: float | None = None

    def note(self) -> None:
        self.last = time.monotonic()

    def problem(self) -> str | None:
        seconds = 0.0 if self.last is None else time.monotonic() - self.last
        return f"no answer for {seconds:.0f} s" if seconds > self.limit_seconds else None
