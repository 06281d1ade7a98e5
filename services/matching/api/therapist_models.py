"""A therapist's entry as a coordinator gives it: what the therapist states, checked, nothing quoted back."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.matching.domain.profiles import AGE_GROUPS, area_code
from services.matching.domain.therapist_entry import Entry
from shared import languages
from shared.vocabulary import GENDERS, HOURS, MODALITIES, PROBLEMS, SETTINGS, WEEKDAYS

CODE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$"


def _shaped(pattern: str, takes: str) -> AfterValidator:
    shape = re.compile(pattern)

    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise PydanticCustomError("wrong_shape", takes)
        return text

    return AfterValidator(check)


def _one_of(codes: Iterable[str], takes: str | None = None) -> AfterValidator:
    known = frozenset(codes)
    message = takes or f"Unknown code. Known are: {', '.join(sorted(known))}."

    def check(code: str) -> str:
        if code not in known:
            raise PydanticCustomError("unknown_code", message)
        return code

    return AfterValidator(check)


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    _shaped(r"[^\x00-\x1f\x7f\ud800-\udfff]+", "A name on one line, without control characters."),
]
CodeWord = Annotated[
    str,
    _shaped(CODE, "Takes a code: letters, digits, `_`, `.` and `-`, no space, at most 64."),
    Field(json_schema_extra={"pattern": CODE}),
]
AreaCode = Annotated[CodeWord, AfterValidator(area_code)]


def _language(text: str) -> str:
    tag = languages.canonical(text)
    if tag is None:
        raise PydanticCustomError(
            "unknown_language", "Names no language known here. Takes a BCP 47 tag such as `es` or `yue`."
        )
    return tag


Language = Annotated[
    str,
    AfterValidator(_language),
    Field(
        max_length=languages.LONGEST, description="A BCP 47 tag. `spa`, `ES` and `Spanish` are kept as `es`."
    ),
]


def _enum(codes: Iterable[str]) -> dict[str, JsonValue]:
    return {"enum": list[JsonValue](sorted(codes))}


Modality = Annotated[str, _one_of(MODALITIES), Field(json_schema_extra=_enum(MODALITIES))]
ProblemCode = Annotated[str, _one_of(PROBLEMS), Field(json_schema_extra=_enum(PROBLEMS))]
AgeGroup = Annotated[str, _one_of(AGE_GROUPS), Field(json_schema_extra=_enum(AGE_GROUPS))]
Gender = Annotated[str, _one_of(GENDERS), Field(json_schema_extra=_enum(GENDERS))]
Setting = Annotated[str, _one_of(SETTINGS), Field(json_schema_extra=_enum(SETTINGS))]
Hour = Annotated[str, _one_of(HOURS, "Takes hours of the week from `mon-00` to `sun-23`, such as `tue-17`.")]
Most = Field(max_length=200)

EXAMPLE: Final[dict[str, JsonValue]] = {
    "name": "R. Alvarez, LICSW",
    "region": "otter",
    "telehealth_regions": ["heron"],
    "area": "OT-03",
    "languages": ["en", "es"],
    "works_with_interpreter": True,
    "payers": ["harbor_mutual", "self_pay"],
    "modalities": ["behavioural_activation", "cbt"],
    "problems": ["anxiety", "depression"],
    "age_groups": ["adult", "older"],
    "perinatal": True,
    "genders": ["woman"],
    "cultures": ["latino"],
    "culture_familiarity": ["latino", "veteran"],
    "faiths": [],
    "settings": ["in_person", "telehealth"],
    "hours": ["tue-17", "tue-18", "thu-09"],
    "places_total": 4,
    "active": True,
}


class TherapistEntry(BaseModel):
    """All of an entry; a field left out takes its default. Lists are sets: order and repetition do not
    matter. Empty `problems` means a generalist; what is empty elsewhere is not stated, and meets no must."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    name: Annotated[Name, Field(description="As clients may read it. It never leaves matching.")]
    region: CodeWord
    telehealth_regions: Annotated[
        list[CodeWord], Most, Field(description="Other regions where the therapist may see clients remotely.")
    ] = []
    area: Annotated[
        AreaCode | None, Field(description="Postal area, whose centre stands for the place of work.")
    ] = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=50)]
    works_with_interpreter: bool = False
    payers: Annotated[list[CodeWord], Most, Field(description="Who pays; `self_pay` is one of them.")] = []
    modalities: Annotated[list[Modality], Field(min_length=1, max_length=50)]
    problems: Annotated[list[ProblemCode], Most] = []
    age_groups: Annotated[list[AgeGroup], Field(min_length=1, max_length=10)]
    perinatal: bool = False
    genders: Annotated[list[Gender], Most] = []
    cultures: Annotated[list[CodeWord], Most] = []
    culture_familiarity: Annotated[list[CodeWord], Most] = []
    faiths: Annotated[list[CodeWord], Most] = []
    settings: Annotated[list[Setting], Field(min_length=1, max_length=10)]
    hours: Annotated[list[Hour], Most] = []
    places_total: Annotated[int, Field(ge=0, le=1000, description="Clients taken on at one time.")]
    active: bool = True

    @model_validator(mode="after")
    def _remote_regions_need_telehealth(self) -> Self:
        if self.telehealth_regions and "telehealth" not in self.settings:
            raise PydanticCustomError(
                "settings_missing_telehealth",
                "`telehealth_regions` need `telehealth` among `settings`.",
            )
        return self

    def stated(self) -> Entry:
        """As it is stored: lists sorted, nothing twice, so that equal entries are equal values."""
        given = self.model_dump()
        return Entry(**{name: _stated(value) for name, value in given.items()})


def _stated(value: Any) -> Any:
    return tuple(sorted(set(value), key=_place)) if isinstance(value, list) else value


def _place(code: str) -> tuple[int, str]:
    """Hours in the order of the week, everything else by the alphabet."""
    return (WEEKDAYS.index(code[:3]) if code in HOURS else 0, code)
