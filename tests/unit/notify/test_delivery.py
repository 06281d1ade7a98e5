"""One delivery: what is sent, how it is signed, what an answer means, when it is tried again."""

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
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.notify.api.requests import RecipientForm
from services.notify.channels.webhook import request as webhook
from services.notify.channels.webhook.request import Links
from services.notify.db.sealing import Sealer
from services.notify.domain.deliveries import DueDelivery
from services.notify.domain.host_limits import HostLimits
from services.notify.domain.retry import GiveUp, Kind, Outcome, Retry, RetryPolicy, judge, next_attempt
from shared.errors import Misconfigured
from shared.vocabulary import Urgency
from tests.endpoint import endpoint

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
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

# ---- the request -------------------------------------------------------------------------------


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


# ---- the answer --------------------------------------------------------------------------------


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


# ---- trying again ------------------------------------------------------------------------------

POLICY = RetryPolicy(
    first_pause=4 * SECOND, longest_pause=timedelta(hours=1), give_up_after=timedelta(days=3)
)
UNWELL = Outcome(Kind.UNWELL, "timeout")
GONE = Outcome(Kind.REFUSED, "http_410")


def again(outcome: Outcome, attempts: int, *, luck: float = 1.0, age: timedelta = timedelta()) -> Any:
    return next_attempt(outcome, POLICY, attempts=attempts, since=NOW - age, now=NOW, luck=luck)


@pytest.mark.parametrize(
    ("outcome", "attempts", "pause", "failing"),
    [
        (UNWELL, 1, 4 * SECOND, False),
        (UNWELL, 2, 8 * SECOND, True),  # twice in a row: an alert does not wait for it any longer
        (UNWELL, 5, 64 * SECOND, True),
        (UNWELL, 10_000, timedelta(hours=1), True),
        (GONE, 1, timedelta(hours=1), True),  # at the longest pause at once
        (Outcome(Kind.UNWELL, "http_429", 600 * SECOND), 1, 600 * SECOND, False),  # what it asked for
        (Outcome(Kind.UNWELL, "http_503", SECOND), 1, 4 * SECOND, False),  # but never sooner than ours
    ],
)
def test_pauses_double_up_to_a_longest(
    outcome: Outcome, attempts: int, pause: timedelta, failing: bool
) -> None:
    assert again(outcome, attempts) == Retry(NOW + pause, failing)


def test_it_is_given_up_after_days_and_tried_a_last_time_then() -> None:
    assert again(UNWELL, 50, age=timedelta(days=3)) == GiveUp()
    late = again(UNWELL, 50, age=timedelta(days=3) - 10 * SECOND)
    assert late == Retry(NOW + 10 * SECOND, True)


@given(
    st.sampled_from([UNWELL, GONE, Outcome(Kind.UNWELL, "http_429", 30 * SECOND)]),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.integers(0, 3 * 86_400 - 60).map(lambda s: timedelta(seconds=s)),
)
def test_never_a_hot_loop(outcome: Outcome, attempts: int, luck: float, age: timedelta) -> None:
    verdict = again(outcome, attempts, luck=luck, age=age)
    assert isinstance(verdict, Retry)
    assert verdict.at - NOW >= POLICY.first_pause / 2
    assert verdict.at <= NOW - age + POLICY.give_up_after


def test_answers_are_judged_without_gaps() -> None:
    assert {judge(status) for status in range(200, 600)} == set(Kind)


# ---- places to a host --------------------------------------------------------------------------


def room(host_limits: HostLimits, host: str, now: datetime) -> int:
    return dict(host_limits.room(now)).get(host, host_limits.at_once)


def test_a_host_has_so_many_places_and_no_more() -> None:
    host_limits = HostLimits(at_once=2)
    host_limits.leased("a")
    assert (room(host_limits, "a", NOW), room(host_limits, "b", NOW)) == (1, 2)
    host_limits.leased("a")
    assert (room(host_limits, "a", NOW), room(host_limits, "b", NOW)) == (0, 2)
    host_limits.released("a")
    assert room(host_limits, "a", NOW) == 1


def test_a_host_that_fails_rests_and_is_then_asked_with_one() -> None:
    host_limits = HostLimits(at_once=8)
    host_limits.failed("a", NOW, None)
    assert room(host_limits, "a", NOW) == 0
    assert room(host_limits, "a", NOW + SECOND) == 1
    host_limits.failed("a", NOW + SECOND, None)
    assert room(host_limits, "a", NOW + 2 * SECOND) == 0, "longer the second time"
    assert room(host_limits, "a", NOW + 3 * SECOND) == 1
    host_limits.succeeded("a")
    assert room(host_limits, "a", NOW) == 8


def test_those_that_fail_side_by_side_count_once() -> None:
    host_limits = HostLimits(at_once=8)
    for _ in range(8):
        host_limits.failed("a", NOW, None)
    assert room(host_limits, "a", NOW + SECOND) == 1


def test_a_host_rests_as_long_as_it_asks() -> None:
    host_limits = HostLimits(at_once=8)
    host_limits.failed("a", NOW, timedelta(hours=1))
    assert room(host_limits, "a", NOW + timedelta(minutes=59)) == 0


def test_alerts_are_sent_whatever_became_of_others() -> None:
    host_limits = HostLimits(at_once=8, cooldown=False)
    host_limits.failed("a", NOW, timedelta(hours=1))
    assert room(host_limits, "a", NOW) == 8


# ---- endpoints and their secrets ---------------------------------------------------------------


def form(url: str, **changes: Any) -> RecipientForm:
    given = {"audience": "ops", "channels": [{"kind": "webhook", "url": url}]}
    return RecipientForm.model_validate(given | changes)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://clinic.example/hook",
        "file:///etc/passwd",
        "http://",
        "clinic.example/hook",
        "https://user:pass@clinic.example/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "https://clinic.example/hook#x",
        "http://clinic.example:99999999/",
        "http://\x00/",
    ],
)
def test_only_http_endpoints_of_somebody_are_taken(url: str) -> None:
    with pytest.raises(ValidationError):
        form(url)


@pytest.mark.parametrize(
    "url", ["https://clinic.example/hook?x=1", "http://127.0.0.1:9000/", "http://bücher.example/"]
)
def test_an_endpoint_queues_by_its_host(url: str) -> None:
    assert form(url).channels[0].host == httpx.URL(url).netloc.decode()


KEY_1, KEY_2 = "k1:" + "A" * 43 + "=", "k2:" + "B" * 42 + "A="


def test_a_secret_is_sealed_and_opened_with_whichever_key_it_was_sealed_with() -> None:
    old = Sealer.from_setting(SecretStr(KEY_1))
    sealed = old.seal("a-shared-secret")
    assert b"a-shared-secret" not in sealed
    assert sealed != old.seal("a-shared-secret"), "never the same twice"
    both = Sealer.from_setting(SecretStr(f"{KEY_2},{KEY_1}"))
    assert both.open(sealed) == "a-shared-secret"
    assert both.seal("x").startswith(b"k2:")
    with pytest.raises(Misconfigured):
        Sealer.from_setting(SecretStr(KEY_2)).open(sealed)


def test_a_wrong_key_setting_is_named_and_not_quoted() -> None:
    for wrong in ("secretvalue", "k1:secretvalue", "k1:c2hvcnQ="):
        with pytest.raises(Misconfigured, match="NOTIFY_ENCRYPTION_KEYS") as raised:
            Sealer.from_setting(SecretStr(wrong))
        assert wrong not in str(raised.value)
