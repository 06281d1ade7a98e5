"""One delivery over HTTP: a signed JSON body, and what became of it.

The signature is HMAC-SHA256 with the endpoint's secret over `<Careroute-Timestamp>.<body>`.
The body tells nothing of a person: a code, a response time and a link.
"""

import asyncio
import hashlib
import hmac
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx

from services.notify.channels.webhook.transport import transport
from services.notify.domain import retry
from services.notify.domain.deliveries import DueDelivery
from services.notify.domain.retry import Kind, Outcome

RESPONSE_LIMIT: Final = 65_536
"""Up to this much of a response is read, so that its connection can be reused; nothing in it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    referral_url: str
    public_url: str

    def referral(self, due: DueDelivery) -> str:
        return f"{self.referral_url.rstrip('/')}/v1/referrals/{due.referral_id}"

    def acknowledgement(self, due: DueDelivery) -> str | None:
        """Where it is acknowledged; of an alarm, that is the alert it is about."""
        alert = due.answers or (due.notice_id if due.is_alert else None)
        return f"{self.public_url.rstrip('/')}/v1/notices/{alert}/acknowledgement" if alert else None


def body(due: DueDelivery, links: Links, now: datetime) -> bytes:
    kind = "alarm" if due.answers else "alert" if due.is_alert else "notice"
    content: dict[str, Any] = {
        "delivery_id": str(due.id),
        "notice_id": str(due.notice_id),
        "type": kind,
        "about": due.about,
        "referral_id": str(due.referral_id),
        "urgency": due.urgency,
        "title": due.title,
        "text": due.text,
        "respond_by": _time(due.respond_by),
        "occurred_at": _time(due.occurred_at),
        "link": links.referral(due),
        "acknowledge_url": links.acknowledgement(due),
        "sent_at": _time(now),
        "attempt": due.attempts,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def signature(secret: str, timestamp: str, content: bytes) -> str:
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + content, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def headers(due: DueDelivery, secret: str, content: bytes, now: datetime) -> dict[str, str]:
    timestamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "careroute-notify",
        "Careroute-Delivery": str(due.id),
        "Careroute-Timestamp": timestamp,
        "Careroute-Signature": signature(secret, timestamp, content),
    }


def make_client() -> httpx.AsyncClient:
    """Bounded by its callers, not by its pool; follows no redirect and keeps no cookie."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=transport(),
        limits=limits,
        timeout=None,  # noqa: S113  # see the limit in `post`
        cookies=cookies,
    )


async def post(
    client: httpx.AsyncClient, url: str, content: bytes, headed: dict[str, str], *, seconds: float
) -> Outcome:
    """Never raises for anything the other side does. `seconds` is the limit until it has responded."""
    try:
        async with asyncio.timeout(seconds):
            request = client.build_request("POST", url, content=content, headers=headed)
            response = await client.send(request, stream=True)
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(Kind.UNWELL, "timeout")
    except httpx.TransportError as error:
        return Outcome(Kind.UNWELL, _snake(type(error).__name__))
    except (httpx.HTTPError, httpx.InvalidURL):
        return Outcome(Kind.REFUSED, "bad_address")
    await _finish(response)
    return Outcome(retry.judge(response.status_code), f"http_{response.status_code}", _retry_after(response))


async def _finish(response: httpx.Response) -> None:
    """It has responded; how long its body takes, or how that ends, changes nothing."""
    try:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(1):
                await _drain(response)
    finally:
        await response.aclose()


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > RESPONSE_LIMIT:
            return


def _retry_after(response: httpx.Response) -> timedelta | None:
    """Retry-After, in seconds or as a date."""
    given = response.headers.get("retry-after")
    if response.status_code not in (429, 503) or not given:
        return None
    if given.isascii() and given.isdecimal() and len(given) < 10:
        return min(timedelta(seconds=int(given)), retry.LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(given)
    except (ValueError, TypeError, OverflowError):
        return None
    asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(max(asked, timedelta()), retry.LONGEST_RETRY_AFTER)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
