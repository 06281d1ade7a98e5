"""An HTTP service on a free port that answers with a plain function, for what talks to one over a socket."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

from rich.console import Console

from careroute.local.keys import Keys
from careroute.local.ports import HOST
from careroute.network import Network


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, str]
"""Status and body."""


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """Its address, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text = answer(Asked(self.command, self.path, headers, self.rfile.read(size)))
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def network(folder: Path, **urls: str) -> Network:
    """A network with a signing key of its own, whose services are at these addresses."""
    keys = Keys(folder / "stack")
    keys.ensure()
    return Network(urls, {}, keys.signing_key)


def console() -> tuple[Console, StringIO]:
    text = StringIO()
    return Console(file=text, width=200), text
