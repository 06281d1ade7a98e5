"""What each criterion of a preference takes."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.vocabulary import GENDERS, HOURS, MODALITIES, SETTINGS, Criterion

LONGEST: Final = 64


def _wish_value(value: Any) -> str:
    """A code, or a number, which is kept as one. `wish_values` says which codes a criterion takes."""
    text = value.strip() if isinstance(value, str) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    if text is None or not 0 < len(text) <= LONGEST or not text.isprintable():
        raise PydanticCustomError("wrong_shape", "Takes a code or a number.")
    return text


WishValue = Annotated[
    str,
    PlainValidator(_wish_value),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": LONGEST}, {"type": "number", "minimum": 0}]}),
]

CODED: Final = {
    Criterion.MODALITY: MODALITIES,
    Criterion.THERAPIST_GENDER: GENDERS,
    Criterion.SETTING: SETTINGS,
    Criterion.HOURS: HOURS,
}
TAKES: Final = {
    Criterion.HOURS: "hours of the week such as `tue-17`",
    Criterion.DISTANCE_KM: "one number of kilometres, above 0",
    Criterion.THERAPIST: "therapists' ids",
    Criterion.NOT_THERAPIST: "therapists' ids",
}


def wish_values(criterion: Criterion, values: tuple[str, ...]) -> tuple[str, ...]:
    """As codes. Raises naming the places of those that this criterion does not take."""
    wrong = [str(place) for place, value in enumerate(values) if not fits(criterion, value)]
    if criterion is Criterion.DISTANCE_KM and len(values) > 1:
        wrong = wrong or ["1"]
    if wrong:
        takes = TAKES.get(criterion) or ", ".join(sorted(CODED.get(criterion, ("codes",))))
        context = {"places": ", ".join(wrong), "takes": takes}
        raise PydanticCustomError(
            "unknown_code", "Not taken at place {places}. This criterion takes: {takes}.", context
        )
    return values


def fits(criterion: Criterion, value: str) -> bool:
    if criterion is Criterion.DISTANCE_KM:
        return _kilometres(value)
    if criterion in CODED:
        return value in CODED[criterion]
    if criterion in (Criterion.THERAPIST, Criterion.NOT_THERAPIST):
        return _is_uuid(value)
    return True


def _kilometres(value: str) -> bool:
    try:
        return 0 < float(value) <= 1000 and "e" not in str(value).lower()
    except ValueError:
        return False


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
