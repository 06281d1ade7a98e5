"""Dead letters: a message that can never be handled is set aside, whole, with the reason and its origin.

The reason is a code. What an error says may quote a person's words, so it is never kept.
A dead letter is keyed by its origin; an empty record with the same key means that it was replayed.
"""

from collections.abc import Iterable
from typing import Final

from aiokafka import ConsumerRecord

from shared.events import Topic

REASON: Final = "x-reason"
HANDLER: Final = "x-handler"
ORIGIN_TOPIC: Final = "x-origin-topic"
ORIGIN_PARTITION: Final = "x-origin-partition"
ORIGIN_OFFSET: Final = "x-origin-offset"
ORIGIN_KEY: Final = "x-origin-key-hex"
OURS: Final = frozenset({REASON, HANDLER, ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ORIGIN_KEY})

Headers = list[tuple[str, bytes]]


def origin(record: ConsumerRecord) -> str:
    """Where a record stands, such as `intake.referrals.v1/3/512`."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def headers(record: ConsumerRecord, *, reason: str, handler: str) -> Headers:
    """The record's own headers and ours."""
    own: Iterable[tuple[str, bytes | None]] = record.headers
    return [
        *((name, value or b"") for name, value in own if name not in OURS),
        (REASON, reason.encode()),
        (HANDLER, handler.encode()),
        (ORIGIN_TOPIC, record.topic.encode()),
        (ORIGIN_PARTITION, str(record.partition).encode()),
        (ORIGIN_OFFSET, str(record.offset).encode()),
        (ORIGIN_KEY, (record.key or b"").hex().encode()),
    ]


def place(topic: str, group: str) -> str:
    """The topic that holds what `group` could not take from `topic`."""
    return Topic(topic).dead(group)
