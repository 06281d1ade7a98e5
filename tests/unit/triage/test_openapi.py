"""What integrators read of triage's API is complete, and its examples are true."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from services.triage.api import requests, responses
from services.triage.app import create_app
from services.triage.settings import TriageSettings
from tests.unit.triage.samples import POLICY

API = create_app(TriageSettings()).openapi()
OPERATIONS = {
    f"{method} {path}": operation
    for path, item in API["paths"].items()
    if path.startswith("/v1/")
    for method, operation in item.items()
}


def models() -> Iterator[type[BaseModel]]:
    for module in (responses, requests):
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, BaseModel)
                and value.__module__ == module.__name__
            ):
                yield value


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_route_says_what_can_go_wrong_with_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    assert {"401", "403", "422", "503"} <= set(operation["responses"])
    problems = [each for status, each in operation["responses"].items() if status >= "400"]
    for problem in problems:
        content = problem["content"]["application/problem+json"]
        assert content["schema"] and content["example"]["code"]
    if "/reviews/{" in name:
        assert {"404", "409"} <= set(operation["responses"])


@pytest.mark.parametrize("model", list(models()), ids=lambda model: model.__name__)
def test_every_shape_has_an_example_that_it_would_take(model: type[BaseModel]) -> None:
    found: Any = model.model_config.get("json_schema_extra")
    assert found and found["examples"]
    for example in found["examples"]:
        TypeAdapter(model).validate_python(example)


def test_the_examples_of_decisions_use_the_codes_of_the_policy() -> None:
    extra: Any = requests.DecisionBody.model_config["json_schema_extra"]
    for example in extra["examples"]:
        assert example["reason"] in POLICY.reasons[example["action"]]
        assert set(example.get("questions", ())) <= set(POLICY.questions)
        assert set(example.get("advice", ())) <= set(POLICY.advice)
        assert {step["step"] for step in example.get("next_steps", ())} <= set(POLICY.next_steps)
