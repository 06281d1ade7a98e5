"""Across problems: CORE-10, MDQ and WHODAS 2.0 (12 items)."""

from typing import Final

from shared.instruments.sheet import CONFIRMED, TO_CONFIRM, Band, Cluster, CutOff, Instrument, Item

_CORE_TOPICS: Final = (
    "tense, anxious or nervous",
    "someone to turn to for support",
    "able to cope when things go wrong",
    "talking to people too much",
    "panic or terror",
    "plans to end life",
    "sleep",
    "despair",
    "unhappy",
    "unwanted images or memories",
)

CORE10: Final = Instrument(
    key="core10",
    title="CORE-10",
    items=tuple(
        Item(key=f"item{number}", topic=topic, high=4, reversed=number in (2, 3), safety=number == 6)
        for number, topic in enumerate(_CORE_TOPICS, start=1)
    ),
    recall="past week",
    recall_days=7,
    source="Measurely CORE-10; clientforms.app; a CORE-10 description",
    licence="CORE System Trust; check the licence before use in software",
    status=CONFIRMED,
    max_total=40,
    bands=(
        Band(key="non_clinical", title="non-clinical range", low=0, high=10),
        Band(key="mild", title="mild", low=11, high=14),
        Band(key="moderate", title="moderate", low=15, high=19),
        Band(key="moderately_severe", title="moderate to severe", low=20, high=24),
        Band(key="severe", title="severe", low=25, high=40),
    ),
    cut_offs=(CutOff(key="clinical", at_least=11, source="clientforms.app CORE-10", status=CONFIRMED),),
    ages=(17, None),
    to_confirm=("licence for use in software",),
    answers_mean="0 not at all to 4 most or all the time, as the person said it; 2 and 3 are turned here",
)

_MDQ_TOPICS: Final = (
    "so good or hyper that others noticed",
    "irritable, shouting or fights",
    "more self-confident",
    "less sleep and not missing it",
    "more talkative or faster",
    "racing thoughts",
    "easily distracted",
    "more energy",
    "more active",
    "more social or outgoing",
    "more interested in sex",
    "unusual, excessive or risky acts",
    "spending that brought trouble",
)

MDQ: Final = Instrument(
    key="mdq",
    title="MDQ",
    items=(
        *(
            Item(key=f"item{number}", topic=topic, high=1, scored=False)
            for number, topic in enumerate(_MDQ_TOPICS, start=1)
        ),
        Item(key="same_time", topic="several at the same time", high=1, scored=False),
        Item(key="problem", topic="how much of a problem", high=3, scored=False),
    ),
    recall="lifetime",
    recall_days=None,
    source="general knowledge of the form",
    licence="R. M. A. Hirschfeld; to be checked",
    status=TO_CONFIRM,
    clusters=(
        Cluster(key="symptoms", items=tuple(f"item{n}" for n in range(1, 14)), counts_from=1, needs=7),
        Cluster(key="same_time", items=("same_time",), counts_from=1, needs=1),
        Cluster(key="problem", items=("problem",), counts_from=2, needs=1),
    ),
    ages=(18, None),
    answers_mean="1 yes, 0 no; the last from 0 no problem to 3 serious problem",
)
"""Positive only when all three parts are: `clusters_met`. No total is published."""

_WHODAS_TOPICS: Final = (
    "standing",
    "household",
    "learning a new task",
    "community life",
    "emotionally affected",
    "concentrating",
    "walking",
    "washing",
    "dressing",
    "dealing with strangers",
    "friendship",
    "daily work",
)

WHODAS12: Final = Instrument(
    key="whodas12",
    title="WHODAS 2.0 (12 items)",
    items=(
        *(
            Item(key=f"item{number}", topic=topic, high=4)
            for number, topic in enumerate(_WHODAS_TOPICS, start=1)
        ),
        *(
            Item(key=f"days{number}", topic=topic, high=30, scored=False, optional=True)
            for number, topic in enumerate(("present", "totally unable", "cut back"), start=1)
        ),
    ),
    recall="past 30 days",
    recall_days=30,
    source="general knowledge of the form, simple sum",
    licence="World Health Organization; to be checked",
    status=TO_CONFIRM,
    max_total=48,
    ages=(18, None),
    answers_mean="0 none to 4 extreme; forms that count from 1 to 5 subtract 1; the last three in days",
)
