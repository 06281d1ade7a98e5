"""Whatever is odd about an answer sheet is said back by sheet and item, with what to do. It is taken, its
safety items count all the same, and a person looks. For every instrument."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.acceptance import Filled, Verdict, accept
from services.intake.domain.screening_notes import Note
from services.intake.domain.screening_notes import Sheet as SentSheet
from services.triage.case_mapping import chart_of
from services.triage.domain.urgency import Verdict as Decided
from services.triage.domain.urgency import assess_urgency
from shared.events import Case, Consent, Screening
from shared.instruments import INSTRUMENTS, SAFETY_INSTRUMENTS, Answer, Instrument
from shared.vocabulary import Priority, Urgency
from tests.unit.triage.samples import POLICY, rank

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
TODAY = NOW.date()
ALL_AGES = {"epds"}
"""Asked of parents around birth, of whatever age."""
AGELESS = {"mdq"}
"""Asks about a lifetime, so a sheet of it does not grow old."""
WITHOUT_TOTAL = {"cssrs", "asq", "mdq"}

every = pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda each: each.key)
with_safety = pytest.mark.parametrize(
    "instrument", [INSTRUMENTS[key] for key in sorted(SAFETY_INSTRUMENTS)], ids=lambda each: each.key
)


@dataclass(frozen=True)
class Told:
    """What the referrer hears at the door, and what triage decides on the same sheets."""

    verdict: Verdict
    decided: Decided

    @property
    def warnings(self) -> dict[str, Note]:
        return {note.code: note for note in self.verdict.warnings}


def told(
    instrument: Instrument,
    answers: tuple[Answer, ...],
    *,
    taken_on: date = TODAY,
    age: int = 40,
    stated_total: int | None = None,
) -> Told:
    """As the second sheet, so that a place can only be right by counting; the first is a calm C-SSRS."""
    calm = SentSheet(instrument="cssrs", taken_on=TODAY, answers=(0, 0, None, None, None, 0))
    odd = SentSheet(instrument=instrument.key, taken_on=taken_on, answers=answers, stated_total=stated_total)
    born = date(TODAY.year - age, 1, 1)
    filled = Filled(birth_date=born, guardian_present=True, requested_priority="routine", sheets=(calm, odd))
    verdict = accept(filled, age_of_majority=18, today=NOW.date())
    assert verdict.age == age
    case = Case(
        as_of=verdict.as_of,
        age=verdict.age,
        guardian="present",
        requested_priority=Priority.ROUTINE,
        problems=("depression",),
        screenings=tuple(
            Screening(
                instrument=each.instrument,
                taken_on=each.taken_on,
                answers=each.answers,
                stated_total=each.stated_total,
            )
            for each in filled.sheets
        ),
        consent=Consent(share_with_network=True),
    )
    return Told(verdict, assess_urgency(chart_of(case), POLICY, asked_at=NOW))


def calm(instrument: Instrument) -> tuple[Answer, ...]:
    """Nothing positive anywhere."""
    return tuple(item.score(item.low) for item in instrument.items)


def positive(instrument: Instrument) -> tuple[Answer, ...]:
    """Its last safety item answered positively, and with it what opens that one."""
    last = next(item for item in reversed(instrument.items) if item.safety)
    yes = {last.key, *last.asked_if}
    return tuple(item.score(1 if item.key in yes else item.low) for item in instrument.items)


def is_named(found: Told, code: str, where: str, instrument: Instrument, *words: str) -> None:
    """Taken, said back at this place with the instrument's name and what to do, and looked at by a person."""
    assert found.verdict.faults == ()
    note = found.warnings[code]
    assert note.where == f"/screenings/1{where}"
    for word in (instrument.title, *words):
        assert word in note.what
    assert found.decided.reviews
    assert found.decided.review_by is not None
    assert found.decided.review_by <= NOW + timedelta(hours=24)


def wrong_age(instrument: Instrument) -> int:
    youngest, oldest = instrument.ages
    return youngest - 1 if youngest else (oldest or 0) + 1


@every
def test_nothing_is_said_about_a_sheet_with_nothing_odd(instrument: Instrument) -> None:
    age = 15 if instrument.key == "phqa" else 40
    total = 0 if instrument.key not in WITHOUT_TOTAL else None
    for days in (0, -1, instrument.counts_days or 9999):
        found = told(
            instrument, calm(instrument), age=age, stated_total=total, taken_on=TODAY - timedelta(days=days)
        )
        assert found.verdict.warnings == () == found.verdict.faults
        assert found.decided.reviews == ()


