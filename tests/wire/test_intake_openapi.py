"""What integrators read of intake's API is complete, and its examples are true."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.intake.api import request_examples, requests, responses
from services.intake.api.changes import merge
from services.intake.api.parsing import read
from services.intake.app import create_app
from services.intake.settings import IntakeSettings

NOW = datetime(2025, 3, 4, tzinfo=UTC)
KEYS = "k1:" + base64.b64encode(b"1" * 32).decode()


def described() -> dict[str, Any]:
    return create_app(IntakeSettings(encryption_keys=KEYS)).openapi()  # type: ignore[arg-type]  # as from a file


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in described()["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in item.items():
                yield f"{method} {path}", operation


OPERATIONS = dict(operations())

ROUTES = {
    "post /v1/referrals",
    "get /v1/referrals",
    "post /v1/referrals/batch",
    "get /v1/referrals/{referral_id}",
    "get /v1/referrals/{referral_id}/identity",
    "get /v1/referrals/{referral_id}/events",
    "post /v1/referrals/{referral_id}/amendments",
    "post /v1/referrals/{referral_id}/screenings",
    "post /v1/referrals/{referral_id}/withdrawal",
}


def test_these_are_the_routes() -> None:
    assert set(OPERATIONS) == ROUTES


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_operation_says_what_it_takes_and_gives_with_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"] and operation["description"] and operation["security"]
    bodies = [operation["requestBody"]] if name.startswith("post") else []
    for body in (*bodies, *operation["responses"].values()):
        assert body["content"]
        for media in body["content"].values():
            assert media["schema"] and media["example"]
    assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])


def test_every_problem_is_told_as_problem_details() -> None:
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert set(answer["content"]) == {"application/problem+json"}


def test_every_reference_leads_somewhere() -> None:
    whole = described()
    names = whole["components"]["schemas"]
    text = json.dumps(whole)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used and used <= set(names)


@pytest.mark.parametrize(
    ("form", "example"),
    [
        (requests.ReferralForm, request_examples.REFERRAL),
        (requests.ReferralForm, request_examples.MINIMAL),
        (requests.ReferralForm, merge(request_examples.REFERRAL, request_examples.AMENDMENT)),
        (requests.BatchLine, request_examples.BATCH_LINE),
        (requests.ScreeningsForm, request_examples.SCREENINGS),
        (requests.WithdrawalForm, request_examples.WITHDRAWAL),
    ],
)
def test_the_examples_of_requests_are_taken(form: type[requests.Form], example: Any) -> None:
    assert read(form, json.dumps(example).encode(), now=NOW)


@pytest.mark.parametrize(
    "model",
    [
        responses.Accepted,
        responses.ReferralAnswer,
        responses.ReferralPage,
        responses.IdentityAnswer,
        responses.ProblemAnswer,
        responses.BatchAnswer,
    ],
)
def test_the_examples_of_answers_are_such_answers(model: type[responses.Answer]) -> None:
    examples: Any = model.model_config["json_schema_extra"]
    for example in examples["examples"]:
        assert TypeAdapter(model).validate_json(json.dumps(example))


def test_the_full_example_leaves_nothing_out() -> None:
    assert set(request_examples.REFERRAL) == set(requests.ReferralForm.model_fields)
    assert set(request_examples.REFERRAL["client"]) == set(requests.ClientForm.model_fields)
