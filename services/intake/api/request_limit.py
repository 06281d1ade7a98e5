"""A limit of requests under way for each clinic."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.web.auth import Caller
from shared.web.problems import Problem

RETRY_AFTER: Final = "1"


class RequestLimit:
    def __init__(self, *, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def slot(self, caller: Caller) -> Iterator[None]:
        """Held while a request is under way. Raises `Problem` 429 when the clinic has no slot left."""
        who = caller.clinic or caller.subject
        if self._under_way[who] >= self._most:
            raise Problem(
                429,
                "too_many_at_once",
                f"{self._most} of your requests are under way. Wait for one to be answered.",
                headers={"Retry-After": RETRY_AFTER},
            )
        self._under_way[who] += 1
        try:
            yield
        finally:
            self._under_way[who] -= 1
            if not self._under_way[who]:
                del self._under_way[who]
