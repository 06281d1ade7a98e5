"""Why a request about a referral is not carried out."""

from dataclasses import dataclass

from services.intake.domain.status import State


class Refusal(Exception):
    """Nothing was changed."""


class UnknownReferral(Refusal):
    """It does not exist, or it is another clinic's; whoever asks cannot tell the two apart."""


class KeyUsed(Refusal):
    """The idempotency key came before with another request."""


@dataclass
class OutOfDate(Refusal):
    """The request was made for another revision than the present one."""

    revision: int


@dataclass
class NoLongerOpen(Refusal):
    """A referral in a final state changes no more."""

    state: State
