"""What is said back about languages, and which of them travel."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.intake.domain.screening_notes import Note
from shared.languages import canonical, language

NOT_UNDERSTOOD: Final = {"language_unknown": "language", "spoken_language": "spoken_language"}
"""By a warning's code, the part of the form that travels in `Case.not_understood`."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A language as it was sent; `where` is a JSON pointer. Which language of a group is asked where the
    answer matters to whom the client is offered (`asks`). `limit`: without it a must would be lost."""

    where: str
    text: str
    asks: bool = True
    limit: bool = False


def known(tags: Iterable[str]) -> tuple[str, ...]:
    """In canonical form, without those that name no language."""
    return tuple(dict.fromkeys(tag for each in tags if (tag := canonical(each)) is not None))


def not_understood(tags: Sequence[Tag]) -> tuple[str, ...]:
    """The parts of the form, each once. A lost must is a limit that a clinician settles."""
    parts = [NOT_UNDERSTOOD[note.code] for note in _warnings(tags)]
    lost = ["must"] if any(tag.limit for tag in tags) else []
    return tuple(dict.fromkeys((*parts, *lost)))


def warnings(tags: Iterable[Tag]) -> tuple[Note, ...]:
    return tuple(_warnings(tags))


def _warnings(tags: Iterable[Tag]) -> Iterator[Note]:
    asked: set[str] = set()
    for tag in tags:
        found = language(tag.text)
        if found is None:
            what = "This names no language known here. It counts as not stated. Send a BCP 47 tag."
            yield Note(tag.where, what, "language_unknown")
        elif found.is_group and tag.asks and found.spoken not in asked:
            asked.add(found.spoken)
            what = (
                "This code covers several languages. Ask which one is spoken and send that, such as `cmn` or "
                "`yue` instead of `zh`. Until then it is compared as it is."
            )
            yield Note(tag.where, what, "spoken_language")