@every
def test_made_for_another_age(instrument: Instrument) -> None:
    if instrument.key in ALL_AGES:
        assert instrument.ages == (None, None)
        return
    found = told(instrument, calm(instrument), age=wrong_age(instrument))
    is_named(found, "wrong_age", "/instrument", instrument, "use the form for this age")
    assert "sheet-wrong-age" in {finding.rule for finding in found.decided.reviews}


@pytest.mark.parametrize(
    ("key", "ages"),
    [
        ("phqa", [(10, True), (11, False), (17, False), (18, True)]),
        ("core10", [(16, True), (17, False), (80, False)]),
        ("whodas12", [(17, True), (18, False)]),
    ],
)
def test_both_ends_of_an_age_range_belong_to_it(key: str, ages: list[tuple[int, bool]]) -> None:
    for age, warned in ages:
        found = told(INSTRUMENTS[key], calm(INSTRUMENTS[key]), age=age)
        places = [note.where for note in found.verdict.warnings if note.code == "wrong_age"]
        assert ("/screenings/1/instrument" in places) is warned


@every
def test_a_sheet_that_is_old(instrument: Instrument) -> None:
    if instrument.key in AGELESS:
        assert instrument.counts_days is None
        return
    days = (instrument.counts_days or 0) + 1
    assert days > max(30, instrument.recall_days or 0)
    found = told(instrument, calm(instrument), taken_on=TODAY - timedelta(days=days))
    is_named(found, "stale", "/taken_on", instrument, f"{days} days old", "ask again")
    assert "sheet-out-of-date" in {finding.rule for finding in found.decided.reviews}


@every
def test_a_day_that_is_still_to_come(instrument: Instrument) -> None:
    found = told(instrument, calm(instrument), taken_on=TODAY + timedelta(days=2))
    is_named(found, "in_the_future", "/taken_on", instrument, "correct the day")


@every
def test_a_value_that_is_impossible(instrument: Instrument) -> None:
    """Each item by itself: it counts as not answered, and nothing else of the sheet is lost."""
    for place, item in enumerate(instrument.items):
        answers = list(calm(instrument))
        answers[place] = item.high + 1
        found = told(instrument, tuple(answers))
        is_named(found, "out_of_range", f"/answers/{place}", instrument, item.key, "send it corrected")
        others = {code for code in found.warnings if code != "out_of_range"}
        assert others <= {"safety_not_assessed", "not_scored", "wrong_age"}


@every
def test_a_wrong_number_of_answers(instrument: Instrument) -> None:
    found = told(instrument, (*calm(instrument), 0))
    is_named(found, "wrong_count", "/answers", instrument, "Send the whole sheet")


@every
def test_a_stated_total_that_disagrees(instrument: Instrument) -> None:
    wrong = 1 if instrument.max_total is not None else 0
    found = told(instrument, calm(instrument), stated_total=wrong)
    what = "check the sheet" if instrument.key not in WITHOUT_TOTAL else "Leave it out"
    is_named(found, "total_differs", "/stated_total", instrument, what)


@pytest.mark.parametrize(
    ("stated", "warned"),
    [(5, True), (6, False), (9, False), (10, True)],  # 2 each for 3 items, 0 for 5, one open: 6 to 9
)
def test_what_was_left_open_may_make_up_the_difference_but_no_more(stated: int, warned: bool) -> None:
    found = told(INSTRUMENTS["phq9"], (2, 2, 2, None, 0, 0, 0, 0, 0), stated_total=stated)
    assert ("total_differs" in found.warnings) is warned


@every
def test_too_much_left_open_for_a_result(instrument: Instrument) -> None:
    """Everything left open but the safety items, which are answered with no: never quietly routine."""
    safe = instrument.safety_items
    answers = tuple(item.score(item.low) if item.key in safe else None for item in instrument.items)
    found = told(instrument, answers, age=15 if instrument.key == "phqa" else 40)
    if instrument.key in ("cssrs", "asq"):
        assert found.verdict.warnings == ()  # they ask nothing else
        return
    is_named(found, "not_scored", "/answers", instrument, "ask, and send it")
    assert {finding.rule for finding in found.decided.reviews} == {"sheet-not-scored"}
    (datum,) = {finding.datum for finding in found.decided.reviews}
    assert datum == f"{instrument.key}.result=not assessed"


