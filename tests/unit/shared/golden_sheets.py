"""Answer sheets and what published scoring makes of them, for every instrument, each row with its source.

A source in round brackets was not read for this project: the row is what is widely taught, and ships marked
to be confirmed by a clinician.
"""

from dataclasses import dataclass
from typing import Final

from shared.instruments import Answer, Instrument
from shared.instruments.reading import read_against

SPIER = "SPiER data dictionary"
TOOLKIT = "clinical-toolkit scoring table"
MEASURELY = "Measurely and clientforms.app, CORE-10"
COLUMBIA = "C-SSRS clinical triage guidelines (Columbia)"
LFORMS = "NLM LForms questionnaire"
CLIOT = "cliot pc_ptsd_5_screen"
EMBLEM = "EmblemHealth provider manual"
CMS = "CMS-type depression screening list"
UNREAD = "(the form, as widely taught)"


@dataclass(frozen=True)
class Row:
    """`band` is the tier where there are no bands, `positive` names the cut-offs that are reached."""

    instrument: str
    answers: tuple[Answer, ...]
    source: str
    total: int | None = None
    band: str | None = None
    met: bool | None = None
    fired: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def ladder(total: int, items: int, high: int) -> tuple[int, ...]:
    """Answers of this sum, filled up from the first item."""
    return tuple(min(high, max(0, total - high * place)) for place in range(items))


def phq9(total: int, band: str, *positive: str) -> Row:
    """Filled up from item 1, so that item 9 stays 0 up to a total of 24."""
    fired = ("item9",) if total > 24 else ()
    return Row("phq9", ladder(total, 9, 3), SPIER, total, band, fired=fired, positive=positive)


def gad7(total: int, band: str, *positive: str) -> Row:
    return Row("gad7", ladder(total, 7, 3), TOOLKIT, total, band, positive=positive)


def phqa(total: int, band: str, *positive: str, item9: int = 0) -> Row:
    answers = (*ladder(total - item9, 8, 3), item9, 0, 0, 0, 0)
    return Row("phqa", answers, UNREAD, total, band, fired=("item9",) if item9 else (), positive=positive)


def core10(total: int, band: str, *positive: str) -> Row:
    """Items 2 and 3 are turned: answered with 4 they add nothing. Item 6, the risk item, stays 0."""
    one, four, five, seven, eight, nine, ten = ladder(total, 7, 4)
    answers = (one, 4, 4, four, five, 0, seven, eight, nine, ten)
    return Row("core10", answers, MEASURELY, total, band, positive=positive)


def dast10(total: int, band: str, *positive: str) -> Row:
    """Item 3 is turned: able to stop (1) adds nothing."""
    first, second, *others = ladder(total, 9, 1)
    return Row("dast10", (first, second, 1, *others), TOOLKIT, total, band, positive=positive)


def sums(instrument: str, answers: tuple[Answer, ...], source: str, total: int, *positive: str) -> Row:
    return Row(instrument, answers, source, total, positive=positive)


def cssrs(answers: tuple[Answer, ...], source: str, tier: str | None, *fired: str) -> Row:
    return Row("cssrs", answers, source, band=tier, fired=fired)


def asq(answers: tuple[Answer, ...], tier: str | None, *fired: str) -> Row:
    return Row("asq", answers, SPIER, band=tier, fired=fired)


def mdq(yes: int, same_time: Answer, problem: Answer, met: bool | None) -> Row:
    parts = {"same_time": same_time, "problem": problem}
    missing = tuple(key for key, answer in parts.items() if answer is None)
    return Row("mdq", (*ladder(yes, 13, 1), same_time, problem), UNREAD, met=met, missing=missing)


def pcl5(answers: tuple[int, ...], total: int, met: bool, *positive: str) -> Row:
    return Row("pcl5", answers, TOOLKIT, total, met=met, positive=positive)


