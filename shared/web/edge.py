"""What every request passes: a body limit, a trace, a measure of time."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import trace
from shared.telemetry.metrics import HTTP_SECONDS
from shared.web.problems import Problem

OPERATIONS: Final = ("/health/", "/metrics")
"""Asked for all the time by machines; not worth a trace."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _TooLarge(Exception):
    pass


class Edge:
    """Pure ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp, *, body_limit: int, unlimited: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.body_limit = body_limit
        self.unlimited = unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        limit = None if scope["path"] in self.unlimited else self.body_limit
        started, status, begun, size = time.perf_counter(), 500, False, 0

        async def counted_receive() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if limit is not None and size > limit:
                raise _TooLarge
            return message

        async def noted_send(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
            await send(message)

        async def answer() -> None:
            try:
                declared = headers.get("content-length", "")
                if limit is not None and declared.isdigit() and int(declared) > limit:
                    raise _TooLarge
                await self.app(scope, counted_receive, noted_send)
            except _TooLarge:
                if begun:
                    raise
                await _too_large(limit or 0).response()(scope, receive, noted_send)
            finally:
                HTTP_SECONDS.labels(_route(scope), _method(scope), str(status)).observe(
                    time.perf_counter() - started
                )

        if scope["path"].startswith(OPERATIONS):
            await answer()
            return
        with trace.request(headers.get("traceparent"), name=_method(scope)) as step:
            try:
                await answer()
            finally:
                step.tell(f"{_method(scope)} {_route(scope)}", _about(scope, status))


def _route(scope: Scope) -> str:
    """The template, never the path itself: that has no end of values, and ids in it."""
    return getattr(scope.get("route"), "path", "unknown")


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "other"


def _about(scope: Scope, status: int) -> trace.About:
    return {
        "http.request.method": _method(scope),
        "http.route": _route(scope),
        "http.response.status_code": status,
    }


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The body may have at most {limit} bytes. Nothing was taken.")
