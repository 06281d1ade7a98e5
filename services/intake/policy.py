"""The policy file: what senders are told at once, and who is a minor. Data, checked when it is read."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Misconfigured
from shared.vocabulary import Code

DEFAULT: Final = Path(__file__).with_name("policy.toml")
NOT_TAKEN: Final = (
    "Something on this form asks for a response now, and this system tells nobody of it. If anybody may be "
    "in danger, call emergency services and stay with the person, or keep them on the line, until help has "
    "come. Give the person the numbers in `safety_advice`. Then correct what is listed and send it again."
)
"""Where a policy file says nothing else."""


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Checked):
    """Whom to call. Without `regions` it is for all of them."""

    name: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    how: str = Field(min_length=1)
    regions: tuple[Code, ...] = ()


class Safety(_Checked):
    """`text` says what to do now. `being_told` is added where a person is called because of the request;
    `text_not_taken` is said where it was not taken."""

    text: str = Field(min_length=1)
    being_told: str = ""
    text_not_taken: str = Field(default=NOT_TAKEN, min_length=1)
    lines: tuple[Line, ...] = Field(min_length=1)

    def lines_of(self, region: str) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if not line.regions or region in line.regions)


class Policy(_Checked):
    name: Code
    version: Code
    age_of_majority: int = Field(ge=1, le=25)
    safety: Safety


def load(path: Path) -> Policy:
    """Raises `Misconfigured` naming the file and every wrong entry of it."""
    try:
        return Policy.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Misconfigured(f"INTAKE_POLICY_FILE: {path}: {wrong}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"INTAKE_POLICY_FILE: {path} cannot be read ({type(error).__name__})") from None
