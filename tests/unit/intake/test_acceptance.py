"""What intake takes, what it says back, and what may not wait."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.acceptance import Filled, Verdict, accept
from services.intake.domain.screening_notes import Sheet
from shared.instruments import INSTRUMENTS, Answer
from shared.vocabulary import EXPRESS_RED_FLAGS, RED_FLAGS, Priority

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)
ADULT = date(1985, 6, 1)
TODAY = NOW.date()


def phq9(*answers: Answer, stated_total: int | None = None) -> Sheet:
    return Sheet(instrument="phq9", taken_on=TODAY, answers=answers, stated_total=stated_total)


def verdict(
    *sheets: Sheet,
    birth_date: date | None = ADULT,
    guardian_present: bool | None = None,
    priority: str | None = "routine",
    cannot_wait: bool = False,
    red_flags: tuple[str, ...] = (),
) -> Verdict:
    filled = Filled(
        birth_date=birth_date,
        guardian_present=guardian_present,
        requested_priority=priority,
        cannot_wait=cannot_wait,
        red_flags=red_flags,
        sheets=sheets,
    )
    return accept(filled, age_of_majority=18, today=NOW.date())


def test_a_complete_unremarkable_referral_is_taken_without_a_word() -> None:
    assert verdict(phq9(1, 0, 1, 0, 0, 0, 0, 0, 0, stated_total=2)) == Verdict(
        as_of=TODAY, age=39, priority=Priority.ROUTINE, guardian="not_needed"
    )


EXPRESS = [
    ("item 9, whatever the total", verdict(phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)), ("phq9.item9",)),
    (
        "item 9 of a later sheet",
        verdict(phq9(*[0] * 9), phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)),
        ("phq9.item9",),
    ),
    (
        "item 9 among refused answers",
        verdict(phq9(None, "refused", 0, 0, 0, 0, 0, "unknown", 2)),
        ("phq9.item9",),
    ),
    (
        "a C-SSRS act whose date was not asked",
        verdict(Sheet(instrument="cssrs", taken_on=TODAY, answers=(0, 0, 0, 0, 0, 1))),
        ("cssrs.q6", "cssrs.q6b"),
    ),
    ("an observation", verdict(red_flags=("weapon", "weapon")), ("flag.weapon",)),
    ("asked for at once", verdict(priority=" STAT "), ("priority.stat",)),
    ("asked for soon", verdict(priority="asap"), ("priority.asap",)),
    ("the referrer says so", verdict(cannot_wait=True), ("referrer",)),
]


@pytest.mark.parametrize(("found", "because"), [e[1:] for e in EXPRESS], ids=[e[0] for e in EXPRESS])
def test_what_may_not_wait(found: Verdict, because: tuple[str, ...]) -> None:
    assert found.express
    assert found.because == because
    assert not found.faults


@pytest.mark.parametrize(
    ("found", "advised"),
    [
        (verdict(phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)), True),
        (verdict(red_flags=("suicidal_thoughts",)), True),
        (verdict(priority="stat"), False),
        (verdict(cannot_wait=True), False),
        (verdict(red_flags=("medication_question",)), False),
    ],
    ids=["safety item", "observation", "stat", "referrer", "routine flag"],
)
def test_the_sender_is_advised_where_somebody_may_be_in_danger(found: Verdict, advised: bool) -> None:
    assert bool(found.safety) is advised


@pytest.mark.parametrize("flag", sorted(RED_FLAGS))
def test_each_flag_is_express_as_the_vocabulary_says(flag: str) -> None:
    assert verdict(red_flags=(flag,)).express is (flag in EXPRESS_RED_FLAGS)


@given(st.lists(st.sampled_from([0, 1, 2, 3, None, "refused", "unknown"]), min_size=8, max_size=8))
def test_a_safety_item_never_depends_on_the_rest_of_the_sheet(others: list[Answer]) -> None:
    assert verdict(phq9(*others, 1)).safety == ("phq9.item9",)
    assert not verdict(phq9(*others, 0)).express


@given(st.sampled_from(sorted(INSTRUMENTS)), st.data())
def test_adding_anything_never_takes_a_referral_off_the_express_lane(key: str, data: st.DataObject) -> None:
    items = INSTRUMENTS[key].items
    answers = data.draw(
        st.tuples(*(st.none() | st.just("refused") | st.integers(i.low, i.high) for i in items))
    )
    first = Sheet(instrument=key, taken_on=TODAY, answers=answers)
    flags = tuple(data.draw(st.lists(st.sampled_from(sorted(RED_FLAGS)), max_size=3)))
    alone, more = verdict(first), verdict(first, phq9(0, 0, 0, 0, 0, 0, 0, 0, 0), red_flags=flags)
    assert set(alone.because) <= set(more.because)


WARNED = [
    ("no priority", verdict(priority=None), ("/requested_priority", "priority_unknown")),
    ("a blank priority", verdict(priority="  "), ("/requested_priority", "priority_unknown")),
    ("a word of another system", verdict(priority="UR"), ("/requested_priority", "priority_unknown")),
    ("the word unknown", verdict(priority="unknown"), ("/requested_priority", "priority_unknown")),
    ("no birth date", verdict(birth_date=None), ("/client/birth_date", "age_unknown")),
    ("a minor alone", verdict(birth_date=date(2010, 1, 1)), ("/client/guardian", "guardian_absent")),
    (
        "a minor whose guardian does not take part",
        verdict(birth_date=date(2010, 1, 1), guardian_present=False),
        ("/client/guardian", "guardian_absent"),
    ),
    (
        "a total that is not the sum",
        verdict(phq9(1, 1, 1, 0, 0, 0, 0, 0, 0, stated_total=9)),
        ("/screenings/0/stated_total", "total_differs"),
    ),
    (
        "a safety item left open",
        verdict(phq9(1, 1, 1, 0, 0, 0, 0, 0, None)),
        ("/screenings/0/answers", "safety_not_assessed"),
    ),
    ("an answer that cannot be", verdict(phq9(5, *[0] * 8)), ("/screenings/0/answers/0", "out_of_range")),
    (
        "the second sheet",
        verdict(phq9(*[0] * 9), phq9(*[0] * 7, 4, 0)),
        ("/screenings/1/answers/7", "out_of_range"),
    ),
    ("too many answers", verdict(phq9(*[0] * 8, 1, 0, 0)), ("/screenings/0/answers", "wrong_count")),
]


@pytest.mark.parametrize(("found", "warning"), [w[1:] for w in WARNED], ids=[w[0] for w in WARNED])
def test_what_is_doubtful_is_taken_and_said_back(found: Verdict, warning: tuple[str, str]) -> None:
    assert [(note.where, note.code) for note in found.warnings] == [warning]
    assert not found.faults


def test_an_unknown_priority_is_never_routine_and_never_quoted() -> None:
    found = verdict(priority="please ring her sister")
    assert found.priority is Priority.UNKNOWN
    assert "sister" not in str(found)


REFUSED = [
    (
        "an instrument nobody knows",
        verdict(Sheet(instrument="xyz", taken_on=TODAY, answers=(1,))),
        "/screenings/0/instrument",
    ),
    ("not yet born", verdict(birth_date=date(2030, 1, 1)), "/client/birth_date"),
    ("born too long ago", verdict(birth_date=date(1880, 1, 1)), "/client/birth_date"),
]


@pytest.mark.parametrize(("found", "where"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_cannot_be_true_is_refused_by_its_place(found: Verdict, where: str) -> None:
    assert [fault.where for fault in found.faults] == [where]


def test_all_faults_are_named_at_once() -> None:
    found = verdict(phq9(9, 0, 0, 7, 0, 0, 0, 0, 5), birth_date=date(2030, 1, 1))
    assert [fault.where for fault in found.faults] == [
        "/client/birth_date",
        "/screenings/0/answers/0",
        "/screenings/0/answers/3",
        "/screenings/0/answers/8",
    ]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2007, 3, 3), 18),
        (date(2007, 3, 4), 17),
        (date(2004, 2, 29), 21),
        (date(2025, 3, 3), 0),
    ],
)
def test_age_in_whole_years(born: date, age: int) -> None:
    assert verdict(birth_date=born).age == age
