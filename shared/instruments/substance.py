"""Alcohol and drugs: AUDIT-C and DAST-10."""

from typing import Final

from shared.instruments.sheet import CONFIRMED, TO_CONFIRM, Band, CutOff, Instrument, Item

AUDITC: Final = Instrument(
    key="auditc",
    title="AUDIT-C",
    items=(
        Item(key="item1", topic="how often", high=4, loinc="68518-0"),
        Item(key="item2", topic="drinks on a typical day", high=4, loinc="68519-8", asked_if=("item1",)),
        Item(key="item3", topic="six or more at once", high=4, loinc="68520-6", asked_if=("item1",)),
    ),
    recall="usual, past year",
    recall_days=365,
    source="hl7.pt value set cpe-auditcobservation-vs; Synthea LOINC sets",
    licence="World Health Organization, free for health care",
    status=CONFIRMED,
    panel_loinc="72109-2",
    total_loinc="75626-2",
    max_total=12,
    cut_offs=(
        CutOff(
            key="women", at_least=3, sex="female", source="clinical-toolkit AUDIT-C table", status=CONFIRMED
        ),
        CutOff(key="men", at_least=4, sex="male", source="clinical-toolkit AUDIT-C table", status=CONFIRMED),
        CutOff(key="uk", at_least=5, source="UK guidance, all adults", status=TO_CONFIRM),
    ),
    ages=(18, None),
    to_confirm=(
        "which cut-off: it depends on the country",
        "leaving out questions 2 and 3 after never",
        "age range",
    ),
    answers_mean="the score of each answer; after never to question 1 the rest may be left out",
)

_DAST_TOPICS: Final = (
    "drugs other than for medical reasons",
    "more than one at a time",
    "able to stop when wanted",
    "blackouts or flashbacks",
    "guilt",
    "complaints of family",
    "neglect of family",
    "illegal activities",
    "withdrawal symptoms",
    "medical problems",
)

DAST10: Final = Instrument(
    key="dast10",
    title="DAST-10",
    items=tuple(
        Item(key=f"item{number}", topic=topic, high=1, reversed=number == 3)
        for number, topic in enumerate(_DAST_TOPICS, start=1)
    ),
    recall="past 12 months",
    recall_days=365,
    source="clinical-toolkit DAST-10 table; Synthea LOINC sets",
    licence="Harvey A. Skinner; free for clinical use, not for sale",
    status=CONFIRMED,
    panel_loinc="82666-9",
    total_loinc="82667-7",
    max_total=10,
    bands=(
        Band(key="none", title="no problems reported", low=0, high=0),
        Band(key="low_level", title="low level of problems", low=1, high=2),
        Band(key="moderate", title="moderate level", low=3, high=5),
        Band(key="substantial", title="substantial level", low=6, high=8),
        Band(key="severe", title="severe level", low=9, high=10),
    ),
    cut_offs=(
        CutOff(key="positive", at_least=3, source="clinical-toolkit DAST-10 table", status=CONFIRMED),
        CutOff(key="refer", at_least=6, source="clinical-toolkit DAST-10 table", status=CONFIRMED),
    ),
    ages=(18, None),
    to_confirm=("licence terms", "age range", "item LOINC codes (left out)"),
    answers_mean="1 yes, 0 no as the person said it; question 3 is turned round here",
)
