"""A reader of before, on today's wire: it takes what it knows, skips the rest, and calls nothing broken."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, create_model

from shared import events
from shared.events import AnyFact
from shared.kafka.deserialize import Received, read
from shared.kafka.unknown_values import READ_AS
from tests.wire.samples import SAMPLES

FACTS: Final[tuple[type[events.Fact], ...]] = get_args(get_args(AnyFact)[0])
NEW_TYPES: Final = (events.CrisisOutcomeRecorded,)

Path = tuple[str, ...]


def received(body: Any, reader: TypeAdapter[AnyFact] = events.READER) -> Received:
    value = json.dumps(body).encode()
    return read(ConsumerRecord("t", 0, 7, 0, 0, b"k", value, None, 1, len(value), ()), reader)


def body_of(sample: events.Fact) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sample.model_dump_json())
    return found


SKIPS: Final = {
    ("type",),
    ("urgency",),
    ("level_of_care",),
    ("next_steps", "*", "owner"),
    ("reason",),  # of ReferralWaitlisted; all others are codes
    ("audience",),
    ("outcome",),
}
"""An event with an unknown value here is skipped; all other places of enums are in `READ_AS`."""


def enum_places(kind: Any, path: Path = ()) -> Iterator[Path]:
    """Wherever a value of a closed list stands in an event."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from enum_places(field.annotation, (*path, name))
    elif get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        yield path
    elif get_origin(kind) is tuple:
        yield from enum_places(get_args(kind)[0], (*path, "*"))
    elif get_origin(kind) is Annotated:
        yield from enum_places(get_args(kind)[0], path)
    else:
        for each in get_args(kind):
            yield from enum_places(each, path)


def test_of_every_enum_on_the_wire_it_is_decided_how_an_unknown_value_is_read() -> None:
    places = {place for fact in FACTS for place in enum_places(fact)}
    assert places == set(READ_AS) | SKIPS
    assert not set(READ_AS) & SKIPS


def reachable(body: Any, path: Path) -> Iterator[tuple[str | int, ...]]:
    """The places of this event that `path` names."""
    if not path:
        yield ()
    elif path[0] == "*":
        for index, each in enumerate(body):
            yield from ((index, *rest) for rest in reachable(each, path[1:]))
    elif isinstance(body, dict) and path[0] in body:
        yield from ((path[0], *rest) for rest in reachable(body[path[0]], path[1:]))


def put(body: Any, place: tuple[str | int, ...], value: object) -> Any:
    changed = json.loads(json.dumps(body))
    inner = changed
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return changed


CASES: Final = [
    (sample, path, place)
    for sample in SAMPLES
    for path in sorted(set(enum_places(type(sample))))
    for place in reachable(body_of(sample), path)
]


@pytest.mark.parametrize(
    ("sample", "path", "place"),
    CASES,
    ids=lambda each: getattr(each, "type", None) or ".".join(map(str, each)),
)
def test_an_unknown_value_anywhere_is_never_called_broken(
    sample: events.Fact, path: Path, place: tuple[str | int, ...]
) -> None:
    found = received(put(body_of(sample), place, "value_of_the_future"))
    assert found.unreadable is None
    if path in SKIPS:
        assert found.skipped == ("unknown_type" if path == ("type",) else "unknown_value")
    else:
        assert (found.skipped, found.unknown_values) == (None, 1)
        assert found.fact is not None
        assert "value_of_the_future" not in found.fact.model_dump_json()


@pytest.mark.parametrize(
    ("sample", "path", "place"),
    CASES,
    ids=lambda each: getattr(each, "type", None) or ".".join(map(str, each)),
)
@pytest.mark.parametrize("value", [7_000, {"a": 1}, ["a"]], ids=str)
def test_a_wrong_shape_in_the_same_place_is_broken(
    sample: events.Fact, path: Path, place: tuple[str | int, ...], value: object
) -> None:
    assert received(put(body_of(sample), place, value)).unreadable == "wrong_shape"


def by_type(name: str) -> Any:
    return next(sample for sample in SAMPLES if sample.type == name)


def unknown(name: str, **values: Any) -> Any:
    found = received(body_of(by_type(name)) | values)
    assert found.fact is not None
    return found.fact


