"""Instruments that ask about suicide only: C-SSRS, ASQ. No totals: the most severe answer decides."""

from typing import Final

from shared.instruments.sheet import CONFIRMED, Instrument, Item, Tier

CSSRS: Final = Instrument(
    key="cssrs",
    title="C-SSRS screener (recent)",
    items=(
        Item(key="q1", topic="wish to be dead", high=1, loinc="93246-7", scored=False, safety=True),
        Item(key="q2", topic="thoughts of ending life", high=1, loinc="93247-5", scored=False, safety=True),
        Item(
            key="q3",
            topic="thinking about how, without intent",
            high=1,
            loinc="93248-3",
            scored=False,
            safety=True,
            asked_if=("q2",),
        ),
        Item(
            key="q4",
            topic="some intent to act",
            high=1,
            loinc="93249-1",
            scored=False,
            safety=True,
            asked_if=("q2",),
        ),
        Item(
            key="q5",
            topic="plan with intent",
            high=1,
            loinc="93250-9",
            scored=False,
            safety=True,
            asked_if=("q2",),
        ),
        Item(key="q6", topic="any act, ever", high=1, loinc="93267-3", scored=False, safety=True),
        Item(
            key="q6b",
            topic="an act in the past 3 months",
            high=1,
            loinc="93269-9",
            scored=False,
            safety=True,
            asked_if=("q6",),
            unanswered_means=1,
        ),
    ),
    recall="past month; question 6 lifetime and past 3 months",
    recall_days=30,
    source="SPiER data dictionary; LForms C-SSRS screener; C-SSRS clinical triage guidelines",
    licence="Carry the copyright notice; free for most use, confirm for commercial redistribution",
    status=CONFIRMED,
    panel_loinc="93373-9",
    tiers=(
        Tier(key="most_severe", title="intent, plan or a recent act", items=("q4", "q5", "q6b")),
        Tier(key="intermediate", title="method considered, or an act longer ago", items=("q3", "q6")),
        Tier(key="ideation_only", title="thoughts only", items=("q1", "q2")),
    ),
    ages=(12, None),
    to_confirm=(
        "the intermediate tier (question 3, or question 6 longer ago)",
        "question 6b left open after a yes to 6 counts as recent",
        "age range: younger people have a wording of their own",
    ),
    answers_mean="1 yes, 0 no, in the order 1, 2, 3, 4, 5, 6, 6b; 3 to 5 are left out when 2 is no",
)

ASQ: Final = Instrument(
    key="asq",
    title="ASQ",
    items=(
        Item(key="q1", topic="wished to be dead", high=1, scored=False, safety=True),
        Item(key="q2", topic="others better off", high=1, scored=False, safety=True),
        Item(key="q3", topic="thoughts of ending life", high=1, scored=False, safety=True),
        Item(key="q4", topic="any attempt, ever", high=1, scored=False, safety=True),
        Item(
            key="q5",
            topic="thoughts right now",
            high=1,
            scored=False,
            safety=True,
            asked_if=("q1", "q2", "q3", "q4"),
            unanswered_means=1,
        ),
    ),
    recall="past few weeks; question 4 lifetime; question 5 now",
    recall_days=14,
    source="SPiER data dictionary",
    licence="National Institute of Mental Health, public domain",
    status=CONFIRMED,
    tiers=(
        Tier(key="acute_positive", title="thoughts right now", items=("q5",)),
        Tier(key="positive", title="positive, not acute", items=("q1", "q2", "q3", "q4")),
    ),
    ages=(8, None),
    to_confirm=("question 5 left open after a yes counts as acute", "age range", "LOINC codes (left out)"),
    answers_mean="1 yes, 0 no; question 5 is left out when all of 1 to 4 are no",
)
