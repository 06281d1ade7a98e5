"""What the description of triage's API says of answers that are problems."""

from functools import partial
from typing import Final

from shared.web import openapi

WHEN: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    404: "There is no such thing here.",
    409: "Somebody else holds it, something changed since it was read, or it is over; `detail` says what "
    "to do.",
}
EXAMPLE: Final = {
    "type": "urn:careroute:problem:seen_is_old",
    "title": "Conflict",
    "status": 409,
    "code": "seen_is_old",
    "detail": "Something changed since you looked. Read the decisions again, then decide.",
    "errors": [{"where": "/seen", "what": "The newest decision is number 3.", "code": "seen_is_old"}],
}

problems = partial(openapi.problems, when=WHEN, example=EXAMPLE)
