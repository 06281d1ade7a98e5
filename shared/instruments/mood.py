"""Depression and anxiety: PHQ-9, PHQ-2, PHQ-A, GAD-7, EPDS."""

from typing import Final

from shared.instruments.sheet import CONFIRMED, TO_CONFIRM, Band, CutOff, Instrument, Item

PHQ_LICENCE: Final = "Pfizer material, free to reproduce"
PHQ_LANGUAGES: Final = ("en", "es")
"""NHANES asks in both."""
PHQ_SOURCE: Final = "SPiER data dictionary; NLM LForms phq9.json; MII PROM questionnaire"
DIFFICULTY: Final = Item(
    key="difficulty",
    topic="how difficult these problems make things",
    high=3,
    loinc="69722-7",
    scored=False,
    optional=True,
)

PHQ_ITEMS: Final = (
    Item(key="item1", topic="little interest or pleasure", high=3, loinc="44250-9"),
    Item(key="item2", topic="low mood", high=3, loinc="44255-8"),
    Item(key="item3", topic="sleep", high=3, loinc="44259-0"),
    Item(key="item4", topic="fatigue", high=3, loinc="44254-1"),
    Item(key="item5", topic="appetite", high=3, loinc="44251-7"),
    Item(key="item6", topic="worthlessness or guilt", high=3, loinc="44258-2"),
    Item(key="item7", topic="concentration", high=3, loinc="44252-5"),
    Item(key="item8", topic="slowed or restless", high=3, loinc="44253-3"),
    Item(key="item9", topic="thoughts of death or self-harm", high=3, loinc="44260-8", safety=True),
)

PHQ_BANDS: Final = (
    Band(key="minimal", title="minimal", low=0, high=4),
    Band(key="mild", title="mild", low=5, high=9),
    Band(key="moderate", title="moderate", low=10, high=14),
    Band(key="moderately_severe", title="moderately severe", low=15, high=19),
    Band(key="severe", title="severe", low=20, high=27),
)

PHQ9: Final = Instrument(
    key="phq9",
    title="PHQ-9",
    items=(*PHQ_ITEMS, DIFFICULTY),
    recall="past 2 weeks",
    recall_days=14,
    source=PHQ_SOURCE,
    licence=PHQ_LICENCE,
    status=CONFIRMED,
    panel_loinc="44249-1",
    total_loinc="44261-6",
    max_total=27,
    bands=PHQ_BANDS,
    cut_offs=(
        CutOff(key="positive", at_least=10, source="clinical-toolkit PHQ-9 table", status=CONFIRMED),
        CutOff(key="more_severe", at_least=16, source="NICE NG222", status=CONFIRMED),
    ),
    prorate_up_to=2,
    ages=(12, None),
    languages=PHQ_LANGUAGES,
    to_confirm=("making up for up to 2 missing items by the mean of the others", "age range"),
)

PHQ2: Final = Instrument(
    key="phq2",
    title="PHQ-2",
    items=PHQ_ITEMS[:2],
    recall="past 2 weeks",
    recall_days=14,
    source="EmblemHealth provider manual; Synthea LOINC sets",
    licence=PHQ_LICENCE,
    status=CONFIRMED,
    panel_loinc="55757-9",
    total_loinc="55758-7",
    max_total=6,
    cut_offs=(CutOff(key="positive", at_least=3, source="EmblemHealth manual", status=CONFIRMED),),
    ages=(12, None),
    languages=PHQ_LANGUAGES,
    to_confirm=("age range",),
)

PHQA: Final = Instrument(
    key="phqa",
    title="PHQ-A",
    items=(
        *(Item(key=item.key, topic=item.topic, high=3, safety=item.safety) for item in PHQ_ITEMS),
        Item(
            key="past_year_low_mood",
            topic="low most days in the past year",
            high=1,
            scored=False,
            optional=True,
        ),
        Item(key="difficulty", topic=DIFFICULTY.topic, high=3, scored=False, optional=True),
        Item(
            key="serious_thoughts",
            topic="serious thoughts of ending life, past month",
            high=1,
            scored=False,
            safety=True,
        ),
        Item(key="attempt", topic="ever made an attempt", high=1, scored=False, safety=True),
    ),
    recall="past 2 weeks; past month and lifetime for the last two",
    recall_days=14,
    source="general knowledge of the adolescent form",
    licence=PHQ_LICENCE,
    status=TO_CONFIRM,
    total_loinc="89204-2",
    max_total=27,
    bands=PHQ_BANDS,
    cut_offs=(
        CutOff(key="positive", at_least=10, source="CMS-type depression screening list", status=CONFIRMED),
    ),
    ages=(11, 17),
)

GAD7: Final = Instrument(
    key="gad7",
    title="GAD-7",
    items=(
        Item(key="item1", topic="nervous or on edge", high=3, loinc="69725-0"),
        Item(key="item2", topic="cannot stop worrying", high=3, loinc="68509-9"),
        Item(key="item3", topic="worrying too much", high=3, loinc="69733-4"),
        Item(key="item4", topic="trouble relaxing", high=3, loinc="69734-2"),
        Item(key="item5", topic="restless", high=3, loinc="69735-9"),
        Item(key="item6", topic="irritable", high=3, loinc="69689-8"),
        Item(key="item7", topic="afraid something awful might happen", high=3, loinc="69736-7"),
        DIFFICULTY,
    ),
    recall="past 2 weeks",
    recall_days=14,
    source="Aidbox forms tutorial; HL7 PCO value set",
    licence=PHQ_LICENCE,
    status=CONFIRMED,
    panel_loinc="69737-5",
    total_loinc="70274-6",
    max_total=21,
    bands=(
        Band(key="minimal", title="minimal", low=0, high=4),
        Band(key="mild", title="mild", low=5, high=9),
        Band(key="moderate", title="moderate", low=10, high=14),
        Band(key="severe", title="severe", low=15, high=21),
    ),
    cut_offs=(CutOff(key="positive", at_least=10, source="clinical-toolkit GAD-7 table", status=CONFIRMED),),
    ages=(12, None),
    to_confirm=("the code of the unscored difficulty question", "age range"),
)

_EPDS_TOPICS: Final = (
    "able to laugh",
    "looking forward",
    "self-blame",
    "anxious or worried",
    "scared or panicky",
    "things getting on top",
    "unhappy and sleeping badly",
    "sad or miserable",
    "crying",
    "thoughts of self-harm",
)

EPDS: Final = Instrument(
    key="epds",
    title="EPDS",
    items=tuple(
        Item(key=f"item{number}", topic=topic, high=3, safety=number == 10)
        for number, topic in enumerate(_EPDS_TOPICS, start=1)
    ),
    recall="past 7 days",
    recall_days=7,
    source="LOINC audit notes; an EPDS observation writer",
    licence="Royal College of Psychiatrists; reproduce with the authors' names and source",
    status=TO_CONFIRM,
    panel_loinc="71354-5",
    total_loinc="99046-5",
    max_total=30,
    cut_offs=(
        CutOff(key="possible", at_least=10, source="CMS-type depression screening list", status=CONFIRMED),
        CutOff(key="probable", at_least=13, source="EPDS practice", status=TO_CONFIRM),
    ),
    to_confirm=("which cut-off: 10, 11 or 13", "licence terms", "item LOINC codes (left out)"),
    answers_mean=(
        "the score of the option ticked, 3 for the most distress in every question: the form prints "
        "questions 3 and 5 to 10 from 3 down to 0, which is already turned round in the score"
    ),
)
"""The answer is the score and not the place on the page, so that a 3 for item 10 can only mean one thing."""