@with_safety
def test_its_safety_items_count_whatever_else_is_odd(instrument: Instrument) -> None:
    yes = positive(instrument)
    last = max(place for place, item in enumerate(instrument.items) if item.safety)
    spoilt = next((place for place in range(last) if place != last), 0)
    broken = (*yes[:spoilt], 99, *yes[spoilt + 1 :])
    ways = {
        "wrong age": told(instrument, yes, age=wrong_age(instrument) if instrument.ages[0] else 5),
        "old": told(instrument, yes, taken_on=TODAY - timedelta(days=4000)),
        "still to come": told(instrument, yes, taken_on=TODAY + timedelta(days=400)),
        "another answer impossible": told(instrument, broken),
        "one answer too many": told(instrument, (*yes, 0)),
        "another total": told(instrument, yes, stated_total=99),
    }
    for way, found in ways.items():
        assert found.verdict.faults == (), way
        assert found.verdict.express, way
        assert f"{instrument.key}.{instrument.items[last].key}" in found.verdict.safety, way
        assert rank(found.decided.urgency) >= rank(Urgency.URGENT), way
        assert found.decided.reviews, way


def test_an_old_no_does_not_answer_the_safety_question_for_today() -> None:
    """With the old sheet alone nobody has asked; with none at all neither."""
    for days, asked in ((30, True), (31, False), (4000, False), (-2, False)):
        case = Case(
            as_of=TODAY,
            age=40,
            requested_priority=Priority.ROUTINE,
            problems=("wellbeing",),
            screenings=(
                Screening(instrument="phq9", taken_on=TODAY - timedelta(days=days), answers=(0,) * 9),
            ),
            consent=Consent(share_with_network=True),
        )
        verdict = assess_urgency(chart_of(case), POLICY, asked_at=NOW)
        rules = {finding.rule for finding in verdict.reviews}
        assert ("no-safety-question" in rules) is not asked
        assert verdict.urgency is (Urgency.PREVENTIVE if asked else Urgency.SOON)


def test_a_yes_after_a_no_is_said_back_at_its_item() -> None:
    found = told(INSTRUMENTS["cssrs"], (0, 0, 0, 0, 1, 0))
    is_named(found, "contradicts_itself", "/answers/4", INSTRUMENTS["cssrs"], "Check both answers")


@pytest.mark.parametrize(
    ("key", "language", "warned"),
    [("phq9", "es", False), ("phq9", "es-MX", False), ("phq9", "vi", True), ("asq", "en", False),
     ("asq", "es", True), ("asq", None, False)],
)  # fmt: skip
def test_a_language_it_is_not_known_in(key: str, language: str | None, warned: bool) -> None:
    """Said to the referrer alone: answers in any language count alike."""
    instrument = INSTRUMENTS[key]
    odd = SentSheet(instrument=key, taken_on=TODAY, answers=calm(instrument), language=language)
    verdict = accept(Filled(age=40, sheets=(odd,)), age_of_majority=18, today=NOW.date())
    notes = [note for note in verdict.warnings if note.code == "other_language"]
    assert [note.where for note in notes] == (["/screenings/0/language"] if warned else [])
    assert all(instrument.title in note.what and "validated translation" in note.what for note in notes)


def test_the_age_that_is_known_already_counts_for_a_later_sheet() -> None:
    sheet = SentSheet(instrument="phqa", taken_on=TODAY, answers=calm(INSTRUMENTS["phqa"]))
    for age, warned in ((15, False), (30, True), (None, False)):
        verdict = accept(Filled(age=age, sheets=(sheet,)), age_of_majority=18, today=NOW.date())
        assert ("wrong_age" in {note.code for note in verdict.warnings}) is warned


def test_no_warning_is_lost_among_others() -> None:
    """All at once: old, too young, one value impossible, one safety item open, another total stated."""
    found = told(
        INSTRUMENTS["phqa"],
        (7, *[0] * 7, None, 0, 0, 1, 0),
        age=30,
        taken_on=TODAY - timedelta(days=90),
        stated_total=27,
    )
    assert set(found.warnings) == {
        "wrong_age", "stale", "out_of_range", "safety_not_assessed", "not_scored", "total_differs",
    }  # fmt: skip
    assert found.verdict.safety == ("phqa.serious_thoughts",)
