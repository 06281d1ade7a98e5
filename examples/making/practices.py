"""Kinds of practice. In every region they come in this order and then again, so that each is everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ADULTS: Final = ("adult", "older")
YOUNG: Final = ("child", "adolescent")


@dataclass(frozen=True, kw_only=True)
class Practice:
    """`problems` empty: a generalist. `places` is the range of clients taken on at one time."""

    modalities: tuple[str, ...]
    problems: tuple[str, ...] = ()
    age_groups: tuple[str, ...] = ADULTS
    perinatal: bool = False
    places: tuple[int, int] = (1, 5)
    familiar: tuple[str, ...] = ()
    payers: Mapping[str, float] = field(default_factory=dict)


GENERAL: Final = Practice(modalities=("talk_therapy", "counselling", "cbt"), places=(2, 6))
COGNITIVE: Final = Practice(
    modalities=("cbt", "behavioural_activation", "group_cbt"),
    problems=("depression", "anxiety", "panic", "social_anxiety", "stress"),
    places=(2, 6),
)
YOUNG_PEOPLE: Final = Practice(
    modalities=("cbt", "group_cbt", "ipt", "family_therapy", "dbt", "emdr"),
    problems=("child_depression", "depression", "anxiety", "self_harm", "ptsd", "grief"),
    age_groups=YOUNG,
)
PREVENTION: Final = Practice(
    modalities=("guided_self_help", "psychoeducation_group", "peer_support", "counselling"),
    problems=("stress", "wellbeing", "anxiety", "depression", "adjustment"),
    age_groups=("adolescent", *ADULTS),
    places=(5, 8),
)
TRAUMA: Final = Practice(
    modalities=("emdr", "cpt", "pe", "cbt"),
    problems=("ptsd", "anxiety", "grief"),
    familiar=("veteran",),
    payers={"veterans_fund": 0.7},
)

PRACTICES: Final = (
    GENERAL,
    COGNITIVE,
    TRAUMA,
    YOUNG_PEOPLE,
    PREVENTION,
    Practice(
        modalities=("erp", "cbt"), problems=("ocd", "anxiety", "panic"), age_groups=("adolescent", *ADULTS)
    ),
    Practice(
        modalities=("dbt", "schema_therapy", "mbt", "cbt"),
        problems=("personality_disorder", "self_harm", "bipolar"),
        age_groups=("adolescent", *ADULTS),
    ),
    Practice(
        modalities=("cbt_ed", "family_based_treatment", "guided_self_help"),
        problems=("anorexia", "bulimia", "binge_eating"),
        age_groups=("adolescent", *ADULTS),
        places=(1, 4),
    ),
    Practice(
        modalities=("cbt_p", "family_therapy", "medication_review"),
        problems=("psychosis", "bipolar"),
        age_groups=("adolescent", *ADULTS),
    ),
    Practice(
        modalities=("motivational_interviewing", "contingency_management", "cbt"),
        problems=("alcohol", "drugs"),
    ),
    Practice(
        modalities=("ipt", "cbt", "guided_self_help"),
        problems=("perinatal_depression", "perinatal_anxiety", "depression", "anxiety"),
        age_groups=("adolescent", "adult"),
        perinatal=True,
    ),
    Practice(
        modalities=("couples_therapy", "family_therapy", "talk_therapy"),
        problems=("couple_distress", "bipolar"),
    ),
    Practice(
        modalities=("act", "cbt_i", "cbt"), problems=("chronic_pain", "insomnia", "stress"), places=(2, 6)
    ),
    Practice(
        modalities=("mbct", "act", "group_cbt"),
        problems=("depression_relapse_prevention", "chronic_depression", "stress"),
        places=(3, 8),
    ),
    Practice(
        modalities=("cbt", "parenting_programme", "medication_review", "psychoeducation_group"),
        problems=("adhd", "autism"),
        age_groups=("child", "adolescent", "adult"),
    ),
    Practice(
        modalities=("cbt", "ipt", "behavioural_activation", "counselling"),
        problems=("depression", "anxiety", "grief", "adjustment"),
        age_groups=ADULTS,
        familiar=("rural",),
    ),
    Practice(
        modalities=("psychodynamic", "talk_therapy", "schema_therapy"),
        problems=("depression", "social_anxiety"),
    ),
    GENERAL,
    COGNITIVE,
    YOUNG_PEOPLE,
    TRAUMA,
    PREVENTION,
    GENERAL,
    COGNITIVE,
    Practice(
        modalities=("cbt", "ipt", "counselling"),
        problems=("perinatal_depression", "perinatal_anxiety", "grief", "adjustment"),
        age_groups=("adult",),
        perinatal=True,
    ),
    YOUNG_PEOPLE,
    GENERAL,
    COGNITIVE,
)
