"""What a request itself states, apart from what was known of the referral before."""

from collections.abc import Mapping
from typing import Any, Final

from services.intake.api.requests import ReferralForm
from shared.events import Case, Stated

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "red_flags": ("red_flags",),
    "screenings": ("screenings",),
    "diagnoses": ("diagnoses",),
    "problems": ("problems",),
    "external_levels": ("external_levels",),
    "requested_priority": ("requested_priority",),
    "past_attempt": ("history", "past_attempt"),
    "age": ("client", "birth_date"),
    "perinatal": ("client", "perinatal"),
}
"""Parts of a case that may ask for a response, and where a form says them."""
SAID_IN: Final = {"express", *(path[0] for path in PARTS.values())}
"""Fields of a form that state anything."""


def stated_in(said: Mapping[str, Any], case: Case) -> Stated:
    """`said` is the JSON of a form or of a merge patch; `case` is what became of it. What is taken away is
    not stated, and neither is that it can wait."""
    parts = tuple(part for part, path in PARTS.items() if _at(said, path) is not None)
    return Stated(
        parts=(*parts, "express") if said.get("express") is True else parts,
        sheets=len(case.screenings) if "screenings" in parts else 0,
    )


def only_stated(form: ReferralForm, said: Mapping[str, Any]) -> ReferralForm:
    """The form without what `said` does not mention. Client and consent are never left out."""
    fields = ReferralForm.model_fields.items()
    silent = {name: field.default for name, field in fields if not field.is_required() and name not in said}
    return form.model_copy(update=silent)


def _at(said: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, Mapping) else None
    return said
