"""Calls that come close together become one."""

import asyncio
from collections.abc import Callable


class Soon:
    """Calling it asks for `call` within `seconds`; who asks meanwhile shares that one."""

    def __init__(self, call: Callable[[], None], *, seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._asked = False

    def __call__(self) -> None:
        if not self._asked:
            self._asked = True
            asyncio.get_running_loop().call_later(self._seconds, self._now)

    def _now(self) -> None:
        self._asked = False
        self._call()
