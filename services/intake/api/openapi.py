"""The API's description: bodies that we read ourselves, and the problems that every route can answer with."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.intake.api import request_examples, requests, response_examples, responses
from shared.web.problems import MEDIA_TYPE

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
NDJSON: Final = "application/x-ndjson"
EVENT_STREAM: Final = "text/event-stream"

COMPONENTS: Final[tuple[type[BaseModel], ...]] = (
    requests.ReferralForm,
    requests.BatchLine,
    requests.ScreeningsForm,
    requests.WithdrawalForm,
    responses.ProblemAnswer,
    responses.Accepted,
    responses.ReferralAnswer,
    responses.ReferralPage,
    responses.IdentityAnswer,
    responses.BatchAnswer,
)

AMENDMENT: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Amendment",
    "description": "Any part of a ReferralForm, as a JSON Merge Patch (RFC 7396): what is given replaces, "
    "null takes away, lists are replaced whole, what is not mentioned stays.",
    "properties": {name: True for name in requests.ReferralForm.model_fields},
    "additionalProperties": False,
    "examples": [request_examples.AMENDMENT],
}

AMENDMENT_REF: Final = {"$ref": "#/components/schemas/Amendment"}

PROBLEMS: Final[Mapping[int, str]] = {
    400: "Not JSON.",
    401: "No token, or not one that this network signed.",
    403: "A token of a role that this route does not serve.",
    404: "There is no such referral, or it is another clinic's.",
    409: "Not possible in this state, or the Idempotency-Key was used for another request.",
    412: "If-Match names an older revision.",
    413: "The body is too large.",
    415: "Another content type.",
    422: "Something in the request cannot be; every problem is named. Of a form nothing was taken and nobody "
    "has been told; where something on it cannot wait, `safety_advice` says what to do now.",
    429: "Too many requests of this clinic are under way. See Retry-After.",
    503: "Nothing can be stored at the moment. See Retry-After and send the same again.",
}


def ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def body(schema: dict[str, Any], example: Any, *media: str) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its own body."""
    content = {each: {"schema": schema, "example": example} for each in media}
    return {"requestBody": {"required": True, "content": content}}


def answer(
    status: int, description: str, schema: dict[str, Any], example: Any, *, media: str = JSON
) -> dict[int | str, dict[str, Any]]:
    content = {media: {"schema": schema, "example": example}}
    return {status: {"description": description, "content": content}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Those that are particular to a route, and those that all have."""
    content = {MEDIA_TYPE: {"schema": ref(responses.ProblemAnswer), "example": response_examples.PROBLEM}}
    always = {401, 403, 422, 429, 503}
    return {
        status: {"description": PROBLEMS[status], "content": content}
        for status in sorted(always.union(statuses))
    }


def finish(app: FastAPI) -> None:
    """Add what our own reading of bodies keeps FastAPI from finding."""
    generated = app.openapi

    def with_components() -> dict[str, Any]:
        described = generated()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        if "ReferralForm" not in schemas:
            _, ours = models_json_schema(
                [(model, "validation") for model in COMPONENTS], ref_template="#/components/schemas/{model}"
            )
            schemas.update(ours["$defs"])
            schemas["Amendment"] = AMENDMENT
        return described

    app.openapi = with_components  # type: ignore[method-assign]  # FastAPI's own way to extend it
