"""Every fact that crosses a service boundary, in the order a referral meets them.

A fact is past tense, frozen and typed; its class knows its topic and its key. Nothing here may hold
a name, a birth date, an address, a phone number or anybody's own words: coded values are `Code`,
which has no room for a sentence, and the few sentences are written by the system (`Sentence`).

Adding an optional field, a type or an enum value is compatible: readers before writers, see
docs/decisions/0015-readers-before-writers.md. Anything else needs a new topic version; the snapshots in
`tests/wire/` say so.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from shared.vocabulary import Code, Lane, LanguageTag, LevelOfCare, Priority, Sex, Urgency

Diagnosis = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$")]
"""ICD-10-CM, such as `F33.1`."""

Sentence = Annotated[str, StringConstraints(max_length=400)]
"""Words of the system's own policy, never of a person."""

Answer = Annotated[int, Field(ge=0, le=100)] | Literal["refused", "unknown"] | None
"""One item of an answer sheet: a value, refused, does not know, or missing. Missing is not zero."""


class Topic(StrEnum):
    """Kafka topics. The major version of the wire is part of the name."""

    INTAKE_REFERRALS = "intake.referrals.v1"
    INTAKE_EXPRESS = "intake.express.v1"
    TRIAGE_DECISIONS = "triage.decisions.v1"
    TRIAGE_EXPRESS = "triage.express.v1"
    MATCHING_ASSIGNMENTS = "matching.assignments.v1"
    MATCHING_ROSTER = "matching.roster.v1"
    NOTIFY_NOTICES = "notify.notices.v1"

    def dead(self, group: str) -> str:
        """Where consumer group `group` parks what it cannot take from this topic."""
        return f"{self}.{group}.dead"


class Wire(BaseModel):
    """Frozen, and deaf to fields it does not know, so that a newer writer can be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Screening(Wire):
    """One answer sheet, item by item in the instrument's own order. See `shared/instruments.py`."""

    instrument: Code
    taken_on: date
    answers: tuple[Answer, ...]
    language: LanguageTag | None = None
    stated_total: int | None = None


class Wish(Wire):
    """What the client asked for, in order of liking; `must` makes it a limit."""

    criterion: Code
    values: tuple[Code, ...]
    must: bool = False


class PastTreatment(Wire):
    """What was tried before and whether it helped."""

    modality: Code
    helped: bool | None = None


class Consent(Wire):
    """What the client (or guardian) agreed to share. `version` names the form they signed."""

    share_with_network: bool
    share_substance_use: bool = False
    version: Code | None = None


