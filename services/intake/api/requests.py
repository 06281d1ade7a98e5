"""What a clinic fills in. Unknown fields are refused by name, and every text and list has its bound."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from services.intake.api.fields import (
    AnswerValue,
    Area,
    CodeWord,
    DiagnosisCode,
    FlagCode,
    GoalCode,
    IdempotencyKey,
    Language,
    LevelCode,
    ModalityCode,
    ProblemCode,
    StrengthCode,
    WithdrawalReason,
    Word,
    Words,
)
from services.intake.api.preference_fields import WishValue, wish_values
from services.intake.api.request_examples import (
    BATCH_LINE,
    CONTACT,
    MINIMAL,
    REFERRAL,
    SCREENINGS,
    WITHDRAWAL,
)
from shared.moments import StrictDate
from shared.vocabulary import Criterion, Sex

Few = Field(default=(), max_length=20)
Some = Field(default=(), max_length=50)


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ContactForm(Form):
    """How to reach somebody. `how` is for what must be heeded, such as not leaving a message."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONTACT]})

    phone: Word | None = None
    email: Word | None = None
    address: Word | None = None
    how: Word | None = None


class GuardianForm(Form):
    """`present`: takes part in this referral."""

    name: Word
    relationship: Word | None = None
    contact: ContactForm | None = None
    present: bool


class ClientForm(Form):
    name: Word
    region: Word = Field(
        description="The network's code of the region the client lives in. One that it does not know is "
        "taken with a warning, and the network's own on-call answers for it."
    )
    birth_date: StrictDate | None = Field(
        default=None, description="As YYYY-MM-DD, such as `2000-07-09`. Leave it out where it is not known."
    )
    contact: ContactForm | None = None
    languages: tuple[Language, ...] = Few
    interpreter_ok: bool = Field(default=False, description="An interpreter would be welcome.")
    sex: Sex = Sex.UNKNOWN
    gender: Word | None = None
    pronouns: Word | None = None
    perinatal: bool | None = None
    postal_area: Area | None = None
    guardian: GuardianForm | None = None


class ReferrerForm(Form):
    name: Word | None = None
    organisation: Word | None = None
    role: Word | None = None
    phone: Word | None = None
    email: Word | None = None


class GoalForm(Form):
    """What the client wants, coded, and in their own words."""

    code: GoalCode
    words: Words | None = None


class StrengthForm(Form):
    code: StrengthCode
    words: Words | None = None


class PastTreatmentForm(Form):
    modality: ModalityCode
    helped: bool | None = None


class HistoryForm(Form):
    past_treatments: tuple[PastTreatmentForm, ...] = Few
    past_attempt: bool | None = None
    words: Words | None = None


class ScreeningForm(Form):
    """One answer sheet, item by item in the instrument's own order; what was not answered is null."""

    instrument: CodeWord
    taken_on: StrictDate
    answers: tuple[AnswerValue, ...] = Field(min_length=1, max_length=60)
    language: Language | None = None
    stated_total: Annotated[int, Field(ge=0, le=1000)] | None = None


class PreferenceForm(Form):
    """What the client asked for, best liked first. `must` makes it a limit."""

    criterion: Criterion
    values: tuple[WishValue, ...] = Field(min_length=1, max_length=168)
    strength: Literal["wish", "must"] = "wish"

    @field_validator("values")
    @classmethod
    def _check(cls, values: tuple[WishValue, ...], info: ValidationInfo) -> tuple[WishValue, ...]:
        criterion = info.data.get("criterion")
        return wish_values(criterion, values) if criterion else values


class ConsentForm(Form):
    """What the client, or their guardian, agreed to; `version` names the form they signed."""

    share_with_network: bool
    share_substance_use: bool = False
    version: CodeWord | None = None


class ReferralForm(Form):
    """A referral. Needed are only the client's name and region and what they agreed to share.

    Codes are read whatever their case, spaces and punctuation: `PHQ-9`, `F331`. One that nobody knows is
    taken with a warning and put before a clinician. Where a red flag, a safety answer, `express` or the
    priority says that something cannot wait, a client with a name is taken whatever else cannot be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFERRAL, MINIMAL]})

    client: ClientForm
    consent: ConsentForm
    referrer: ReferrerForm | None = None
    primary_care: ReferrerForm | None = None
    problems: tuple[ProblemCode, ...] = Some
    diagnoses: tuple[DiagnosisCode, ...] = Field(default=(), max_length=50, description="ICD-10-CM.")
    goals: tuple[GoalForm, ...] = Few
    strengths: tuple[StrengthForm, ...] = Few
    history: HistoryForm = HistoryForm()
    screenings: tuple[ScreeningForm, ...] = Some
    red_flags: tuple[FlagCode, ...] = Field(default=(), max_length=50, description="What was observed.")
    external_levels: tuple[LevelCode, ...] = Field(
        default=(), max_length=5, description="Level of care that another tool gave, such as `iar_3`."
    )
    requested_priority: Word | None = Field(
        default=None,
        description="routine, urgent, asap or stat, a level of this network such as `very_urgent`, or a word "
        "of the field such as `crisis`. Any other word is looked at as soon as urgent.",
    )
    express: bool = Field(default=False, description="The referrer says that it cannot wait.")
    preferences: tuple[PreferenceForm, ...] = Some
    payer: Word | None = Field(default=None, description="The network's code of who pays.")
    notes: Words | None = None
    read_notes: bool = Field(
        default=False, description="A clinician should read what is written here in words before deciding."
    )


class BatchLine(ReferralForm):
    """One line of a batch: a referral and, so that the batch can be sent twice, its own key."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH_LINE]})

    idempotency_key: IdempotencyKey | None = None


class ScreeningsForm(Form):
    """One or several sheets, taken since."""

    model_config = ConfigDict(json_schema_extra={"examples": [SCREENINGS]})

    screenings: tuple[ScreeningForm, ...] = Field(min_length=1, max_length=20)


class WithdrawalForm(Form):
    model_config = ConfigDict(json_schema_extra={"examples": [WITHDRAWAL]})

    reason: WithdrawalReason
