"""Wherever an API takes a day or a time, it refuses numbers, epochs and half a date, as problem details."""

import asyncio
import base64
import json
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from services.intake.api.request_examples import REFERRAL
from services.intake.app import create_app as intake
from services.intake.settings import IntakeSettings
from services.matching.app import create_app as matching
from services.notify.app import create_app as notify
from services.triage.app import create_app as triage
from shared.web.auth import ALGORITHM, AUDIENCE, Role, Verifier
from shared.web.problems import MEDIA_TYPE

KEY: Final = ec.generate_private_key(ec.SECP384R1())
NDJSON: Final = "application/x-ndjson"
FORMATS: Final = ("date", "date-time")
ID: Final = "01234567-89ab-7cde-8f01-23456789abcd"

NUMBERS: Final = (0, 1, -1, 1772464800, 1772464800000, 1772464800.5, 20260302, True)
TEXTS: Final = (
    *(str(each) for each in NUMBERS),
    "20260302T170000Z",
    "2026-W10-1",
    "2026-061",
    "03/02/2026",
    "2026-3-2",
    "2026-03-02T17:00:00",
    "2026-03-02 17:00:00Z",
    "2026-03-02T17:00Z",
    "2026-03-02T25:00:00Z",
    "2026-02-30T17:00:00Z",
    "2026-03-02T17:00:00+24:00",
    "0001-01-01T00:00:00+14:00",
    "now",
    "",
)
GOOD: Final = {
    "date": ("2025-02-28", "2024-02-29"),
    "date-time": (
        "2026-03-02T17:00:00Z",
        "2026-03-02t17:00:00.123456z",
        "2026-03-02T17:00:00+05:30",
        "2026-03-02T17:00:00.123456789-05:00",
    ),
}
APPS: Final[dict[str, FastAPI]] = {
    "intake": intake(IntakeSettings(encryption_keys=f"k1:{b64encode(bytes(32)).decode()}")),  # type: ignore[arg-type]  # as from a file
    "triage": triage(),
    "matching": matching(),
    "notify": notify(),
}
for app in APPS.values():
    app.state.verifier = Verifier({"test": KEY.public_key()})


@dataclass(frozen=True)
class Place:
    """Where a request holds a day or a time: a parameter, or a way into the body's example."""

    service: str
    method: str
    path: str
    format: str
    media: str | None
    at: tuple[Any, ...]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path} {'.'.join(map(str, self.at))}"


def places() -> Iterator[Place]:
    for service, app in APPS.items():
        api = app.openapi()
        for path, item in api["paths"].items():
            for method, operation in item.items():
                yield from _parameters(service, method, path, operation, api)
                yield from _fields(service, method, path, operation, api)


def _parameters(service: str, method: str, path: str, operation: Any, api: Any) -> Iterator[Place]:
    for parameter in operation.get("parameters", ()):
        for _, kind in formats(parameter["schema"], api):
            assert parameter["in"] == "query"
            yield Place(service, method, path, kind, None, (parameter["name"],))


def _fields(service: str, method: str, path: str, operation: Any, api: Any) -> Iterator[Place]:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        for way, kind in set(formats(content["schema"], api)):
            examples = list(_examples(content, api))
            body, at = next(found for e in examples if (found := (e, concrete(e, way)))[1] is not None)
            assert at is not None
            yield Place(service, method, path, kind, media, at, body)


def _examples(content: Any, api: Any) -> Iterator[Any]:
    schema = resolved(content["schema"], api)
    given = (content.get("example"), schema.get("example"), *schema.get("examples", ()))
    for example in (*given, *((REFERRAL,) if schema.get("title") == "BatchLine" else ())):
        if example is not None:
            yield _that_can_wait(json.loads(example) if isinstance(example, str) else example)


def _that_can_wait(example: Any) -> Any:
    """Beside what cannot wait, intake takes a form without the day that it cannot read."""
    sheets = example.get("screenings") if isinstance(example, dict) else None
    if not sheets:
        return example
    calm = [sheet | {"answers": [0] * len(sheet["answers"])} for sheet in sheets]
    return {name: value for name, value in example.items() if name != "red_flags"} | {"screenings": calm}


