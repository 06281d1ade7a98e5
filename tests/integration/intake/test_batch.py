"""Many referrals in one request: answered line by line, in order, in flat memory, whatever some hold."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from services.intake.api.context import ApiContext
from services.intake.api.ndjson import TOO_LONG, Line, lines
from services.intake.api.preparation import prepare
from services.intake.api.request_examples import MINIMAL, REFERRAL
from services.intake.api.requests import ReferralForm
from services.intake.handlers.submissions import StoredResponse
from shared.ids import now
from shared.web.auth import Role
from tests.integration.intake.support import Intake, bearer, intake_on, ndjson, served
from tests.support import NewDatabase, eventually

BIRTH_DATES = Path(__file__).parents[2] / "cases" / "birth_dates.json"
TYPE = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def intake(database: NewDatabase) -> AsyncIterator[Intake]:
    async with intake_on(await database("intake")) as intake:
        yield intake


async def send(intake: Intake, body: bytes, **more: Any) -> list[dict[str, Any]]:
    answer = await intake.http.post("/v1/referrals/batch", content=body, headers=bearer(**more) | TYPE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def keyed(number: int, **changes: Any) -> dict[str, Any]:
    return MINIMAL | {"idempotency_key": f"key-{number}"} | changes


async def test_every_line_is_answered_in_order_and_bad_ones_do_not_stop_the_rest(intake: Intake) -> None:
    body = ndjson(keyed(1), keyed(2, problems=["zeal"], notes=5), REFERRAL)
    body += b"{nonsense\n\n" + ndjson(keyed(3))
    answers = await send(intake, body.rstrip(b"\n"))
    assert [(each["line"], each["status"]) for each in answers] == [
        (1, 202),
        (2, 422),
        (3, 202),
        (4, 400),
        (6, 202),
    ]
    assert answers[1]["problem"]["errors"][0]["where"] == "/problems/0"
    assert answers[2]["referral"]["safety_advice"]["lines"]
    assert await intake.count("referral") == 3
    assert (await intake.read(answers[0]["referral"]["id"]))["state"] == "received"


async def test_a_line_that_cannot_wait_is_taken_or_answered_with_the_crisis_lines(intake: Intake) -> None:
    crisis: dict[str, Any] = {"red_flags": ["overdose", "x"], "notes": 5}
    nameless = keyed(2, **crisis) | {"client": {"region": "north"}}
    odd_key = keyed(3, **crisis) | {"idempotency_key": "two words"}
    body = ndjson(keyed(1, **crisis), nameless, odd_key)
    first, again = await send(intake, body), await send(intake, body)
    assert [each["status"] for each in first] == [202, 422, 202] and first == again
    assert all(each["referral"]["safety_advice"]["lines"] for each in (first[0], first[2]))
    assert first[1]["problem"]["detail"].startswith("NOT taken; nobody has been told.")
    assert first[1]["problem"]["safety_advice"]["because"] == ["flag.overdose"]
    assert await intake.count("referral") == 2


async def test_a_batch_sent_twice_is_the_same_batch(intake: Intake) -> None:
    body = ndjson(*(keyed(number) for number in range(50)))
    first, again = await asyncio.gather(send(intake, body), send(intake, body))
    assert first == again == await send(intake, body)
    assert await intake.count("referral") == await intake.count("outbox") == 50
    single = await intake.call("POST", "/v1/referrals", MINIMAL, Idempotency_Key="key-7")
    assert single.json() == first[7]["referral"]


async def test_one_key_twice_in_one_batch(intake: Intake) -> None:
    answers = await send(intake, ndjson(keyed(1), keyed(1), keyed(1, payer="payer-a")))
    assert [each["status"] for each in answers] == [202, 202, 409]
    assert answers[0]["referral"] == answers[1]["referral"]
    assert await intake.count("referral") == 1


async def test_ten_thousand_lines_in_one_request_from_a_caller_who_reads_nothing_before_the_end(
    intake: Intake,
) -> None:
    count = 10_000

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, count, 500):
            yield ndjson(*(keyed(number) for number in range(start, start + 500)))

    process = psutil.Process(os.getpid())
    async with served(intake.app) as address, httpx.AsyncClient(base_url=address, timeout=120) as http:
        before = process.memory_info().rss
        headers = bearer() | TYPE
        async with http.stream("POST", "/v1/referrals/batch", content=chunks(), headers=headers) as answer:
            most, numbers = 0, []
            async for line in answer.aiter_lines():
                numbers.append(json.loads(line)["line"])
                if len(numbers) % 1000 == 0:
                    most = max(most, process.memory_info().rss)
    assert numbers == list(range(1, count + 1))
    assert await intake.count("referral") == await intake.count("outbox") == count
    assert most - before < 60_000_000


async def test_answers_come_while_lines_are_sent_and_the_place_is_held_until_the_last(
    database: NewDatabase,
) -> None:
    async with (
        intake_on(await database("intake"), max_under_way=1) as intake,
        served(intake.app) as address,
        asyncio.timeout(20),
    ):
        reader, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
        head = {"Host": "intake", "Transfer-Encoding": "chunked", **bearer(), **TYPE}
        lines = [f"{name}: {value}\r\n" for name, value in head.items()]
        writer.write(f"POST /v1/referrals/batch HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
        writer.write(_chunk(ndjson(keyed(1))))
        assert b"200 OK" in await reader.readuntil(b'"line":1')
        assert (await intake.call("POST", "/v1/referrals", MINIMAL)).status_code == 429
        writer.write(_chunk(ndjson(keyed(2))) + _chunk(b""))
        await reader.readuntil(b'"line":2')
        await reader.readuntil(b"\r\n0\r\n\r\n")

        async def free() -> bool:
            return (await intake.call("POST", "/v1/referrals", MINIMAL)).status_code == 202

        await eventually(free, what="giving the place back")
        writer.close()


def _chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


async def test_a_caller_who_sends_no_more_is_told_so(database: NewDatabase) -> None:
    never = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield ndjson(keyed(1))
        await never.wait()

    async with intake_on(await database("intake"), batch_patience_seconds=0.3) as intake:
        answer = await intake.http.post("/v1/referrals/batch", content=chunks(), headers=bearer() | TYPE)
        first, last = (json.loads(line) for line in answer.text.splitlines())
        assert (first["status"], last["status"], last["line"]) == (202, 408, 2)


async def test_a_line_that_is_too_long_is_answered_and_not_kept(intake: Intake) -> None:
    answers = await send(intake, ndjson(keyed(1), keyed(2, notes="x" * 1_100_000), keyed(3)))
    assert [each["status"] for each in answers] == [202, 413, 202]


async def test_one_row_that_the_database_refuses_does_not_take_down_the_others(intake: Intake) -> None:
    """A constraint made for this test stands for a fault of ours."""
    await intake.pool.execute("alter table referral add check (region <> 'cursed')")
    cursed = keyed(2, client=MINIMAL["client"] | {"region": "cursed"})
    answers = await send(intake, ndjson(keyed(1), cursed, keyed(3)))
    assert [each["status"] for each in answers] == [202, 500, 202]
    assert await intake.count("referral") == 2


async def test_a_try_that_was_committed_unheard_is_not_done_twice(intake: Intake) -> None:
    """As after a connection that broke on commit: the referrals are there already, without any key."""
    context: ApiContext = intake.app.state.context
    form = ReferralForm.model_validate_json(json.dumps(MINIMAL))
    ready = [
        prepare(form, rules=context.rules, clinic="clinic-1", key=None, traceparent=None, now=now())
        for _ in range(3)
    ]
    first = await context.submit_all(ready[:2])
    again = await context.submit_all(ready, again=True)
    assert again[:2] == first and isinstance(again[2], StoredResponse)
    assert await intake.count("referral") == await intake.count("outbox") == 3


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_another_content_type_is_refused_before_anything_is_read(intake: Intake, kind: str) -> None:
    headers = bearer() | {"Content-Type": kind}
    answer = await intake.http.post("/v1/referrals/batch", content=b"{}", headers=headers)
    assert (answer.status_code, answer.headers["accept-post"]) == (415, "application/x-ndjson")


async def test_only_clinics_send_batches(intake: Intake) -> None:
    headers = bearer(Role.COORDINATOR) | TYPE
    answer = await intake.http.post("/v1/referrals/batch", content=ndjson(MINIMAL), headers=headers)
    assert answer.status_code == 403


CUTS = [
    ("one line, no newline", [b"a"], [b"a"]),
    ("lines across chunks", [b"a", b"b\nc", b"\n", b"d\ne\n"], [b"ab", b"c", b"d", b"e"]),
    ("empty lines count", [b"\n\na\n"], [b"", b"", b"a"]),
    ("too long in one chunk", [b"aaaaaa\nb\n"], [TOO_LONG, b"b"]),
    ("too long over many", [b"aaa", b"aaa", b"aaa\nb", b"\n"], [TOO_LONG, b"b"]),
    ("too long and never ended", [b"aaa", b"aaa", b"aaa"], [TOO_LONG]),
    ("as long as allowed", [b"aaaaa\n", b"bbbbb"], [b"aaaaa", b"bbbbb"]),
    ("nothing", [], []),
]


@pytest.mark.parametrize(("chunks", "expected"), [c[1:] for c in CUTS], ids=[c[0] for c in CUTS])
async def test_cutting_lines(chunks: list[bytes], expected: list[Line]) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    assert [line async for found in lines(stream(), most=5) for line in found] == expected


async def test_each_line_reads_its_birth_date_as_the_cases_say(intake: Intake) -> None:
    """The days of the cases that depend on the day of submission are left out."""
    cases = [case for case in json.loads(BIRTH_DATES.read_text()) if "2026" not in str(case["birth_date"])]
    client = MINIMAL["client"]
    body = ndjson(*(MINIMAL | {"client": client | {"birth_date": case["birth_date"]}} for case in cases))
    answers = await send(intake, body)
    assert [each["status"] for each in answers] == [case["right"]["status"] for case in cases]
