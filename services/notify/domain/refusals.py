"""Why a command is refused."""

from dataclasses import dataclass


class Refused(Exception):
    """Nothing was changed."""


class UnknownNotice(Refused):
    pass


class NothingToAcknowledge(Refused):
    """It is no alert."""


class TakeoverNeeded(Refused):
    """It is the part of a psychiatrist, which somebody else takes over by name and with a reason."""


class NoOutcomeAsked(Refused):
    pass


class NotAcknowledged(Refused):
    """Whoever responds acknowledges first."""


class AnotherOutcome(Refused):
    """Another outcome is recorded, or its time was over."""


@dataclass(eq=False)
class NotForTheRota(Refused):
    """Recipients that do not exist, and those that are neither psychiatrists nor clinicians."""

    unknown: frozenset[str]
    wrong_audience: frozenset[str]
