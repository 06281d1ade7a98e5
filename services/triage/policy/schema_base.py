"""What every table of a policy file has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.instruments import Status

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
LONGEST_TEXT = 400
Text = Annotated[str, StringConstraints(min_length=5, max_length=LONGEST_TEXT)]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class SourceShape(Shape):
    source: Text
    status: Status
