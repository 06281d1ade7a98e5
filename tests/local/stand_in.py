"""The least that passes for a service."""

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]


def create_app() -> Callable[..., Awaitable[None]]:
    if os.environ.get("STAND_IN") == "broken":
        raise RuntimeError("a setting is wrong")
    return _serve


async def _serve(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    body = repr(sorted(os.environ)).encode() if scope["path"] == "/environment" else b"{}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
