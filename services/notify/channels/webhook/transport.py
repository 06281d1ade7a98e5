"""How webhooks travel: httpx over aiohttp's connections.

httpcore, httpx's own, looks at every connection of its pool, with a system call for each idle one, whenever a
request begins or ends; a webhook costs three times as much by it (docs/decisions/0007).
"""

from urllib.request import getproxies

import httpx
from aiohttp import ClientConnectorError, ClientError, ClientSession, DummyCookieJar, TCPConnector
from httpx_aiohttp import AiohttpTransport


class Connections(AiohttpTransport):
    """As many as its callers ask for at once; keeps no cookie; whatever goes wrong is httpx's error."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        super().__init__(
            verify=context,
            client=lambda: ClientSession(
                connector=TCPConnector(limit=0, ssl=context), cookie_jar=DummyCookieJar()
            ),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except httpx.ConnectTimeout as error:  # what the library makes of every broken connection
            match error.__cause__:
                case TimeoutError():
                    raise
                case ClientConnectorError():
                    raise httpx.ConnectError("could not connect", request=request) from None
                case _:
                    raise httpx.ReadError("the connection broke", request=request) from None
        except ClientError:
            raise httpx.RemoteProtocolError("the answer is not HTTP", request=request) from None


def transport() -> httpx.AsyncBaseTransport | None:
    """None where the environment names a proxy: httpx then makes its own, by way of that."""
    return None if getproxies() else Connections()