class Case(Wire):
    """The whole of a referral that routing needs, at one revision; the newest revision wins. `as_of` is the
    day on which intake took that revision in, by which the age of its answer sheets is judged. `read_notes`
    is the revision at which the referrer last asked that what they wrote be read; the words stay there.
    `not_understood` names the parts of the form that held a value nobody knew, such as `red_flag`; the value
    itself stays in intake."""

    as_of: date | None = None
    age: Annotated[int, Field(ge=0, le=130)] | None = None
    sex: Sex = Sex.UNKNOWN
    perinatal: bool | None = None
    guardian: Literal["present", "absent", "not_needed"] = "not_needed"
    languages: tuple[LanguageTag, ...] = ()
    interpreter_ok: bool = False
    area: Code | None = None
    payer: Code | None = None
    requested_priority: Priority = Priority.UNKNOWN
    problems: tuple[Code, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    red_flags: tuple[Code, ...] = ()
    screenings: tuple[Screening, ...] = ()
    past_treatments: tuple[PastTreatment, ...] = ()
    past_attempt: bool | None = None
    external_levels: tuple[Code, ...] = ()
    goals: tuple[Code, ...] = ()
    strengths: tuple[Code, ...] = ()
    wishes: tuple[Wish, ...] = ()
    consent: Consent
    read_notes: Annotated[int, Field(ge=1)] | None = None
    not_understood: tuple[Code, ...] = ()


class Stated(Wire):
    """What this request itself says, apart from what was known before: `parts` are names of `Case` fields, or
    `express` where it says that it cannot wait; of `screenings` it says the last `sheets`."""

    parts: tuple[Code, ...] = ()
    sheets: Annotated[int, Field(ge=0)] = 0


class Needs(Wire):
    """The part of a case that finding a therapist needs."""

    age: int | None = None
    perinatal: bool | None = None
    languages: tuple[LanguageTag, ...] = ()
    interpreter_ok: bool = False
    area: Code | None = None
    payer: Code | None = None
    problems: tuple[Code, ...] = ()
    goals: tuple[Code, ...] = ()
    strengths: tuple[Code, ...] = ()
    past_treatments: tuple[PastTreatment, ...] = ()
    wishes: tuple[Wish, ...] = ()


class FiredRule(Wire):
    """A policy rule, the datum that fired it (such as `phq9.item9=2`, from the sheet of day `on`), and what a
    referrer may read."""

    rule: Code
    datum: Sentence
    text: Sentence
    on: date | None = None


class Question(Wire):
    """What a clinician asks the referrer, in the words of the policy."""

    code: Code
    text: Sentence


class Advice(Wire):
    """What a clinician advises the referrer, in the words of the policy."""

    code: Code
    text: Sentence


class NextStep(Wire):
    """What happens with a returned referral: by whom, until when. `service` is a code of the network's."""

    step: Code
    text: Sentence
    owner: Literal["referrer", "clinician", "coordinator", "client"]
    by: AwareDatetime
    service: Code | None = None


class Indication(Wire):
    """A modality that guidance names for a problem, with its source."""

    modality: Code
    problem: Code
    strength: Literal["first_line", "alternative"]
    source: Sentence


class CriterionScore(Wire):
    """How well a therapist meets one criterion (0 to 1), and what it weighed."""

    criterion: Code
    score: Annotated[float, Field(ge=0, le=1)]
    weight: Annotated[float, Field(ge=0)]


class Relaxation(Wire):
    """One limit that, if given up, would open so many therapists."""

    limit: Code
    opens: int


class Fact(Wire):
    """What every fact carries. `event_id` is a UUIDv7; whoever saw it once drops it the next time."""

    event_id: UUID
    type: str
    occurred_at: AwareDatetime
    region: Code

    @property
    def topic(self) -> Topic:
        """The topic this fact belongs to."""
        raise TypeError(f"{type(self).__name__} has no topic")

    @property
    def key(self) -> str:
        """The Kafka key: facts of one key keep their order."""
        raise TypeError(f"{type(self).__name__} has no key")

    @property
    def lane(self) -> Lane:
        """The relay loop that sends this fact."""
        return Lane.EXPRESS if self.topic in EXPRESS_TOPICS else Lane.ROUTINE


EXPRESS_TOPICS: Final = frozenset({Topic.INTAKE_EXPRESS, Topic.TRIAGE_EXPRESS})


class ReferralFact(Fact):
    """A fact about a referral. `revision` is intake's count of changes that this fact is about."""

    referral_id: UUID
    revision: Annotated[int, Field(ge=1)]
    clinic: Code

    @property
    def key(self) -> str:
        return str(self.referral_id)


class IntakeFact(ReferralFact):
    express: bool

    @property
    def topic(self) -> Topic:
        return Topic.INTAKE_EXPRESS if self.express else Topic.INTAKE_REFERRALS


class ReferralSubmitted(IntakeFact):
    """The new-client event."""

    type: Literal["ReferralSubmitted"] = "ReferralSubmitted"
    case: Case
    stated: Stated | None = None


class ReferralAmended(IntakeFact):
    type: Literal["ReferralAmended"] = "ReferralAmended"
    case: Case
    stated: Stated | None = None


class ScreeningRecorded(IntakeFact):
    """Measured again later; `case` already holds the new sheet."""

    type: Literal["ScreeningRecorded"] = "ScreeningRecorded"
    case: Case
    stated: Stated | None = None


class ReferralWithdrawn(IntakeFact):
    type: Literal["ReferralWithdrawn"] = "ReferralWithdrawn"
    reason: Code


class TriageFact(ReferralFact):
    """Keyed by region, so that one matcher sees a region in order. `decision` counts per referral."""

    express: bool
    decision: Annotated[int, Field(ge=1)]

    @property
    def topic(self) -> Topic:
        return Topic.TRIAGE_EXPRESS if self.express else Topic.TRIAGE_DECISIONS

    @property
    def key(self) -> str:
        return self.region


Member = Literal["therapist", "psychiatrist", "primary_care"]


class ReferralTriaged(TriageFact):
    """With `decided_by`, a named clinician confirmed, raised or lowered it, for that coded reason; else rules
    did. `restates` is the urgency that the newest request by itself asks for, where it says anything that
    raises. `not_understood` is the case's."""

    type: Literal["ReferralTriaged"] = "ReferralTriaged"
    urgency: Urgency
    respond_by: AwareDatetime
    level_of_care: LevelOfCare
    indications: tuple[Indication, ...] = ()
    team: tuple[Member, ...]
    rules: tuple[FiredRule, ...]
    policy: Code
    policy_version: Code
    needs: Needs
    in_review: bool = False
    decided_by: Code | None = None
    action: Literal["confirm", "raise", "lower"] | None = None
    reason: Code | None = None
    restates: Urgency | None = None
    not_understood: tuple[Code, ...] = ()


class ReferralReturned(TriageFact):
    """Returned to the referrer by a named clinician, with advice and next steps; never a dead end.
    `next_step` is the first of them."""

    type: Literal["ReferralReturned"] = "ReferralReturned"
    reason: Code
    next_step: Code
    next_step_by: AwareDatetime
    decided_by: Code
    advice: tuple[Advice, ...] = ()
    next_steps: tuple[NextStep, ...] = ()


class ReviewRequested(TriageFact):
    """The rules will not settle this alone. `holds` means that matching waits for the clinician; with
    `asks_again` it has waited long, and the referrer is asked to measure again. `restates` and
    `not_understood` as in `ReferralTriaged`; `team` too where it `holds`, since none has said it then."""

    type: Literal["ReviewRequested"] = "ReviewRequested"
    reasons: tuple[FiredRule, ...]
    urgency: Urgency
    review_by: AwareDatetime
    holds: bool = False
    asks_again: bool = False
    restates: Urgency | None = None
    not_understood: tuple[Code, ...] = ()
    team: tuple[Member, ...] = ()


class InformationRequested(TriageFact):
    """A named clinician asks the referrer. The answer is an amendment or a screening; without one the review
    comes back to the clinicians at `answer_by`. The time to respond goes on. `holds`: matching waits."""

    type: Literal["InformationRequested"] = "InformationRequested"
    reason: Code
    questions: tuple[Question, ...]
    answer_by: AwareDatetime
    urgency: Urgency
    respond_by: AwareDatetime
    holds: bool = False
    decided_by: Code


class InformationReminded(TriageFact):
    """The referrer has not answered yet. No decision of its own: `decision` is that of the request."""

    type: Literal["InformationReminded"] = "InformationReminded"
    urgency: Urgency
    answer_by: AwareDatetime


class ReviewOverdue(TriageFact):
    """Nobody has decided in time; said again until somebody does. It is no decision of its own: `decision` is
    the newest one, which still waits for a clinician. `held_by` has claimed the review. `unanswered`: it
    waited for the referrer, who has not answered in time."""

    type: Literal["ReviewOverdue"] = "ReviewOverdue"
    urgency: Urgency
    review_by: AwareDatetime
    held_by: Code | None = None
    unanswered: bool = False


class TriageEnded(TriageFact):
    """Nothing more to decide: the referral was withdrawn. Matching frees what it held."""

    type: Literal["TriageEnded"] = "TriageEnded"
    reason: Code


class MatchingFact(ReferralFact):
    urgency: Urgency

    @property
    def topic(self) -> Topic:
        return Topic.MATCHING_ASSIGNMENTS


class MatchProposed(MatchingFact):
    """A place is held for the client until `expires_at`."""

    type: Literal["MatchProposed"] = "MatchProposed"
    offer_id: UUID
    therapist_id: UUID
    attempt: int
    expires_at: AwareDatetime
    score: float
    criteria: tuple[CriterionScore, ...]
    eligible: int
    considered: int


class MatchAccepted(MatchingFact):
    type: Literal["MatchAccepted"] = "MatchAccepted"
    offer_id: UUID
    therapist_id: UUID


class MatchDeclined(MatchingFact):
    """Declined or expired: the place is free again and this therapist is not asked twice.

    `answered` is false where the offer ended without the therapist's own answer.
    """

    type: Literal["MatchDeclined"] = "MatchDeclined"
    offer_id: UUID
    therapist_id: UUID
    reason: Code
    answered: bool = True


class ReferralWaitlisted(MatchingFact):
    type: Literal["ReferralWaitlisted"] = "ReferralWaitlisted"
    reason: Literal["no_place", "no_eligible_therapist", "roster_empty"]
    eligible: int
    relaxations: tuple[Relaxation, ...] = ()
    try_again_by: AwareDatetime


class AppointmentBooked(MatchingFact):
    type: Literal["AppointmentBooked"] = "AppointmentBooked"
    therapist_id: UUID
    starts_at: AwareDatetime


class ReferralClosed(MatchingFact):
    """`therapist_id` is whose place it frees, if anybody's."""

    type: Literal["ReferralClosed"] = "ReferralClosed"
    reason: Code
    therapist_id: UUID | None = None


class TherapistChanged(Fact):
    """The roster as others may know it: whom, where, how many places. No name."""

    type: Literal["TherapistChanged"] = "TherapistChanged"
    therapist_id: UUID
    version: int
    active: bool
    places_total: int
    places_taken: int

    @property
    def topic(self) -> Topic:
        return Topic.MATCHING_ROSTER

    @property
    def key(self) -> str:
        return str(self.therapist_id)


class NotifyFact(ReferralFact):
    """`about` is the type of the fact told of; `recipient` is a code, not a person's name."""

    notice_id: UUID
    about: Code
    audience: Literal[
        "psychiatrist", "clinician", "clinic", "primary_care", "therapist", "coordinator", "ops"
    ]
    recipient: Code

    @property
    def topic(self) -> Topic:
        return Topic.NOTIFY_NOTICES


class NoticeSent(NotifyFact):
    """Somebody's endpoint took it. That is delivery, not acknowledgement."""

    type: Literal["NoticeSent"] = "NoticeSent"
    step: int
    channel: Code


class NoticeAcknowledged(NotifyFact):
    """A person answered; the ladder stops. `taken_over`: why it was not who it was for."""

    type: Literal["NoticeAcknowledged"] = "NoticeAcknowledged"
    by: Code
    taken_over: Code | None = None


class CrisisOutcomeRecorded(NotifyFact):
    """What came of a crisis that somebody had acknowledged. `not_reached` starts its ladder again."""

    type: Literal["CrisisOutcomeRecorded"] = "CrisisOutcomeRecorded"
    outcome: Literal["reached", "handed_to_emergency_services", "not_reached"]
    by: Code


class NoticeFailed(NotifyFact):
    """Undeliverable, or nobody answered to the top of the ladder: an alarm."""

    type: Literal["NoticeFailed"] = "NoticeFailed"
    reason: Code


AnyFact = Annotated[
    ReferralSubmitted
    | ReferralAmended
    | ScreeningRecorded
    | ReferralWithdrawn
    | ReferralTriaged
    | ReferralReturned
    | ReviewRequested
    | InformationRequested
    | InformationReminded
    | ReviewOverdue
    | TriageEnded
    | MatchProposed
    | MatchAccepted
    | MatchDeclined
    | ReferralWaitlisted
    | AppointmentBooked
    | ReferralClosed
    | TherapistChanged
    | NoticeSent
    | NoticeAcknowledged
    | CrisisOutcomeRecorded
    | NoticeFailed,
    Field(discriminator="type"),
]

READER: Final[TypeAdapter[AnyFact]] = TypeAdapter(AnyFact)
