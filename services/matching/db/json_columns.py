"""The JSON columns of matching's tables as values of the domain, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from services.matching.domain.client_needs import ClientNeeds
from services.matching.domain.eligibility_columns import Relaxation
from services.matching.domain.offers import RunnerUp
from services.matching.domain.profiles import Wish
from services.matching.domain.scoring import CriterionScore
from services.matching.domain.therapist_entry import Entry

Json = Mapping[str, Any]

_ENTRY: Final = tuple(field.name for field in fields(Entry) if field.name != "name")
_NEEDS: Final = tuple(field.name for field in fields(ClientNeeds) if field.name != "wishes")


def _value(stored: Any) -> Any:
    return tuple(stored) if isinstance(stored, list) else stored


def entry_of(name: str, stored: Json) -> Entry:
    return Entry(name=name, **{key: _value(stored[key]) for key in _ENTRY})


def entry_json(entry: Entry) -> dict[str, Any]:
    """All of it but the name, which has a column of its own."""
    return {key: getattr(entry, key) for key in _ENTRY}


def needs_of(stored: Json) -> ClientNeeds:
    wishes = tuple(Wish(wish["criterion"], tuple(wish["values"]), wish["must"]) for wish in stored["wishes"])
    return ClientNeeds(wishes=wishes, **{key: _value(stored[key]) for key in _NEEDS})


def needs_json(needs: ClientNeeds) -> dict[str, Any]:
    stored = {key: getattr(needs, key) for key in _NEEDS}
    return stored | {"wishes": [_wish_json(wish) for wish in needs.wishes]}


def _wish_json(wish: Wish) -> dict[str, Any]:
    return {"criterion": wish.criterion, "values": wish.values, "must": wish.must}


def relaxations_of(stored: Iterable[Json] | None) -> tuple[Relaxation, ...]:
    return tuple(Relaxation(each["limit"], each["opens"]) for each in stored or ())


def criteria_of(stored: Iterable[Json]) -> tuple[CriterionScore, ...]:
    return tuple(CriterionScore(each["criterion"], each["score"], each["weight"]) for each in stored)


def criterion_json(score: CriterionScore) -> dict[str, Any]:
    return {"criterion": score.criterion, "score": score.score, "weight": score.weight}


def runners_up_of(stored: Iterable[Json]) -> tuple[RunnerUp, ...]:
    return tuple(
        RunnerUp(UUID(each["therapist_id"]), each["score"], tuple(each["scores"])) for each in stored
    )


def runner_up_json(runner_up: RunnerUp) -> dict[str, Any]:
    return {
        "therapist_id": str(runner_up.therapist_id),
        "score": runner_up.score,
        "scores": runner_up.scores,
    }
