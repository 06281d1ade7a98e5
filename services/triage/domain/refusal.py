"""What a clinician can not do, and why. The API maps each of these to a status."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to correct: `where` is a JSON pointer into the command."""

    where: str
    what: str
    code: str


class Refusal(Exception):
    """Nothing is decided."""


class Unknown(Refusal):
    """There is no such thing: a `referral` or a `review`."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Conflict(Refusal):
    """The command does not fit the present state of the referral."""

    def __init__(self, code: str, detail: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = faults


class Invalid(Refusal):
    """The command itself does not hold; every fault is listed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("invalid")
        self.faults = faults