def resolved(schema: Any, api: Any) -> Any:
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def formats(schema: Any, api: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(schema, dict):
        return
    schema = resolved(schema, api)
    if schema.get("format") in FORMATS:
        yield way, schema["format"]
    for name, inner in schema.get("properties", {}).items():
        yield from formats(inner, api, (*way, name))
    yield from formats(schema.get("items"), api, (*way, "*"))
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from formats(each, api, way)


def concrete(body: Any, way: tuple[str, ...]) -> tuple[Any, ...] | None:
    at: list[Any] = []
    for name in way:
        step: Any = 0 if name == "*" else name
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
        at.append(step)
    return tuple(at)


PLACES: Final = sorted(places(), key=str)
everywhere = pytest.mark.parametrize("place", PLACES, ids=str)


def token(role: Role) -> str:
    now = datetime.now(UTC).timestamp()
    claims = {"aud": AUDIENCE, "sub": "somebody", "role": role, "iat": now, "exp": now + 3600}
    claims |= {"clinic": "clinic-1"} if role is Role.CLINIC else {}
    return jwt.encode(claims, KEY, algorithm=ALGORITHM, headers={"kid": "test"})


TOKENS: Final = [token(role) for role in Role]


async def send(service: str, method: str, path: str, **request: Any) -> httpx.Response:
    """As the first role that is let in. There is no database behind it."""
    path = path.replace("{region}", "north").replace("{recipient_id}", "oncall-1")
    path = "/".join(ID if part.startswith("{") else part for part in path.split("/"))
    transport = httpx.ASGITransport(APPS[service], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for each in TOKENS:
            headers = request.get("headers", {}) | {"Authorization": f"Bearer {each}"}
            answer = await http.request(method, path, **request | {"headers": headers})
            if answer.status_code != 403:
                break
    return answer


async def with_value(place: Place, value: Any) -> tuple[int, Any, str]:
    """Status, body and media type of the answer, or of the line."""
    if place.media is None:
        answer = await send(place.service, place.method, place.path, params={place.at[0]: value})
    else:
        body = deepcopy(place.body)
        inner = body
        for part in place.at[:-1]:
            inner = inner[part]
        inner[place.at[-1]] = value
        content = json.dumps(body).encode() + b"\n" * (place.media == NDJSON)
        headers = {"content-type": place.media}
        answer = await send(place.service, place.method, place.path, content=content, headers=headers)
    if place.media == NDJSON and answer.status_code == 200:
        line = json.loads(answer.text)
        return line["status"], line["problem"], MEDIA_TYPE
    return answer.status_code, answer.json(), answer.headers["content-type"]


def names(problem: Any, place: Place) -> bool:
    where = "/" + "/".join(map(str, place.at)) if place.media else f"query.{place.at[0]}"
    return any(fault["where"] == where for fault in problem.get("errors", ()))


def test_there_are_such_places_in_all_four_services() -> None:
    assert {place.service for place in PLACES} == set(APPS)
    assert {place.at[-1] for place in PLACES} >= {
        "birth_date",
        "taken_on",
        "updated_since",
        "since",
        "by",
        "starts_at",
        "from",
        "until",
        "at",
    }


@everywhere
async def test_a_number_or_half_a_date_is_refused_and_named(place: Place) -> None:
    for value in (*(NUMBERS if place.media else ()), *TEXTS):
        status, problem, media = await with_value(place, value)
        assert (status, media) == (422, MEDIA_TYPE), value
        assert names(problem, place), value


@everywhere
async def test_a_day_or_time_in_full_is_not_refused(place: Place) -> None:
    if place.media == NDJSON:
        return  # without a database it tries again for seconds
    for value in GOOD[place.format]:
        status, problem, _ = await asyncio.wait_for(with_value(place, value), 10)
        assert status != 422 or not names(problem, place), value


def sealed(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "moment", ["0", "1772464800", "20260302T170000Z", "2026-W10-1", "2026-03-02", "", "2026-03-02T17:00:00"]
)
@pytest.mark.parametrize("quoted", [True, False])
async def test_a_cursor_holds_a_time_in_full(moment: str, quoted: bool) -> None:
    value: Any = moment if quoted or not moment.isdigit() else int(moment)
    for service, path, name, cursor in (
        ("intake", "/v1/referrals", "cursor", sealed(value, ID)),
        ("matching", "/v1/waitlist", "cursor", sealed(0, value, ID)),
        ("triage", "/v1/reviews", "after", f"{moment}~{ID}"),
    ):
        answer = await send(service, "get", path, params={name: cursor})
        assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE), service
        assert answer.json()["errors"][0]["where"] == f"query.{name}", service
