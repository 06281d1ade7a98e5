"""The policy file: what senders are told at once, and who is a minor. Data, checked when it is read."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Misconfigured
from shared.events import Code

DEFAULT: Final = Path(__file__).with_name("policy.toml")


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Checked):
    """Whom to call. Without `regions` it is for all of them."""

    name: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    how: str = Field(min_length=1)
    regions: tuple[Code, ...] = ()


class Safety(_Checked):
    """`text` says what to do now. `being_told` is added where a person is called because of the request."""

    text: str = Field(min_length=1)
    being_told: str = ""
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
