"""Reading bytes into facts never raises, and never quotes what it could not read."""

from typing import Any

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.deserialize import decoder, parser, read
from shared.kafka.generation import Generation
from tests.wire.samples import SAMPLES


def record(value: bytes | None, headers: tuple[tuple[str, Any], ...] = ()) -> Any:
    return ConsumerRecord("intake.referrals.v1", 0, 7, 0, 0, b"k", value, None, 1, 1, headers)


values = (
    st.none() | st.binary(max_size=300) | st.sampled_from([s.model_dump_json().encode() for s in SAMPLES])
)
headers = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=8)), max_size=3).map(tuple)


@given(values, headers)
def test_any_bytes_are_a_fact_or_a_named_reason(value: bytes | None, headers: tuple[Any, ...]) -> None:
    received = read(record(value, headers))
    assert [received.fact, received.unreadable, received.skipped].count(None) == 2
    assert received.unreadable in {None, "empty", "not_json", "wrong_shape", "header_not_utf8"}
    assert received.skipped in {None, "unknown_type", "unknown_value"}


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_fact_is_never_half_read(sample: Any, data: st.DataObject) -> None:
    body = sample.model_dump_json().encode()
    cut = data.draw(st.integers(0, len(body) - 1))
    received = read(record(body[:cut]))
    assert received.fact is None


def test_deep_nesting_is_unreadable_and_not_a_crash() -> None:
    assert read(record(b"[" * 200_000)).unreadable == "not_json"


async def test_frameworks_parser_never_sees_the_headers_that_would_lose_the_batch() -> None:
    class Message:
        raw_message: Any = None
        consumer: Any = None

    async def original(records: Any) -> Message:
        for one in records:
            assert {name: value.decode() for name, value in one.headers} == {}
        return Message()

    good = SAMPLES[0]
    records = (record(good.model_dump_json().encode()), record(b"{}", (("h", b"\xff"),)), record(None))
    received = await decoder(await parser(records, original, generation=Generation()))
    assert [one.unreadable for one in received] == [None, "header_not_utf8", "empty"]
    assert received[0].fact == good
