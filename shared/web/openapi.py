"""What the description of an API says of answers that are problems."""

from collections.abc import Mapping
from typing import Any, Final

from shared.web.problems import MEDIA_TYPE

Answers = dict[int | str, dict[str, Any]]

WHEN: Final[Mapping[int, str]] = {
    400: "The body is not JSON.",
    401: "No token, or not one of this network.",
    403: "The token's role may not do this.",
    404: "There is no such thing, or it is another's.",
    409: "It is no longer, or not yet, in a state that allows this.",
    412: "Somebody changed it since it was read.",
    413: "The body is too long.",
    415: "The body is not of the type asked for.",
    422: "Something in it is wrong; every fault is named.",
    428: "It exists; say by `If-Match` which version was read.",
    503: "Nothing can be stored at the moment; send the same again.",
}

_TEXT: Final = {"type": "string"}
_FAULT: Final = {
    "type": "object",
    "properties": {"where": _TEXT, "what": _TEXT, "code": _TEXT},
    "required": ["where", "what", "code"],
}
PROBLEM: Final = {
    "title": "Problem",
    "description": "RFC 9457 problem details; `errors` name every fault.",
    "type": "object",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
        "errors": {"type": "array", "items": _FAULT},
    },
    "required": ["type", "title", "status", "code", "detail"],
}


def problems(
    *statuses: int, when: Mapping[int, str] | None = None, example: Mapping[str, Any] | None = None
) -> Answers:
    """`responses` of a route: these, and those that every route can answer with. `when` says otherwise what
    some of them mean here."""
    said = {**WHEN, **(when or {})}
    content: dict[str, Any] = {"schema": PROBLEM} | ({"example": dict(example)} if example else {})
    return {
        status: {"description": said[status], "content": {MEDIA_TYPE: content}}
        for status in (401, 403, 422, 503, *statuses)
    }
