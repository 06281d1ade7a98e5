"""What a client needs, as triage decided it and as matching keeps it for as long as the referral is open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.matching.domain.profiles import Client, Point, Wish
from shared.languages import spoken
from shared.vocabulary import Criterion

MEDICATION: Final = "medication_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientNeeds:
    """`first_line` and `alternatives` are the indicated modalities, in alphabetical order."""

    age: int | None
    perinatal: bool | None
    languages: tuple[str, ...]
    interpreter_ok: bool
    area: str | None
    payer: str | None
    problems: tuple[str, ...]
    wishes: tuple[Wish, ...]
    first_line: tuple[str, ...]
    alternatives: tuple[str, ...]


def modalities(first_line: Iterable[str], others: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """First line and alternatives to match by, without medication reviews where therapy is indicated."""
    first, other = set(first_line), set(others)
    if (first | other) - {MEDICATION}:
        first, other = first - {MEDICATION}, other - {MEDICATION}
    return tuple(sorted(first)), tuple(sorted(other - first))


def client_of(
    referral_id: UUID, region: str, needs: ClientNeeds, declined: Iterable[UUID], areas: Mapping[str, Point]
) -> Client:
    return Client(
        id=referral_id,
        region=region,
        age=needs.age,
        perinatal=bool(needs.perinatal),
        languages=spoken_languages(needs.languages),
        interpreter_ok=needs.interpreter_ok,
        payer=needs.payer,
        problems=needs.problems,
        first_line=frozenset(needs.first_line),
        alternatives=frozenset(needs.alternatives),
        wishes=tuple(wish for each in needs.wishes if (wish := _comparable(each)).values),
        point=areas.get(needs.area or ""),
        declined=frozenset(declined),
    )


def _comparable(wish: Wish) -> Wish:
    if wish.criterion == Criterion.LANGUAGE:
        return Wish(wish.criterion, spoken_languages(wish.values), wish.must)
    return wish


def spoken_languages(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are compared, whichever version stored them; unknown tags are left out."""
    return tuple(dict.fromkeys(found for tag in tags if (found := spoken(tag)) is not None))
