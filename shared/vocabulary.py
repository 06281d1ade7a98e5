"""The coded words a referral may use, in one place, so that a typing error is named and not routed.

Codes are lower case with underscores. What a person said in their own words stays in intake;
only these codes travel.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$")]
"""A coded value. It has no space in it, so it cannot carry a sentence."""

LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""BCP 47, such as `es` or `zh-Hant`."""


class Lane(StrEnum):
    """Two queues all the way, so that what cannot wait is never behind what can."""

    EXPRESS = "express"
    ROUTINE = "routine"


class Urgency(StrEnum):
    """How soon somebody must respond: a response time, never a label for a person. Most urgent first."""

    EMERGENCY = "emergency"
    VERY_URGENT = "very_urgent"
    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"
    PREVENTIVE = "preventive"

    @property
    def rank(self) -> int:
        """0 is the most urgent."""
        return URGENCIES.index(self)

    @property
    def cannot_wait(self) -> bool:
        """Hours, not days: goes on the express lane, and no paperwork holds it."""
        return at_least_as_urgent(self, Urgency.VERY_URGENT)


URGENCIES: Final = tuple(Urgency)


CLOSED_BY_TRIAGE: Final = "returned"
"""Matching's reason for a referral that it closed only because triage had returned it."""


def more_urgent(a: Urgency, b: Urgency) -> Urgency:
    return a if at_least_as_urgent(a, b) else b


def at_least_as_urgent(a: Urgency, b: Urgency) -> bool:
    return a.rank <= b.rank


class LevelOfCare(StrEnum):
    """What intensity of care, least first. Our own levels; neither IAR-DST nor LOCUS."""

    SELF_MANAGEMENT = "self_management"
    LOW_INTENSITY = "low_intensity"
    MODERATE = "moderate"
    HIGH = "high"
    ACUTE = "acute"


class Priority(StrEnum):
    """FHIR request-priority as the referrer gave it; anything else is `unknown`, never routine."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"
    UNKNOWN = "unknown"


class Sex(StrEnum):
    """FHIR administrative-gender."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Criterion(StrEnum):
    """What a client may ask for. Each is a wish or a must; nothing is inferred."""

    MODALITY = "modality"
    THERAPIST_GENDER = "therapist_gender"
    LANGUAGE = "language"
    CULTURE = "culture"
    CULTURE_FAMILIARITY = "culture_familiarity"
    FAITH = "faith"
    SETTING = "setting"
    DISTANCE_KM = "distance_km"
    HOURS = "hours"
    THERAPIST = "therapist"
    NOT_THERAPIST = "not_therapist"


MODALITIES: Final = frozenset(
    {
        "talk_therapy",
        "cbt",
        "cbt_i",
        "cbt_ed",
        "cbt_p",
        "dbt",
        "psychodynamic",
        "ipt",
        "act",
        "mbct",
        "emdr",
        "cpt",
        "pe",
        "erp",
        "behavioural_activation",
        "family_therapy",
        "family_based_treatment",
        "couples_therapy",
        "motivational_interviewing",
        "contingency_management",
        "schema_therapy",
        "mbt",
        "counselling",
        "guided_self_help",
        "group_cbt",
        "psychoeducation_group",
        "peer_support",
        "parenting_programme",
        "medication_review",
    }
)

PROBLEMS: Final = frozenset(
    {
        "depression",
        "chronic_depression",
        "depression_relapse_prevention",
        "anxiety",
        "panic",
        "social_anxiety",
        "ocd",
        "ptsd",
        "personality_disorder",
        "self_harm",
        "anorexia",
        "bulimia",
        "binge_eating",
        "psychosis",
        "bipolar",
        "alcohol",
        "drugs",
        "perinatal_depression",
        "perinatal_anxiety",
        "insomnia",
        "chronic_pain",
        "couple_distress",
        "child_depression",
        "adhd",
        "autism",
        "grief",
        "adjustment",
        "stress",
        "wellbeing",
    }
)

RED_FLAGS: Final = frozenset(
    {
        "attempt_in_progress",
        "overdose",
        "weapon",
        "suicidal_intent_with_plan",
        "suicidal_thoughts",
        "recent_attempt",
        "self_harm_needing_medical_care",
        "harm_to_others_intent",
        "psychosis_acute",
        "command_voices",
        "mania_acute",
        "perinatal_psychosis",
        "thoughts_of_harming_baby",
        "eating_disorder_medical_instability",
        "withdrawal_danger",
        "delirium",
        "medication_toxicity",
        "catatonia",
        "severe_self_neglect",
        "safeguarding_child",
        "safeguarding_adult",
        "domestic_violence",
        "psychiatric_discharge_recent",
        "clinician_concern",
        "medication_question",
    }
)

EXPRESS_RED_FLAGS: Final = RED_FLAGS - {
    "safeguarding_adult",
    "domestic_violence",
    "psychiatric_discharge_recent",
    "clinician_concern",
    "medication_question",
}
"""Flags that put a referral on the express lane by themselves (policy, to be confirmed by a clinician)."""

UNKNOWN_RED_FLAG: Final = "unknown_red_flag"
UNKNOWN_PROBLEM: Final = "unknown_problem"
"""Stand in a case for a code that its sender used and nobody knows; the code itself stays in intake."""

NOT_UNDERSTOOD_BY_COORDINATORS: Final = frozenset(
    {"region", "payer", "community", "language", "spoken_language", "postal_area"}
)
"""Parts of a form in which an unknown value is for a coordinator to settle."""

NOT_UNDERSTOOD_BY_CLINICIANS: Final = frozenset(
    {
        "red_flag",
        "express",
        "answer",
        "requested_priority",
        "problem",
        "diagnosis",
        "instrument",
        "screening",
        "taken_on",
        "external_level",
        "history",
        "modality",
        "goal",
        "strength",
        "criterion",
        "must",
        "birth_date",
        "name",
        "contact",
        "guardian",
        "sex",
        "perinatal",
        "consent",
        "referrer",
        "notes",
        "form",
        "other",
    }
)
"""Parts of a form in which an unknown value is for a clinician to read. `must` is a limit that the client
set, `form` a part that had to be left out for the rest to be taken, `other` a part with no name here."""

EXTERNAL_LEVELS: Final = frozenset(
    {*(f"iar_{level}" for level in range(1, 6)), *(f"locus_{level}" for level in range(7))}
)
"""A level of care that somebody else found with a tool licensed to them: the Australian IAR-DST, LOCUS."""

GENDERS: Final = frozenset({"woman", "man", "nonbinary"})
SETTINGS: Final = frozenset({"in_person", "telehealth"})

GOALS: Final = frozenset(
    {
        "feel_better",
        "understand_myself",
        "sleep",
        "work_or_study",
        "relationships",
        "parenting",
        "coping_skills",
        "safety",
        "reduce_substance_use",
        "stay_well",
        "medication_advice",
        "diagnosis_clarity",
        "grieve",
    }
)

STRENGTHS: Final = frozenset(
    {
        "family_support",
        "friends",
        "work_or_study",
        "faith_or_community",
        "motivated",
        "creative",
        "physically_active",
        "past_recovery",
        "problem_solving",
        "parenting",
        "cultural_identity",
    }
)

NETWORK_ROTA: Final = "network"
"""The region of referrals whose own region nobody knows, and the rota of whoever is on call for them."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS: Final = frozenset(f"{day}-{hour:02d}" for day in WEEKDAYS for hour in range(24))
"""An hour of the week in the network's time zone, such as `tue-17` for Tuesday 17:00 to 18:00."""
