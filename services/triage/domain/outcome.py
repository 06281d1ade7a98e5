"""What a decision comes to: the new state, and what is to be published of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.triage.domain.basis import Basis
from services.triage.domain.pathway import Pathway
from services.triage.domain.policy import IndicationRule, Member
from services.triage.domain.reasons import Reason
from services.triage.domain.refusal import Conflict
from services.triage.domain.returns import Step
from services.triage.domain.state import TriageState
from shared.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class ByClinician:
    """Who decided what, and why."""

    by: str
    action: Literal["confirm", "raise", "lower"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaged:
    """`reasons` and `indications` are those that the network may know. With `discloses` it may know the whole
    case."""

    decision: int
    urgency: Urgency
    respond_by: datetime
    pathway: Pathway
    indications: tuple[IndicationRule, ...]
    reasons: tuple[Reason, ...]
    in_review: bool
    clinician: ByClinician | None = None
    discloses: bool = False
    restates: Urgency | None = None
    not_understood: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNeeded:
    """`reasons` are those that the network may know."""

    decision: int
    urgency: Urgency
    review_by: datetime
    reasons: tuple[Reason, ...]
    holds: bool = False
    asks_again: bool = False
    restates: Urgency | None = None
    not_understood: tuple[str, ...] = ()
    team: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    decision: int
    by: str
    reason: str
    advice: tuple[str, ...]
    next_steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationNeeded:
    decision: int
    by: str
    reason: str
    questions: tuple[str, ...]
    answer_by: datetime
    urgency: Urgency
    respond_by: datetime
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    decision: int
    urgency: Urgency
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    decision: int
    urgency: Urgency
    review_by: datetime
    held_by: str | None
    unanswered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    decision: int
    reason: str


Published = Triaged | ReviewNeeded | Returned | InformationNeeded | Reminded | Overdue | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`basis` is set where rules decided. `refusal`: newer rules have raised it, so the command that brought
    this about is refused, and what they raised is kept."""

    state: TriageState
    published: tuple[Published, ...] = ()
    basis: Basis | None = None
    refusal: Conflict | None = None
