"""What the description of the API says of answers that are problems."""

from typing import Any, Final

from shared.problems import MEDIA_TYPE

WHEN: Final = {
    401: "No token, or not one of this network.",
    403: "The token's role may not do this, or its subject is not a code.",
    404: "There is no such thing here.",
    409: "Somebody else holds it, something changed since it was read, or it is over; `detail` says what "
    "to do.",
    422: "Something in it is wrong; every fault is named.",
    503: "Nothing can be stored at the moment; send the same again.",
}

_TEXT: Final = {"type": "string"}
_FAULT: Final = {
    "type": "object",
    "properties": {"where": _TEXT, "what": _TEXT, "code": _TEXT},
    "required": ["where", "what", "code"],
}
EXAMPLE: Final = {
    "type": "urn:careroute:problem:seen_is_old",
    "title": "Conflict",
    "status": 409,
    "code": "seen_is_old",
    "detail": "Something changed since you looked. Read the decisions again, then decide.",
    "errors": [{"where": "/seen", "what": "The newest decision is number 3.", "code": "seen_is_old"}],
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


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Besides those that every operation can answer with."""
    return {
        status: {
            "description": WHEN[status],
            "content": {MEDIA_TYPE: {"schema": PROBLEM, "example": EXAMPLE}},
        }
        for status in (401, 403, 422, 503, *statuses)
    }
