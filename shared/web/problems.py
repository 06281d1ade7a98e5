"""Errors a user can meet, as RFC 9457 problem details: what is wrong, where, what to do; all at once.

Nothing the caller sent is quoted back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import Transient
from shared.telemetry import logs

log = logs.get(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One thing to mend: `where` is a JSON pointer or a header or parameter name."""

    where: str
    what: str
    code: str


class Problem(Exception):
    """Ends a request with this answer. `members` are extension members of RFC 9457."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = faults
        self.headers = headers
        self.members = members or {}

    def body(self) -> dict[str, Any]:
        """The JSON members of RFC 9457, and `errors` with every fault."""
        members: dict[str, Any] = {
            "type": f"urn:careroute:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.faults:
            members["errors"] = [{"where": f.where, "what": f.what, "code": f.code} for f in self.faults]
        return {**members, **self.members}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """Also the answer for what exists but is not the caller's."""
    return Problem(404, "not_found", f"There is no such {what}, or it is not yours to see.")


def unavailable() -> Problem:
    return Problem(
        503,
        "try_again",
        "The service cannot store anything at the moment. Nothing was taken; send the same request again.",
        headers={"Retry-After": "5"},
    )


def faults(errors: Sequence[Any]) -> list[Fault]:
    """Pydantic's errors as faults, without what was sent."""
    return [_fault(error) for error in errors]


def _fault(error: Any) -> Fault:
    location = [str(part) for part in error["loc"]]
    inside_body = location[:1] == ["body"]
    where = "/" + "/".join(location[1:]) if inside_body else ".".join(location)
    if error["type"] == "extra_forbidden":
        return Fault(where, "This field is not known here. Take it out or correct its name.", "unknown_field")
    what = error["msg"].removeprefix("Value error, ")
    return Fault(where, what, error["type"])


def install(app: FastAPI) -> None:
    """Every way a request can fail ends in a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Transient, _transient)
    app.add_exception_handler(Exception, _bug)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = faults(error.errors())
    unreadable = any(fault.code == "json_invalid" for fault in found)
    if unreadable:
        return Problem(400, "not_json", "The body is not JSON.", faults=found).response()
    return Problem(
        422, "invalid", "Nothing was taken. Every problem is listed in `errors`.", faults=found
    ).response()


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("'", "")
    return Problem(error.status_code, code, phrase, headers=error.headers).response()


async def _transient(_: Request, error: Exception) -> JSONResponse:
    log.warning("request could not be served", action="http", error=str(error))
    return unavailable().response()


async def _bug(_: Request, error: Exception) -> JSONResponse:
    log.error("request failed", action="http", exc_info=error)
    return Problem(
        500, "our_fault", "This is a fault of ours, not of your request. It was logged."
    ).response()
