"""The kinds of values a form is made of: bounded, checked against the vocabulary, and never quoted back."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared import languages
from shared.vocabulary import (
    EXTERNAL_LEVELS,
    GOALS,
    MODALITIES,
    PROBLEMS,
    RED_FLAGS,
    STRENGTHS,
)

WITHDRAWAL_REASONS: Final = frozenset(
    {
        "client_declined",
        "found_other_care",
        "no_longer_needed",
        "moved_away",
        "not_reachable",
        "duplicate",
        "sent_in_error",
        "deceased",
        "other",
    }
)


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("not_text", "May not contain the character U+0000. Take it out.")
    return text


def _known(codes: frozenset[str]) -> AfterValidator:
    message = f"Unknown code. Known are: {', '.join(sorted(codes))}."

    def check(code: str) -> str:
        if code not in codes:
            raise PydanticCustomError("unknown_code", message)
        return code

    return AfterValidator(check)


def _shaped(pattern: str, takes: str) -> AfterValidator:
    shape = re.compile(pattern)

    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise PydanticCustomError("wrong_shape", takes)
        return text

    return AfterValidator(check)


def _answer(value: Any) -> int | str | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    if whole or value is None or value in ("refused", "unknown"):
        return value  # type: ignore[no-any-return]  # just narrowed
    raise PydanticCustomError(
        "not_an_answer", "Takes a whole number from 0 to 100, `refused`, `unknown` or null."
    )


Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_nul)
]
"""A name, a number to call, a line of an address."""

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_no_nul)
]
"""What a person wrote. It is sealed at once and never leaves intake."""

CODE: Final = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
_ICD: Final = r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"
_AREA: Final = r"[A-Za-z0-9][A-Za-z0-9\-]{0,15}"
_KEY: Final = r"[\x21-\x7e]{1,200}"
KEY: Final = "1 to 200 visible ASCII characters without a space."
KEY_SHAPE: Final = re.compile(_KEY)

CodeWord = Annotated[
    str,
    _shaped(CODE, "Takes a code: letters, digits, `_`, `.` and `-`, no space, at most 64."),
    Field(json_schema_extra={"pattern": f"^{CODE}$"}),
]
Area = Annotated[
    str,
    _shaped(_AREA, "Takes a postal area: letters, digits and `-`, no space, at most 16."),
    Field(json_schema_extra={"pattern": f"^{_AREA}$"}),
]
Language = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=languages.LONGEST),
    AfterValidator(_no_nul),
    Field(description="A BCP 47 tag such as `es` or `zh-Hant`. What names no language counts as not stated."),
]
DiagnosisCode = Annotated[
    str,
    _shaped(_ICD, "Takes an ICD-10-CM code with its dot, such as `F33.1`."),
    Field(json_schema_extra={"pattern": f"^{_ICD}$"}),
]
IdempotencyKey = Annotated[
    str,
    _shaped(_KEY, f"Takes {KEY}"),
    Field(json_schema_extra={"pattern": f"^{_KEY}$"}),
]

ProblemCode = Annotated[str, _known(PROBLEMS), Field(json_schema_extra={"enum": sorted(PROBLEMS)})]
GoalCode = Annotated[str, _known(GOALS), Field(json_schema_extra={"enum": sorted(GOALS)})]
StrengthCode = Annotated[str, _known(STRENGTHS), Field(json_schema_extra={"enum": sorted(STRENGTHS)})]
LevelCode = Annotated[
    str, _known(EXTERNAL_LEVELS), Field(json_schema_extra={"enum": sorted(EXTERNAL_LEVELS)})
]
FlagCode = Annotated[str, _known(RED_FLAGS), Field(json_schema_extra={"enum": sorted(RED_FLAGS)})]
ModalityCode = Annotated[str, _known(MODALITIES), Field(json_schema_extra={"enum": sorted(MODALITIES)})]
WithdrawalReason = Annotated[
    str, _known(WITHDRAWAL_REASONS), Field(json_schema_extra={"enum": sorted(WITHDRAWAL_REASONS)})
]

AnswerValue = Annotated[
    Any,
    PlainValidator(_answer),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 100},
                {"enum": ["refused", "unknown"]},
                {"type": "null"},
            ]
        }
    ),
]
"""One item of an answer sheet. Missing is not zero."""
