"""The wire may grow, never change: what was written yesterday is read today, and the other way round.

A new optional field: run `python -m tests.wire.test_facts` to write the snapshots anew and review the diff.
"""

import json
import typing
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from shared import events
from shared.events import READER, Topic
from tests.wire.samples import SAMPLES

SNAPSHOTS = Path(__file__).parent / "snapshots"
FACTS: tuple[type[events.Fact], ...] = get_args(get_args(events.AnyFact)[0])
by_type = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)


def snapshot(sample: events.Fact) -> dict[str, Any]:
    return {
        "topic": sample.topic,
        "key": sample.key,
        "lane": sample.lane,
        "body": json.loads(sample.model_dump_json()),
        "schema": type(sample).model_json_schema(),
    }


def saved(sample: events.Fact) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SNAPSHOTS / f"{sample.type}.json").read_text())
    return found


def test_every_fact_has_a_sample_and_a_snapshot() -> None:
    assert {type(sample) for sample in SAMPLES} == set(FACTS)
    assert {file.stem for file in SNAPSHOTS.iterdir()} == {sample.type for sample in SAMPLES}


@by_type
def test_a_fact_keeps_its_topic_key_and_lane(sample: events.Fact) -> None:
    before = saved(sample)
    assert (sample.topic, sample.key, sample.lane) == (before["topic"], before["key"], before["lane"])


@by_type
def test_what_was_written_before_is_read_the_same(sample: events.Fact) -> None:
    assert READER.validate_json(json.dumps(saved(sample)["body"])) == sample


@by_type
def test_what_is_written_now_has_all_that_was_written_before(sample: events.Fact) -> None:
    assert not list(lost(saved(sample)["body"], json.loads(sample.model_dump_json()), sample.type))


def lost(before: Any, now: Any, where: str) -> typing.Iterator[str]:
    """Paths that were on the wire and are no more, or say something else."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name, value in before.items():
            if name not in now:
                yield f"{where}.{name}"
            else:
                yield from lost(value, now[name], f"{where}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from lost(old, new, f"{where}[{place}]")
    elif before != now:
        yield where


@by_type
def test_nothing_new_is_required(sample: events.Fact) -> None:
    """An older writer does not send it, so a newer reader must do without."""
    before, now = definitions(saved(sample)["schema"]), definitions(type(sample).model_json_schema())
    for name, old in before.items():
        assert set(now[name].get("required", [])) <= set(old.get("required", [])), name


def definitions(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema.get("$defs", {})
    return {"": schema} | found


@by_type
def test_unknown_fields_are_ignored(sample: events.Fact) -> None:
    body = json.loads(sample.model_dump_json()) | {"field_of_the_future": {"a": [1]}}
    assert READER.validate_json(json.dumps(body)) == sample


def test_the_check_can_fail() -> None:
    assert list(lost({"a": 1, "b": [{"c": 2}]}, {"b": [{"c": 3}]}, "fact")) == ["fact.a", "fact.b[0].c"]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_no_field_has_room_for_a_persons_words(fact: type[events.Fact]) -> None:
    """Every string is a code, a date, an id or a sentence of the system's own policy."""
    assert not list(open_strings(fact.model_json_schema()))


def open_strings(schema: Any, where: str = "") -> typing.Iterator[str]:
    if isinstance(schema, dict):
        bounded = {"pattern", "enum", "const", "format", "maxLength"} & schema.keys()
        if schema.get("type") == "string" and not bounded and not where.endswith("/type"):
            yield where
        for name, value in schema.items():
            yield from open_strings(value, f"{where}/{name}")
    elif isinstance(schema, list):
        for place, value in enumerate(schema):
            yield from open_strings(value, f"{where}/{place}")


def test_dead_letters_have_a_place_of_their_own_per_group() -> None:
    assert Topic.INTAKE_REFERRALS.dead("triage") == "intake.referrals.v1.triage.dead"


def test_sentences_are_only_where_policy_speaks() -> None:
    """A sentence has 400 characters of room, so each place that holds one is named here."""
    places = {
        f"{model.__name__}.{name}"
        for model in vars(events).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
        if any(getattr(mark, "max_length", None) == 400 for mark in field.metadata)
    }
    assert places == {
        "FiredRule.datum",
        "FiredRule.text",
        "Question.text",
        "Advice.text",
        "NextStep.text",
        "Indication.source",
    }


if __name__ == "__main__":
    for sample in SAMPLES:
        (SNAPSHOTS / f"{sample.type}.json").write_text(json.dumps(snapshot(sample), indent=1) + "\n")
