"""Whether a consumer stands still though Kafka answers and has something for it.

The tasks with which aiokafka joins a group, looks up places and fetches can end or hang for good, while the
heartbeats go on and keep the partitions from every other member. Only a new process is sure to cure that
(docs/decisions/0013).
"""

import time
from dataclasses import dataclass
from typing import Final

NEVER_MOVED: Final = 10
"""So many times the limit has a consumer that has not moved since its process began."""


@dataclass
class Standstill:
    """What was seen of one consumer; a Kafka that does not answer says nothing about it."""

    limit_seconds: float
    since: float | None = None
    has_moved: bool = False

    def moves(self) -> None:
        self.since, self.has_moved = None, True

    def unknown(self) -> None:
        self.since = None

    def stands(self) -> None:
        if self.since is None:
            self.since = time.monotonic()

    @property
    def seconds(self) -> float:
        return 0.0 if self.since is None else time.monotonic() - self.since

    @property
    def is_for_good(self) -> bool:
        """Where it never moved, a new process may stand as well, and ends less often."""
        return self.seconds > self.limit_seconds * (1 if self.has_moved else NEVER_MOVED)