def test_what_is_read_in_place_of_an_unknown_value_errs_on_the_safe_side() -> None:
    case = body_of(by_type("ReferralSubmitted"))["case"]
    sheet = case["screenings"][0] | {"answers": [0, 0, 0, 0, 0, 0, 0, 0, "prefers_to_write"]}
    new = {"sex": "x", "requested_priority": "x", "guardian": "x", "screenings": [sheet]}
    read_case = unknown("ReferralSubmitted", case=case | new).case
    assert (read_case.sex, read_case.requested_priority) == ("unknown", "unknown")
    assert read_case.guardian == "absent"
    assert read_case.screenings[0].answers[8] is None
    triaged = unknown("ReferralTriaged", team=["a", "psychiatrist", "b"], restates="x", action="x")
    assert triaged.team == ("psychiatrist",)
    assert triaged.restates == triaged.urgency
    assert triaged.action is None


def test_several_unknown_values_are_counted_each_and_one_that_cannot_be_read_skips_the_event() -> None:
    body = body_of(by_type("ReferralTriaged"))
    assert received(body | {"team": ["a", "b"], "action": "x"}).unknown_values == 3
    assert received(body | {"team": ["a"], "urgency": "x"}).skipped == "unknown_value"
    assert received(body | {"team": ["a"], "decision": "x"}).unreadable == "wrong_shape"
    assert received(body | {"urgency": "x", "decision": 0}).unreadable == "wrong_shape"


@pytest.mark.parametrize("kind", ["X", "", "Crisis Outcome"])
def test_an_unknown_type_is_skipped_whatever_else_it_has(kind: str) -> None:
    assert received({"type": kind}).skipped == "unknown_type"
    assert received({"type": kind, "event_id": 7, "case": "x"}).skipped == "unknown_type"


@pytest.mark.parametrize("body", [{}, {"type": None}, {"type": 3}, {"type": ["X"]}, ["X"], "X", 3, None])
def test_without_a_type_it_is_broken(body: Any) -> None:
    assert received(body).unreadable == "wrong_shape"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=5,
    ),
    st.sampled_from(CASES),
)
def test_no_value_in_the_place_of_an_enum_raises(value: Any, case: Any) -> None:
    sample, _, place = case
    found = received(put(body_of(sample), place, value))
    assert [found.fact, found.unreadable, found.skipped].count(None) == 2


class OldSex(StrEnum):
    FEMALE = "female"
    UNKNOWN = "unknown"


class OldTriaged(events.TriageFact):
    type: Literal["ReferralTriaged"] = "ReferralTriaged"
    urgency: Literal["urgent", "routine"]
    team: tuple[Literal["therapist"], ...]


def old_union() -> TypeAdapter[Any]:
    """Today's facts without the newest type, optional fields and enum values."""
    old_case: Any = create_model("Case", __base__=events.Case, sex=(OldSex, OldSex.UNKNOWN))
    old: dict[str, Any] = {
        kind.__name__: create_model(kind.__name__, __base__=kind, case=(old_case, ...))
        for kind in (events.ReferralSubmitted, events.ReferralAmended, events.ScreeningRecorded)
    } | {"ReferralTriaged": OldTriaged}
    union: Any = None
    for kind in FACTS:
        if kind not in NEW_TYPES:
            union = old.get(kind.__name__, kind) if union is None else union | old.get(kind.__name__, kind)
    return TypeAdapter(Annotated[union, Field(discriminator="type")])


OLD: Final = old_union()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_an_old_reader_takes_or_skips_everything_on_todays_wire(sample: events.Fact) -> None:
    found = received(body_of(sample), OLD)
    if isinstance(sample, NEW_TYPES):
        assert found.skipped == "unknown_type"
    elif isinstance(sample, events.ReferralTriaged):
        assert found.skipped == "unknown_value"  # very_urgent
    else:
        assert found.fact is not None
        assert found.fact.event_id == sample.event_id


def test_an_old_reader_loses_no_referral_to_a_value_it_can_do_without() -> None:
    submitted = body_of(by_type("ReferralSubmitted"))
    found = received(put(submitted, ("case", "sex"), "other"), OLD)
    assert found.fact is not None
    assert (found.fact.case.sex, found.unknown_values) == ("unknown", 1)  # type: ignore[union-attr]  # a submission
    triaged = received(body_of(by_type("ReferralTriaged")) | {"urgency": "urgent"}, OLD)
    assert triaged.fact is not None
    assert triaged.fact.team == ("therapist",)  # type: ignore[union-attr]  # a decision
