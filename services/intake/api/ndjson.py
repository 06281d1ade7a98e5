"""A stream of bytes, cut into lines without ever holding more than one of them and one chunk."""

from collections.abc import AsyncIterator
from enum import Enum
from typing import Final


class Long(Enum):
    """Stands for a line that was longer than allowed and was not kept."""

    TOO_LONG = "too long"


TOO_LONG: Final = Long.TOO_LONG
Line = bytes | Long


async def lines(chunks: AsyncIterator[bytes], *, most: int) -> AsyncIterator[list[Line]]:
    """The lines that each chunk completes; a last one need not end with a newline."""
    rest, skipping = bytearray(), False
    async for chunk in chunks:
        rest += chunk
        if b"\n" in chunk:
            *whole, rest = rest.split(b"\n")
            found = [_line(line, most) for line in whole]
            if skipping:
                found[0], skipping = TOO_LONG, False
            yield found
        if len(rest) > most:
            rest, skipping = bytearray(), True
    if skipping or rest:
        yield [TOO_LONG if skipping else bytes(rest)]


def _line(line: bytearray, most: int) -> Line:
    return bytes(line) if len(line) <= most else TOO_LONG
