"""Reading bytes into facts, without ever raising: what cannot be read is named and set aside.

What only a newer writer could have written is not broken: it is skipped, or read without the value that is
not known here. See docs/decisions/0015-readers-before-writers.md.
"""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import ConsumerRecord
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from shared.events import READER, AnyFact
from shared.kafka import unknown_values
from shared.kafka.generation import Generation, GenerationReader
from shared.telemetry import trace

UNKNOWN_TYPE: Final = "unknown_type"
UNKNOWN_VALUE: Final = "unknown_value"
SKIPS: Final = (UNKNOWN_TYPE, UNKNOWN_VALUE)
"""Why an event is skipped."""


@dataclass(frozen=True)
class Received:
    """A record and the fact in it, or the code of why there is none: `unreadable` is broken, `skipped` is for
    readers newer than this one. `unknown_values`: how many were read as something else."""

    record: ConsumerRecord
    fact: AnyFact | None
    unreadable: str | None = None
    skipped: str | None = None
    unknown_values: int = 0

    @property
    def traceparent(self) -> str | None:
        """The W3C trace that the record came under, if it is a valid one."""
        for name, value in self.record.headers:
            if name == "traceparent" and isinstance(value, bytes):
                return trace.valid(value.decode("ascii", "replace"))
        return None


def read(record: ConsumerRecord, reader: TypeAdapter[AnyFact] = READER) -> Received:
    """Never raises; never quotes what it could not read."""
    if not record.value:
        return Received(record, None, "empty")
    if any(not _clean(value) for _, value in record.headers):
        return Received(record, None, "header_not_utf8")
    try:
        return Received(record, reader.validate_json(record.value))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    except (ValueError, RecursionError):
        return Received(record, None, "not_json")
    if any(problem["type"] == "json_invalid" for problem in problems):
        return Received(record, None, "not_json")
    return _read_what_is_known(record, problems, reader)


def _read_what_is_known(
    record: ConsumerRecord, problems: Sequence[Any], reader: TypeAdapter[AnyFact]
) -> Received:
    event = from_json(record.value)  # takes what the reader takes; the standard library may raise
    if any(problem["type"] == "union_tag_invalid" for problem in problems):
        if isinstance(event["type"], str):
            return Received(record, None, skipped=UNKNOWN_TYPE)
        return Received(record, None, "wrong_shape")
    unknown = unknown_values.find(event, problems)
    if unknown is None:
        return Received(record, None, "wrong_shape")
    if unknown.skip:
        return Received(record, None, skipped=UNKNOWN_VALUE)
    unknown_values.replace(event, unknown.places)
    try:
        fact = reader.validate_json(json.dumps(event))
    except ValueError:
        return Received(record, None, "wrong_shape")
    return Received(record, fact, unknown_values=len(unknown.places))


def _clean(value: object) -> bool:
    if not isinstance(value, bytes):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


async def parser(
    records: Sequence[ConsumerRecord], original: Callable[[Any], Awaitable[Any]], *, generation: Generation
) -> Any:
    """FastStream's own parser decodes every header and loses the batch at a bad one; give it none."""
    number = generation.number  # of the membership that has just read them
    message = await original(tuple(dataclasses.replace(record, headers=()) for record in records))
    message.raw_message = tuple(records)
    message.consumer = GenerationReader(message.consumer, generation, number)
    return message


async def decoder(message: Any) -> list[Received]:
    """One `Received` per record, in order."""
    return [read(record) for record in message.raw_message]
