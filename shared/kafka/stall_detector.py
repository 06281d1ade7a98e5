"""Whether a consumer has stalled: Kafka answers and has something for it, and it does not move.

The tasks with which aiokafka joins a group, looks up places and fetches can end or hang for good, while the
heartbeats go on and keep the partitions from every other member. Only a new process is sure to cure that
(docs/decisions/0013).
"""

import time
from dataclasses import dataclass
from typing import Final

NEVER_MOVED: Final = 10
"""A consumer that never moved gets this multiple of the limit."""


@dataclass
class StallDetector:
    """What was seen of one consumer; a Kafka that does not answer says nothing about it."""

    limit_seconds: float
    since: float | None = None
    has_moved: bool = False

    def note_move(self) -> None:
        self.since, self.has_moved = None, True

    def note_unknown(self) -> None:
        self.since = None

    def note_stall(self) -> None:
        if self.since is None:
            self.since = time.monotonic()

    @property
    def seconds(self) -> float:
        return 0.0 if self.since is None else time.monotonic() - self.since

    @property
    def is_stalled(self) -> bool:
        """Where it never moved, a new process may stall as well, so it is given longer."""
        return self.seconds > self.limit_seconds * (1 if self.has_moved else NEVER_MOVED)
