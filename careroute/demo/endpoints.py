"""Stands in for the endpoints of clinics and of those on call: takes webhooks and checks who sent them."""

import hashlib
import hmac
import json
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from careroute.local.ports import HOST

LIMIT = 65_536


@dataclass(frozen=True)
class Delivery:
    """One webhook as it came; `genuine` says that its signature held."""

    recipient: str
    at: float
    body: dict[str, Any]
    genuine: bool


class Endpoints:
    """`with Endpoints(secret) as endpoints:` listens on a free port until the block ends.

    `host` is the address of this machine under which notify reaches it.
    """

    def __init__(self, secret: str, *, host: str = HOST) -> None:
        self.secret = secret
        self.deliveries: list[Delivery] = []
        self._host = host
        self._server = _Server((host, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def url(self, recipient: str) -> str:
        return f"http://{self._host}:{self._server.server_address[1]}/{recipient}"

    def take(self, recipient: str, timestamp: str, signature: str, body: bytes) -> bool:
        """Keeps the delivery; returns whether it is genuine and recent."""
        expected = hmac.new(self.secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        recent = timestamp.isdigit() and abs(time.time() - int(timestamp)) < 300
        genuine = recent and hmac.compare_digest(f"v1={expected}", signature)
        self.deliveries.append(Delivery(recipient, time.time(), json.loads(body), genuine))
        return genuine

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(endpoints: Endpoints) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = min(int(self.headers.get("content-length") or 0), LIMIT)
            body = self.rfile.read(size)
            if len(body) < size:
                raise ConnectionAbortedError  # the caller went in the middle of it
            genuine = endpoints.take(
                self.path.strip("/"),
                self.headers.get("careroute-timestamp", ""),
                self.headers.get("careroute-signature", ""),
                body,
            )
            self.send_response(204 if genuine else 401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: what came is in `deliveries`."""

    return Handler
