"""Growing pauses between retries."""

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Each failure doubles the pause, from `first` up to `longest` seconds; a success begins anew."""

    first: float
    longest: float
    pause: float = 0.0

    def failed(self) -> float:
        """Seconds to wait before the next try."""
        self.pause = min(max(self.pause * 2, self.first), self.longest)
        return self.pause

    def succeeded(self) -> None:
        self.pause = 0.0
