"""One service's API, called from the command line: what goes wrong becomes a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from careroute import tokens
from careroute.local.errors import StackError
from careroute.network import Network
from shared.web.auth import Role

HOURS: Final = 12
TIMEOUT: Final = httpx.Timeout(connect=5, read=60, write=60, pool=5)


@contextmanager
def calling(
    network: Network, service: str, role: Role, *, clinic: str | None = None
) -> Iterator[httpx.Client]:
    """A client with a fresh token. Raises `StackError` when the service does not answer."""
    url = network.url(service)
    token = tokens.sign(
        network.key, role=role, subject="operator", clinic=clinic, now=datetime.now(UTC), hours=HOURS
    )
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT) as client:
            yield client
    except httpx.HTTPError as error:
        raise StackError(unreachable(url, error)) from None
    except httpx.InvalidURL:
        raise StackError(f"{service.upper()}_URL is not an address such as http://127.0.0.1:8001.") from None


def unreachable(url: str | httpx.URL, error: httpx.HTTPError) -> str:
    """A sentence for somebody who waits for an answer."""
    where = str(url).rstrip("/")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"Nothing answers at {where}. Is it running? `careroute up` starts it here."
    if isinstance(error, httpx.UnsupportedProtocol):
        return f"{where} is not an address such as http://127.0.0.1:8001."
    if isinstance(error, httpx.TimeoutException):
        return f"{where} took too long to answer. Try again."
    return f"The connection to {where} broke off ({type(error).__name__}). Try again."


def require(response: httpx.Response) -> Any:
    """The JSON of an answer that must be well. Raises `StackError` saying what the service said."""
    if not response.is_success:
        raise StackError(refusal(response))
    try:
        return response.json()
    except ValueError:
        raise StackError(f"{response.url.host} answered with something that is not JSON.") from None


def refusal(response: httpx.Response) -> str:
    """What the service said, all problems at once; it quotes nothing of what was sent."""
    problem = problem_of(response)
    if response.status_code in (401, 403):
        return (
            f"The service does not let this command in. {problem.get('detail', '')} "
            "Does CAREROUTE_SIGNING_KEY belong to this network?"
        )
    said = problem.get("detail") or f"It answered {response.status_code}. Is this the right address?"
    faults = [f"\n  {fault.get('where')}: {fault.get('what')}" for fault in problem.get("errors", ())]
    return f"{response.request.method} {response.url.path}: {said}{''.join(faults)}"


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """The problem details, or nothing where there are none. The response must have been read."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
