"""One delivery: what is sent, how it is signed, what a response means."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.notify.channels.webhook import request as webhook
from services.notify.channels.webhook.request import Links
from services.notify.domain.deliveries import DueDelivery
from services.notify.domain.retry import Kind, Outcome
from shared.vocabulary import Urgency
from tests.endpoint import endpoint

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LINKS = Links(referral_url="https://intake.example/", public_url="https://notify.example")

DUE = DueDelivery(
    id=UUID(int=1),
    notice_id=UUID(int=2),
    recipient="psy-1",
    channel=0,
    step=1,
    host="clinic.example",
    attempts=2,
    first_at=NOW,
    due_at=NOW,
    about="ReferralTriaged",
    audience="psychiatrist",
    referral_id=UUID(int=3),
    revision=1,
    clinic="clinic-1",
    region="north",
    urgency=Urgency.EMERGENCY,
    title="A referral needs an immediate response",
    text="Please respond.",
    respond_by=NOW,
    occurred_at=NOW,
    is_alert=True,
    answers=None,
    traceparent=None,
    active=True,
    kind="webhook",
    url="https://clinic.example/hook",
    secret=b"sealed",
    channels=1,
)


def test_the_body_says_what_is_needed_and_nothing_else() -> None:
    said = json.loads(webhook.body(DUE, LINKS, NOW))
    assert said == {
        "delivery_id": str(UUID(int=1)),
        "notice_id": str(UUID(int=2)),
        "type": "alert",
        "about": "ReferralTriaged",
        "referral_id": str(UUID(int=3)),
        "urgency": "emergency",
        "title": "A referral needs an immediate response",
        "text": "Please respond.",
        "respond_by": "2026-03-02T12:00:00Z",
        "occurred_at": "2026-03-02T12:00:00Z",
        "link": f"https://intake.example/v1/referrals/{UUID(int=3)}",
        "acknowledge_url": f"https://notify.example/v1/notices/{UUID(int=2)}/acknowledgement",
        "sent_at": "2026-03-02T12:00:00Z",
        "attempt": 2,
    }


@pytest.mark.parametrize(
    ("changes", "kind", "acknowledge"),
    [
        ({"is_alert": True}, "alert", UUID(int=2)),
        ({"is_alert": False}, "notice", None),
        ({"is_alert": False, "answers": UUID(int=9)}, "alarm", UUID(int=9)),  # of the alert it is about
    ],
)
def test_what_can_be_acknowledged_says_where(
    changes: dict[str, Any], kind: str, acknowledge: UUID | None
) -> None:
    said = json.loads(webhook.body(replace(DUE, **changes), LINKS, NOW))
    assert said["type"] == kind
    where = f"https://notify.example/v1/notices/{acknowledge}/acknowledgement" if acknowledge else None
    assert said["acknowledge_url"] == where


def test_a_receiver_can_verify_the_signature_from_the_headers_and_the_bytes_alone() -> None:
    content = b'{"delivery_id":"x"}'
    sent = webhook.headers(DUE, "a-shared-secret", content, NOW)
    signed = f"{sent['Careroute-Timestamp']}.".encode() + content
    expected = hmac.new(b"a-shared-secret", signed, hashlib.sha256).hexdigest()
    assert sent["Careroute-Signature"] == f"v1={expected}"
    assert sent["Careroute-Timestamp"] == str(int(NOW.timestamp()))
    assert sent["Careroute-Delivery"] == str(UUID(int=1))


def answer(status: int, headers: Any = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"{}"))


async def post(respond: Callable[[httpx.Request], httpx.Response], *, seconds: float = 5) -> Outcome:
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return await webhook.post(client, "https://clinic.example/hook", b"{}", {}, seconds=seconds)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.DELIVERED),
        (204, Kind.DELIVERED),
        (302, Kind.REFUSED),  # not followed
        (400, Kind.REFUSED),
        (401, Kind.REFUSED),
        (404, Kind.REFUSED),
        (408, Kind.UNWELL),
        (410, Kind.REFUSED),
        (429, Kind.UNWELL),
        (500, Kind.UNWELL),
        (503, Kind.UNWELL),
    ],
)
async def test_what_an_answer_means(status: int, kind: Kind) -> None:
    headers = {"location": "http://169.254.169.254/"} if status == 302 else {}
    asked: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return answer(status, headers)

    assert await post(respond) == Outcome(kind, f"http_{status}")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError("no"), "connect_error"),
        (httpx.ReadTimeout("no"), "timeout"),
        (httpx.RemoteProtocolError("no"), "remote_protocol_error"),
    ],
)
async def test_what_the_network_does_is_an_outcome_not_an_exception(error: Exception, code: str) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise error

    assert await post(respond) == Outcome(Kind.UNWELL, code)


@pytest.mark.parametrize(
    ("given", "retry_after"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("999999999999999", None),
        ("soon", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", timedelta()),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(days=1)),  # at most a day
        ("86401", timedelta(days=1)),
        ("²", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_read_and_bounded(
    given: str, retry_after: timedelta | None, status: int
) -> None:
    headers = [(b"retry-after", given.encode("latin-1"))]
    outcome = await post(lambda _: answer(status, headers))
    assert outcome.retry_after == retry_after


async def test_a_slow_endpoint_costs_no_more_than_the_limit() -> None:
    async with endpoint(slow=True) as slow, webhook.make_client() as client:
        started = time.monotonic()
        outcome = await webhook.post(client, slow.url, b"{}", {}, seconds=0.3)
        assert outcome == Outcome(Kind.UNWELL, "timeout")
        assert time.monotonic() - started < 3


async def test_a_body_that_drips_for_ever_is_delivered_all_the_same() -> None:
    left = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            writer.close()
            left.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, webhook.make_client() as client:
        started = time.monotonic()
        outcome = await webhook.post(client, f"http://127.0.0.1:{port}/", b"{}", {}, seconds=5)
        assert outcome == Outcome(Kind.DELIVERED, "http_200")
        assert time.monotonic() - started < 4
        await asyncio.wait_for(left.wait(), 10)


async def test_no_cookie_of_one_endpoint_goes_to_another() -> None:
    async with endpoint() as here, webhook.make_client() as client:
        here.answer = lambda call: (200, {"set-cookie": "who=clinic-1; path=/"})
        for _ in range(2):
            await webhook.post(client, here.url, b"{}", {}, seconds=5)
        assert len(here.calls) == 2
        assert not [call for call in here.calls if "cookie" in call.headers]
