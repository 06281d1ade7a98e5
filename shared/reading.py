"""Reading bytes into facts, without ever raising: what cannot be read is named and set aside."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared import trace
from shared.events import READER, AnyFact
from shared.membership import Membership, Seat


@dataclass(frozen=True)
class Received:
    """A record and the fact in it, or the code of why there is none."""

    record: ConsumerRecord
    fact: AnyFact | None
    unreadable: str | None = None

    @property
    def traceparent(self) -> str | None:
        """The W3C trace that the record came under, if it is a valid one."""
        for name, value in self.record.headers:
            if name == "traceparent" and isinstance(value, bytes):
                return trace.valid(value.decode("ascii", "replace"))
        return None


def read(record: ConsumerRecord) -> Received:
    """Never raises; never quotes what it could not read."""
    if not record.value:
        return Received(record, None, "empty")
    if any(not _clean(value) for _, value in record.headers):
        return Received(record, None, "header_not_utf8")
    try:
        return Received(record, READER.validate_json(record.value))
    except ValidationError as error:
        kinds = {problem["type"] for problem in error.errors(include_input=False, include_context=False)}
        return Received(record, None, _why(kinds))
    except (ValueError, RecursionError):
        return Received(record, None, "not_json")


def _why(kinds: set[str]) -> str:
    if "json_invalid" in kinds:
        return "not_json"
    if "union_tag_invalid" in kinds:
        return "unknown_type"
    return "wrong_shape"


def _clean(value: object) -> bool:
    if not isinstance(value, bytes):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


async def parser(
    records: Sequence[ConsumerRecord], original: Callable[[Any], Awaitable[Any]], *, membership: Membership
) -> Any:
    """FastStream's own parser decodes every header and loses the batch at a bad one; give it none."""
    number = membership.number  # of the membership that has just read them
    message = await original(tuple(dataclasses.replace(record, headers=()) for record in records))
    message.raw_message = tuple(records)
    message.consumer = Seat(message.consumer, membership, number)
    return message


async def decoder(message: Any) -> list[Received]:
    """One `Received` per record, in order."""
    return [read(record) for record in message.raw_message]