def clusters(b: int, c: int, d: int, e: int) -> tuple[int, ...]:
    """So many items of each PCL-5 cluster answered with 2, the value from which an item counts."""
    return (*ladder(2 * b, 5, 2), *ladder(2 * c, 2, 2), *ladder(2 * d, 7, 2), *ladder(2 * e, 6, 2))


GOLDEN: Final = [
    # PHQ-9: 0-4, 5-9, 10-14, 15-19, 20-27; positive from 10 (toolkit), more severe from 16 (NICE NG222)
    phq9(0, "minimal"), phq9(4, "minimal"), phq9(5, "mild"), phq9(9, "mild"),
    phq9(10, "moderate", "positive"), phq9(14, "moderate", "positive"),
    phq9(15, "moderately_severe", "positive"), phq9(16, "moderately_severe", "positive", "more_severe"),
    phq9(19, "moderately_severe", "positive", "more_severe"),
    phq9(20, "severe", "positive", "more_severe"), phq9(24, "severe", "positive", "more_severe"),
    phq9(25, "severe", "positive", "more_severe"), phq9(27, "severe", "positive", "more_severe"),
    Row("phq9", (*[0] * 8, 1), SPIER, 1, "minimal", fired=("item9",)),
    Row("phq9", (*[0] * 8, 3), SPIER, 3, "minimal", fired=("item9",)),
    Row("phq9", (*[0] * 9, 3), SPIER, 0, "minimal"),  # difficulty is not added
    Row("phq9", (None, 2, 2, 2, 2, 2, 2, 2, 0), UNREAD, 16, "moderately_severe",
        positive=("positive", "more_severe"), missing=("item1",)),  # 14 / 8 * 9 = 15.75
    Row("phq9", (None, None, 1, 1, 1, 1, 1, 1, 0), UNREAD, 8, "mild", missing=("item1", "item2")),
    Row("phq9", (None, None, None, 1, 1, 1, 1, 1, 0), UNREAD, missing=("item1", "item2", "item3")),
    Row("phq9", (3, 3, 3, 3, 3, 3, 3, 3, None), "design: item 9 is never made up for", missing=("item9",)),
    # PHQ-2: positive from 3
    sums("phq2", (0, 0), EMBLEM, 0), sums("phq2", (1, 1), EMBLEM, 2),
    sums("phq2", (3, 0), EMBLEM, 3, "positive"), sums("phq2", (0, 3), EMBLEM, 3, "positive"),
    sums("phq2", (3, 3), EMBLEM, 6, "positive"), Row("phq2", (3, None), EMBLEM, missing=("item2",)),
    # PHQ-A: bands as the PHQ-9, positive from 10 (CMS list); two more safety questions
    phqa(4, "minimal"), phqa(5, "mild"), phqa(9, "mild"), phqa(10, "moderate", "positive"),
    phqa(14, "moderate", "positive"), phqa(15, "moderately_severe", "positive"),
    phqa(19, "moderately_severe", "positive"), phqa(20, "severe", "positive"),
    phqa(27, "severe", "positive", item9=3), phqa(1, "minimal", item9=1),
    Row("phqa", (*[0] * 9, 1, 3, 0, 0), UNREAD, 0, "minimal"),  # low for a year, difficulty: not added
    Row("phqa", (*[0] * 9, 0, 0, 1, 0), UNREAD, 0, "minimal", fired=("serious_thoughts",)),
    Row("phqa", (*[0] * 9, 0, 0, 0, 1), UNREAD, 0, "minimal", fired=("attempt",)),
    Row("phqa", (*[0] * 9, None, None, 0, 0), UNREAD, 0, "minimal"),  # need not be answered
    Row("phqa", (None, *[3] * 7, 0, 0, 0, 0, 0), UNREAD, missing=("item1",)),  # nothing is made up for
    # GAD-7: 0-4, 5-9, 10-14, 15-21; positive from 10
    gad7(0, "minimal"), gad7(4, "minimal"), gad7(5, "mild"), gad7(9, "mild"),
    gad7(10, "moderate", "positive"), gad7(14, "moderate", "positive"),
    gad7(15, "severe", "positive"), gad7(21, "severe", "positive"),
    Row("gad7", (*[0] * 7, 3), UNREAD, 0, "minimal"),  # difficulty is not added
    Row("gad7", (3, 3, 3, 3, 3, 3, None), TOOLKIT, missing=("item7",)),
    # C-SSRS screener: the most severe positive answer decides
    cssrs((0, 0, None, None, None, 0, None), LFORMS, None),
    cssrs((1, 0, None, None, None, 0, None), SPIER, "ideation_only", "q1"),
    cssrs((0, 1, 0, 0, 0, 0, None), SPIER, "ideation_only", "q2"),
    cssrs((1, 1, 1, 0, 0, 0, None), UNREAD, "intermediate", "q1", "q2", "q3"),
    cssrs((0, 0, None, None, None, 1, 0), UNREAD, "intermediate", "q6"),
    cssrs((0, 1, 0, 1, 0, 0, None), COLUMBIA, "most_severe", "q2", "q4"),  # SPiER says less
    cssrs((0, 1, 0, 0, 1, 0, None), COLUMBIA, "most_severe", "q2", "q5"),
    cssrs((0, 0, None, None, None, 1, 1), COLUMBIA, "most_severe", "q6", "q6b"),
    Row("cssrs", (0, 0, None, None, None, 1, None), "design: not said when counts as recent",
        band="most_severe", fired=("q6", "q6b"), missing=("q6b",)),
    cssrs((1, 1, 1, 1, 1, 1, 1), COLUMBIA, "most_severe", "q1", "q2", "q3", "q4", "q5", "q6", "q6b"),
    # ASQ: any yes is positive; yes to question 5 is acute
    asq((0, 0, 0, 0), None), asq((1, 0, 0, 0, 0), "positive", "q1"), asq((0, 1, 0, 0, 0), "positive", "q2"),
    asq((0, 0, 1, 0, 0), "positive", "q3"), asq((0, 0, 0, 1, 0), "positive", "q4"),
    asq((0, 0, 0, 1, 1), "acute_positive", "q4", "q5"),
    Row("asq", (1, 0, 0, 0), "design: left open counts as acute", band="acute_positive", fired=("q1", "q5"),
        missing=("q5",)),
    Row("asq", (0, 1, 0, 0), "design: left open counts as acute", band="acute_positive", fired=("q2", "q5"),
        missing=("q5",)),
    # PC-PTSD-5: never exposed, stop at 0; positive from 3, in some settings 4
    sums("pcptsd5", (0,), TOOLKIT, 0), sums("pcptsd5", (1, 0, 0, 0, 0, 0), CLIOT, 0),
    sums("pcptsd5", (1, 1, 1, 0, 0, 0), CLIOT, 2),
    sums("pcptsd5", (1, 1, 1, 1, 0, 0), CLIOT, 3, "sensitive"),
    sums("pcptsd5", (1, 0, 1, 1, 1, 1), "a public scorer's comment", 4, "sensitive", "specific"),
    sums("pcptsd5", (1, 1, 1, 1, 1, 1), CLIOT, 5, "sensitive", "specific"),
    Row("pcptsd5", (1, 1, 1, None, 0, 0), CLIOT, missing=("item3",)),
    Row("pcptsd5", (None,) * 6, CLIOT, missing=("exposure", "item1", "item2", "item3", "item4", "item5")),
    # PCL-5: positive from 33; criteria 1 B, 1 C, 2 D, 2 E, each from 2; no bands
    pcl5((0,) * 20, 0, False), pcl5((4,) * 20, 80, True, "positive"),
    pcl5(clusters(1, 1, 2, 2), 12, True), pcl5(clusters(0, 1, 2, 2), 10, False),
    pcl5(clusters(1, 0, 2, 2), 10, False), pcl5(clusters(1, 1, 1, 2), 10, False),
    pcl5(clusters(1, 1, 2, 1), 10, False), pcl5((1,) * 20, 20, False),
    *(pcl5(tuple(2 * (n in met) for n in range(1, 21)), 12, True) for met in (
        {1, 6, 8, 9, 15, 16}, {2, 7, 10, 11, 17, 18}, {3, 6, 12, 13, 19, 20}, {4, 7, 14, 8, 15, 16},
        {5, 6, 9, 10, 17, 18},
    )),
    pcl5((*[1] * 5, *clusters(0, 1, 2, 2)[5:]), 15, False),  # a 1 does not count, in any cluster
    pcl5((*clusters(1, 0, 0, 0)[:5], 1, 1, *clusters(0, 0, 2, 2)[7:]), 12, False),
    pcl5((*clusters(1, 1, 0, 0)[:7], 2, *[1] * 6, *clusters(0, 0, 0, 2)[14:]), 16, False),
    pcl5((*clusters(1, 1, 2, 0)[:14], 2, *[1] * 5), 15, False),
    pcl5(ladder(32, 20, 4), 32, False), pcl5(ladder(33, 20, 4), 33, False, "positive"),
    Row("pcl5", (None, *[0] * 19), TOOLKIT, met=False, missing=("item1",)),
    Row("pcl5", (None, *[2] * 19), TOOLKIT, met=True, missing=("item1",)),
    Row("pcl5", (0, 0, 0, 0, None, *[2] * 15), TOOLKIT, missing=("item5",)),  # the missing one decides
    pcl5((2,) * 16 + (0,) * 4, 32, True), pcl5((*(2,) * 16, 1, 0, 0, 0), 33, True, "positive"),
    # AUDIT-C: women 3, men 4 (toolkit); UK 5
    sums("auditc", (0,), UNREAD, 0),  # never: the rest is not asked
    sums("auditc", (0, 0, 0), TOOLKIT, 0), sums("auditc", (1, 1, 0), TOOLKIT, 2),
    sums("auditc", (1, 1, 1), TOOLKIT, 3, "women"), sums("auditc", (2, 1, 1), TOOLKIT, 4, "women", "men"),
    sums("auditc", (4, 0, 1), UNREAD, 5, "women", "men", "uk"),
    sums("auditc", (4, 4, 4), TOOLKIT, 12, "women", "men", "uk"),
    Row("auditc", (1, None, 1), TOOLKIT, missing=("item2",)),
    # DAST-10: 0, 1-2, 3-5, 6-8, 9-10; item 3 counts for No; positive from 3, refer from 6
    dast10(0, "none"), dast10(1, "low_level"), dast10(2, "low_level"), dast10(3, "moderate", "positive"),
    dast10(5, "moderate", "positive"), dast10(6, "substantial", "positive", "refer"),
    dast10(8, "substantial", "positive", "refer"), dast10(9, "severe", "positive", "refer"),
    Row("dast10", (1, 1, None, 1, 1, 1, 1, 1, 1, 1), TOOLKIT, missing=("item3",)),
    Row("dast10", (0,) * 10, TOOLKIT, 1, "low_level"),  # unable to stop
    Row("dast10", (1, 1, 0, 1, 1, 1, 1, 1, 1, 1), TOOLKIT, 10, "severe", positive=("positive", "refer")),
    # EPDS: the score ticked, 3 for the most distress; 10 possible (CMS list), 13 probable; item 10
    sums("epds", (0,) * 10, UNREAD, 0), sums("epds", (*[1] * 9, 0), CMS, 9),
    sums("epds", (2, *[1] * 8, 0), CMS, 10, "possible"),
    sums("epds", (3, 3, *[1] * 6, 0, 0), UNREAD, 12, "possible"),
    sums("epds", (3, 3, *[1] * 7, 0), UNREAD, 13, "possible", "probable"),
    Row("epds", (3,) * 10, UNREAD, 30, fired=("item10",), positive=("possible", "probable")),
    Row("epds", (*[0] * 9, 1), UNREAD, 1, fired=("item10",)),
    Row("epds", (3, None, *[3] * 7, 0), UNREAD, missing=("item2",)),
    # CORE-10: 0-10, 11-14, 15-19, 20-24, 25-40; items 2 and 3 turned; item 6
    core10(0, "non_clinical"), core10(10, "non_clinical"), core10(11, "mild", "clinical"),
    core10(14, "mild", "clinical"), core10(15, "moderate", "clinical"), core10(19, "moderate", "clinical"),
    core10(20, "moderately_severe", "clinical"), core10(24, "moderately_severe", "clinical"),
    core10(25, "severe", "clinical"), core10(28, "severe", "clinical"),
    Row("core10", (4, 4, 4, None, 4, 0, 4, 4, 4, 4), MEASURELY, missing=("item4",)),
    Row("core10", (0, 0, 4, *[0] * 7), MEASURELY, 4, "non_clinical"),  # nobody to turn to
    Row("core10", (0, 4, 0, *[0] * 7), MEASURELY, 4, "non_clinical"),  # not able to cope
    Row("core10", (4, 0, 0, 4, 4, 4, 4, 4, 4, 4), MEASURELY, 40, "severe", fired=("item6",),
        positive=("clinical",)),
    Row("core10", (0, 4, 4, 0, 0, 1, 0, 0, 0, 0), "helpineedsomebody.org: item 6, plans to end life", 1,
        "non_clinical", fired=("item6",)),
    # MDQ: seven yes, at the same time, a moderate or serious problem: all three
    mdq(7, 1, 2, True), mdq(13, 1, 3, True), mdq(6, 1, 3, False), mdq(7, 0, 3, False), mdq(7, 1, 1, False),
    Row("mdq", (*[0] * 6, *[1] * 7, 1, 2), UNREAD, met=True),
    mdq(0, None, None, False),  # nothing to be at the same time: the rest is not needed
    mdq(7, None, 3, None), mdq(7, 1, None, None),
    # WHODAS 2.0 (12 items): simple sum 0-48; the days are not added
    sums("whodas12", (0,) * 12, UNREAD, 0), sums("whodas12", (1,) * 12, UNREAD, 12),
    sums("whodas12", (4,) * 12, UNREAD, 48), sums("whodas12", (*[2] * 12, 30, 30, 30), UNREAD, 24),
    Row("whodas12", (*[4] * 11, None), UNREAD, missing=("item12",)),
]  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a published form is: the highest answer to each item in order (the lowest is 0), LOINC codes, ages
    and recall; which items are turned, need not be answered, are not added, and which open others."""

    highest: tuple[int, ...]
    recall_days: int | None
    ages: tuple[int | None, int | None]
    panel: str | None = None
    total: str | None = None
    items: tuple[str, ...] = ()
    lowest: int = 0
    turned: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    not_added: tuple[str, ...] = ()
    opened: tuple[tuple[str, ...], ...] = ()
    """An opened item, then those that open it."""


PHQ: Final = (
    "44250-9",
    "44255-8",
    "44259-0",
    "44254-1",
    "44251-7",
    "44258-2",
    "44252-5",
    "44253-3",
    "44260-8",
)
GAD: Final = ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")
COLUMBIA_ITEMS: Final = ("93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3", "93269-9")

FACTS: Final = {
    # SPiER, NLM LForms, MII PROM questionnaire; ages as widely used
    "phq9": Facts((3,) * 10, 14, (12, None), "44249-1", "44261-6", (*PHQ, "69722-7"),
        optional=("difficulty",), not_added=("difficulty",)),
    # EmblemHealth manual, Synthea LOINC sets
    "phq2": Facts((3,) * 2, 14, (12, None), "55757-9", "55758-7", PHQ[:2]),
    # the form; a test file that names the code of the total
    "phqa": Facts((*[3] * 9, 1, 3, 1, 1), 14, (11, 17), None, "89204-2",
        optional=("past_year_low_mood", "difficulty"),
        not_added=("past_year_low_mood", "difficulty", "serious_thoughts", "attempt")),
    # Aidbox forms tutorial, HL7 PCO value set
    "gad7": Facts((3,) * 8, 14, (12, None), "69737-5", "70274-6", (*GAD, "69722-7"),
        optional=("difficulty",), not_added=("difficulty",)),
    # SPiER, LForms
    "cssrs": Facts((1,) * 7, 30, (12, None), "93373-9", None, COLUMBIA_ITEMS,
        not_added=("q1", "q2", "q3", "q4", "q5", "q6", "q6b"),
        opened=(("q3", "q2"), ("q4", "q2"), ("q5", "q2"), ("q6b", "q6"))),
    "asq": Facts((1,) * 5, 14, (8, None), not_added=("q1", "q2", "q3", "q4", "q5"),
        opened=(("q5", "q1", "q2", "q3", "q4"),)),
    # clinical-toolkit tables; LOINC not verified and left out
    "pcptsd5": Facts((1,) * 6, 30, (18, None), not_added=("exposure",),
        opened=tuple((f"item{n}", "exposure") for n in range(1, 6))),
    "pcl5": Facts((4,) * 20, 30, (18, None)),
    # hl7.pt value set, Synthea LOINC sets
    "auditc": Facts((4,) * 3, 365, (18, None), "72109-2", "75626-2", ("68518-0", "68519-8", "68520-6"),
        opened=(("item2", "item1"), ("item3", "item1"))),
    "dast10": Facts((1,) * 10, 365, (18, None), "82666-9", "82667-7", turned=("item3",)),
    # LOINC audit notes, an EPDS observation writer
    "epds": Facts((3,) * 10, 7, (None, None), "71354-5", "99046-5"),
    # Measurely: from 17 on; no LOINC found
    "core10": Facts((4,) * 10, 7, (17, None), turned=("item2", "item3")),
    # the forms
    "mdq": Facts((*[1] * 14, 3), None, (18, None),
        not_added=(*(f"item{n}" for n in range(1, 14)), "same_time", "problem")),
    "whodas12": Facts((*[4] * 12, 30, 30, 30), 30, (18, None),
        optional=("days1", "days2", "days3"), not_added=("days1", "days2", "days3")),
}  # fmt: skip


def facts_of(instrument: Instrument) -> Facts:
    return Facts(
        highest=tuple(item.high for item in instrument.items),
        recall_days=instrument.recall_days,
        ages=instrument.ages,
        panel=instrument.panel_loinc,
        total=instrument.total_loinc,
        items=tuple(item.loinc for item in instrument.items if item.loinc),
        lowest=max(item.low for item in instrument.items),
        turned=tuple(item.key for item in instrument.items if item.reversed),
        optional=tuple(item.key for item in instrument.items if item.optional),
        not_added=tuple(item.key for item in instrument.items if not item.scored),
        opened=tuple((item.key, *item.asked_if) for item in instrument.items if item.asked_if),
    )


def made_of(instrument: Instrument, row: Row) -> Row:
    """The same row with what this instrument makes of its answers."""
    reading = read_against(instrument, row.answers)
    totals = reading.total if reading.total is not None else -1
    return Row(
        instrument=row.instrument,
        answers=row.answers,
        source=row.source if not reading.problems else "a sheet with problems",
        total=reading.total,
        band=reading.band.key if reading.band else None,
        met=reading.clusters_met,
        fired=tuple(fired.item for fired in reading.fired),
        positive=tuple(cut.key for cut in instrument.cut_offs if totals >= cut.at_least),
        missing=reading.missing,
    )
