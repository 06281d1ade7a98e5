"""Answer sheets, read: totals, bands, safety items, and everything that can be wrong with a sheet."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.instruments import INSTRUMENTS, Answer, Instrument, Reading, read, safety_fired

NHANES = Path(__file__).parents[4] / "shared" / "data" / "nhanes" / "phq9_2015_2016.csv"

ZEROS = (0,) * 9
ANY_ANSWER = st.one_of(st.integers(-2, 99), st.sampled_from(["refused", "unknown", None]))


def band(reading: Reading) -> str | None:
    return reading.band.key if reading.band else None


def codes(reading: Reading) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.item) for problem in reading.problems]


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda each: each.key)
class TestEveryInstrument:
    def test_its_data_agree_with_the_published_form(self, instrument: Instrument) -> None:
        keys = [item.key for item in instrument.items]
        assert len(set(keys)) == len(keys)
        loincs = [item.loinc for item in instrument.items if item.loinc]
        assert len(set(loincs)) == len(loincs)
        assert instrument.panel_loinc not in loincs
        assert instrument.total_loinc not in [*loincs, instrument.panel_loinc] or not instrument.total_loinc
        scored = [item for item in instrument.items if item.scored]
        reachable = sum(max(item.score(item.low), item.score(item.high)) for item in scored)
        assert instrument.max_total == (reachable if scored else None)

    def test_its_bands_leave_no_gap(self, instrument: Instrument) -> None:
        if instrument.bands:
            covered = [t for b in instrument.bands for t in range(b.low, b.high + 1)]
            assert covered == list(range((instrument.max_total or 0) + 1))

    def test_its_tiers_and_conditions_name_its_own_items(self, instrument: Instrument) -> None:
        keys = {item.key for item in instrument.items}
        named = {key for tier in instrument.tiers for key in tier.items}
        named |= {key for item in instrument.items for key in item.asked_if}
        named |= {key for cluster in instrument.clusters for key in cluster.items}
        assert named <= keys

    def test_every_safety_item_fires_alone(self, instrument: Instrument) -> None:
        """Whatever the other answers, and at the lowest positive answer."""
        for place, item in enumerate(instrument.items):
            if item.safety:
                answers: list[Answer] = [each.high if each.reversed else 0 for each in instrument.items]
                answers[place] = item.low if item.reversed else item.low + 1
                assert item.key in {fired.item for fired in safety_fired(instrument.key, answers)}

    def test_a_blank_sheet_assesses_nothing(self, instrument: Instrument) -> None:
        reading = read(instrument.key, [None] * len(instrument.items))
        assert reading.not_assessed == instrument.safety_items
        assert reading.total is None
        assert reading.band is None


@given(st.sampled_from(sorted(INSTRUMENTS)), st.lists(ANY_ANSWER, max_size=30))
def test_no_sheet_makes_it_raise_and_no_safety_item_is_passed_over(key: str, answers: list[Answer]) -> None:
    """Each safety item fired, is not assessed, was answered with zero, or was rightly skipped after a no."""
    reading = read(key, answers)
    values = dict(reading.values)
    items = {item.key: item for item in INSTRUMENTS[key].items}
    for safety in INSTRUMENTS[key].safety_items:
        fired = safety in {f.item for f in reading.fired}
        zero = safety in values and not fired
        skipped = items[safety].asked_if and all(values.get(k) == 0 for k in items[safety].asked_if)
        assert fired or safety in reading.not_assessed or zero or skipped


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
        (15, "moderately_severe"), (19, "moderately_severe"), (20, "severe"), (27, "severe"),
    ],
)  # fmt: skip
def test_phq9_bands(total: int, expected: str) -> None:
    answers = [min(3, max(0, total - 3 * place)) for place in range(9)]
    reading = read("phq9", answers)
    assert (reading.total, band(reading)) == (total, expected)


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
        (15, "severe"), (21, "severe"),
    ],
)  # fmt: skip
def test_gad7_bands(total: int, expected: str) -> None:
    answers = [min(3, max(0, total - 3 * place)) for place in range(7)]
    reading = read("gad7", answers)
    assert (reading.total, band(reading)) == (total, expected)


def test_codes_that_public_code_often_confuses() -> None:
    gad7, phq9, cssrs = INSTRUMENTS["gad7"], INSTRUMENTS["phq9"], INSTRUMENTS["cssrs"]
    assert [item.loinc for item in gad7.items[5:7]] == ["69689-8", "69736-7"]
    assert (gad7.panel_loinc, gad7.total_loinc) == ("69737-5", "70274-6")
    assert (phq9.panel_loinc, phq9.total_loinc, phq9.items[8].loinc) == ("44249-1", "44261-6", "44260-8")
    assert (INSTRUMENTS["phq2"].panel_loinc, INSTRUMENTS["phq2"].total_loinc) == ("55757-9", "55758-7")
    assert cssrs.panel_loinc == "93373-9"


class TestPhq9:
    def test_every_answer_that_can_be_read_is_told_by_its_item(self) -> None:
        reading = read("phq9", (2, None, 7, "refused", 1, 0, 0, 0, 0, 3))
        assert reading.values == (
            ("item1", 2), ("item5", 1), ("item6", 0), ("item7", 0), ("item8", 0), ("item9", 0),
            ("difficulty", 3),
        )  # fmt: skip

    def test_the_difficulty_question_is_not_added(self) -> None:
        assert read("phq9", (*ZEROS, 3)).total == 0
        assert read("phq9", (*ZEROS, 3)).problems == ()

    @pytest.mark.parametrize("answer", [None, "refused", "unknown"])
    def test_item_9_left_open_is_not_assessed_and_never_zero(self, answer: Answer) -> None:
        reading = read("phq9", (*[1] * 8, answer))
        assert reading.not_assessed == ("item9",)
        assert reading.fired == ()
        assert reading.total is None
        assert band(reading) is None
        assert reading.given == 8

    def test_up_to_two_other_items_are_made_up_for(self) -> None:
        reading = read("phq9", (2, 2, 2, 2, 2, 2, None, "refused", 0))
        assert (reading.given, reading.total, reading.prorated) == (12, 15, True)  # 12 / 7 * 9 = 15.4
        too_many = read("phq9", (2, 2, 2, 2, 2, None, None, None, 0))
        assert (too_many.total, too_many.prorated) == (None, False)

    @pytest.mark.parametrize("value", [1, 2, 3])
    def test_item_9_fires_whatever_the_total(self, value: int) -> None:
        for others in (0, 3):
            (fired,) = read("phq9", (*[others] * 8, value)).fired
            assert (fired.item, fired.value) == ("item9", value)

    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            (ZEROS[:8], [("wrong_count", None)]),
            ((*ZEROS, 0, 0), [("wrong_count", None)]),
            ((), [("wrong_count", None)]),
            ((4, *ZEROS[:7], -1), [("out_of_range", "item1"), ("out_of_range", "item9")]),
            ((*ZEROS, 4), [("out_of_range", "difficulty")]),
            (("often", *ZEROS[:8]), [("not_an_answer", "item1")]),
            ((1.5, *ZEROS[:8]), [("not_an_answer", "item1")]),
        ],
    )
    def test_what_is_wrong_is_named_by_item(
        self, answers: tuple[Answer, ...], expected: list[tuple[str, str | None]]
    ) -> None:
        assert codes(read("phq9", answers)) == expected

    def test_a_wrong_count_says_how_many_there_should_be(self) -> None:
        assert "has 9 to 10 answers" in read("phq9", ()).problems[0].text
        assert "has 2 answers" in read("phq2", ()).problems[0].text

    def test_an_impossible_item_9_is_not_assessed(self) -> None:
        assert read("phq9", (*ZEROS[:8], 7)).not_assessed == ("item9",)

    def test_nobody_knows_which_answer_is_whose_in_a_sheet_of_the_wrong_length(self) -> None:
        assert read("phq9", (*ZEROS, 0, 0)).not_assessed == ("item9",)
        assert read("phq9", (*ZEROS, 0, 0)).total is None
        assert [fired.item for fired in read("phq9", (*ZEROS[:8], 1, 0, 0)).fired] == ["item9"]

    def test_a_stated_total_that_differs_is_told_and_not_used(self) -> None:
        reading = read("phq9", (*[1] * 8, 0), stated_total=18)
        assert codes(reading) == [("total_differs", None)]
        assert reading.total == 8
        assert read("phq9", (*[1] * 8, 0), stated_total=8).problems == ()

    def test_a_problem_quotes_nothing_that_was_written(self) -> None:
        said = [p.text for p in read("phq9", ("call 555 0100", *ZEROS[:8])).problems]  # type: ignore[arg-type]
        assert said
        assert not any("555" in text for text in said)


class TestCssrs:
    @pytest.mark.parametrize(
        ("answers", "tier"),
        [
            ((0, 0, None, None, None, 0, None), None),  # 3 to 5 rightly skipped
            ((0, 0, None, None, None, 0), None),  # 6b left off
            ((1, 0, None, None, None, 0, None), "ideation_only"),
            ((0, 1, 0, 0, 0, 0, None), "ideation_only"),
            ((1, 1, 1, 0, 0, 0, None), "intermediate"),
            ((0, 0, None, None, None, 1, 0), "intermediate"),  # an act, longer ago
            ((1, 1, 1, 1, 0, 0, None), "most_severe"),  # Columbia puts question 4 here
            ((0, 1, 0, 0, 1, 0, None), "most_severe"),
            ((0, 0, None, None, None, 1, 1), "most_severe"),
            ((0, 0, None, None, None, 1, None), "most_severe"),  # not said when: counts as recent
            ((0, 0, None, None, None, 1, "refused"), "most_severe"),
            ((0, 0, None, None, None, 1), "most_severe"),
        ],
    )
    def test_the_most_severe_positive_answer_decides(
        self, answers: tuple[Answer, ...], tier: str | None
    ) -> None:
        assert band(read("cssrs", answers)) == tier
        assert read("cssrs", answers).problems == ()

    def test_skipped_after_a_no_is_assessed(self) -> None:
        reading = read("cssrs", (0, 0, None, None, None, 0, None))
        assert reading.not_assessed == ()
        assert reading.complete

    @pytest.mark.parametrize(
        ("answers", "open_"),
        [
            ((0, 1, None, 0, 0, 0, None), ("q3",)),
            ((0, None, None, None, None, 0, None), ("q2", "q3", "q4", "q5")),
            ((0, "refused", None, None, None, 0, None), ("q2", "q3", "q4", "q5")),
            ((None, 0, None, None, None, 0, None), ("q1",)),
            ((0, 0, None, None, None, None, None), ("q6", "q6b")),
            ((0, 0, None, None, None, 1, None), ("q6b",)),
        ],
    )
    def test_what_should_have_been_asked_is_not_assessed(
        self, answers: tuple[Answer, ...], open_: tuple[str, ...]
    ) -> None:
        assert read("cssrs", answers).not_assessed == open_

    def test_an_assumed_answer_says_so(self) -> None:
        fired = {f.item: f.assumed for f in read("cssrs", (0, 0, None, None, None, 1, None)).fired}
        assert fired == {"q6": False, "q6b": True}
        assert {f.instrument for f in read("cssrs", (0, 0, None, None, None, 1, None)).fired} == {"cssrs"}

    def test_a_yes_after_a_no_fires_and_is_a_contradiction(self) -> None:
        reading = read("cssrs", (0, 0, 0, 0, 1, 0, 1))
        assert reading.contradictions == ("q5", "q6b")
        assert band(reading) == "most_severe"


def test_an_assumed_answer_is_not_believed_in_a_sheet_of_the_wrong_length() -> None:
    reading = read("cssrs", (0, 0, 0, 0, 0, 1, None, 0))
    assert band(reading) == "most_severe"
    assert reading.not_assessed == ("q1", "q2", "q3", "q4", "q5", "q6b")


def test_a_yes_while_one_opening_question_is_unanswered_is_no_contradiction() -> None:
    assert read("asq", (0, 0, 0, None, 1)).contradictions == ()
    assert read("asq", (0, 0, 0, 0, 1)).contradictions == ("q5",)


def test_an_instrument_from_the_future_is_reported() -> None:
    reading = read("phq12", (3, 3))
    assert not reading.prorated
    assert codes(reading) == [("unknown_instrument", None)]
    assert (reading.instrument, reading.known, reading.complete) == ("phq12", False, False)
    assert (reading.total, reading.fired, reading.not_assessed) == (None, (), ())


def test_real_answer_sheets() -> None:
    """NHANES 2015-2016: 7 is refused, 9 is unknown, a blank is missing."""
    if not NHANES.exists():
        pytest.skip("the public NHANES sheets are not on this machine")
    meanings: dict[float, Answer] = {7: "refused", 9: "unknown"}
    seen = 0
    with NHANES.open(newline="") as file:
        for row in csv.DictReader(file):
            cells = [row[name] for name in row if name and name.upper().startswith("DPQ")][:9]
            answers = [meanings.get(float(c), int(float(c))) if c.strip() else None for c in cells]
            reading = read("phq9", answers)
            item9 = answers[8]
            assert not reading.problems
            assert bool(reading.fired) == (isinstance(item9, int) and item9 > 0)
            assert bool(reading.not_assessed) == (not isinstance(item9, int))
            if all(isinstance(answer, int) for answer in answers):
                assert reading.total == sum(a for a in answers if isinstance(a, int))
            seen += 1
    assert seen > 5000


@pytest.mark.parametrize(
    ("instrument", "answers", "total", "expected"),
    [
        # DAST-10: question 3, "able to stop", counts for No
        ("dast10", (0, 0, 1, 0, 0, 0, 0, 0, 0, 0), 0, "none"),
        ("dast10", (0,) * 10, 1, "low_level"),
        ("dast10", (1, 1, 0, 0, 0, 0, 0, 0, 0, 0), 3, "moderate"),
        ("dast10", (1, 1, 0, 1, 1, 1, 0, 0, 0, 0), 6, "substantial"),
        ("dast10", (1, 1, 0, 1, 1, 1, 1, 1, 1, 1), 10, "severe"),
        # CORE-10: questions 2 and 3 are turned; clinical cut-off 11
        ("core10", (0, 4, 4, 0, 0, 0, 0, 0, 0, 0), 0, "non_clinical"),
        ("core10", (0,) * 10, 8, "non_clinical"),
        ("core10", (3, 4, 4, 4, 4, 0, 0, 0, 0, 0), 11, "mild"),
        ("core10", (0, 0, 0, 4, 3, 0, 0, 0, 0, 0), 15, "moderate"),
        ("core10", (4, 0, 0, 4, 4, 0, 0, 0, 0, 0), 20, "moderately_severe"),
        ("core10", (4, 0, 0, 4, 4, 0, 4, 1, 0, 0), 25, "severe"),
        ("auditc", (4, 4, 4), 12, None),
        ("epds", (3,) * 10, 30, None),
        ("pcl5", (4,) * 20, 80, None),  # no official bands
        ("phq2", (3, 2), 5, None),
        ("whodas12", (4,) * 12, 48, None),
        ("pcptsd5", (1, 1, 0, 1, 1, 0), 3, None),
        ("pcptsd5", (0,), 0, None),  # never exposed: stop
    ],
)
def test_totals_of_the_others(
    instrument: str, answers: tuple[int, ...], total: int, expected: str | None
) -> None:
    reading = read(instrument, answers)
    assert reading.problems == ()
    assert (reading.total, band(reading)) == (total, expected)


@pytest.mark.parametrize(
    ("instrument", "item", "answers"),
    [
        ("epds", "item10", (0,) * 9 + (1,)),
        ("core10", "item6", (0, 4, 4, 0, 0, 1, 0, 0, 0, 0)),
        ("phqa", "serious_thoughts", (*ZEROS, 0, 0, 1, 0)),  # although item 9 is 0
        ("phqa", "attempt", (*ZEROS, None, None, 0, 1)),
    ],
)
def test_safety_items_of_the_others(instrument: str, item: str, answers: tuple[Answer, ...]) -> None:
    reading = read(instrument, answers)
    assert [fired.item for fired in reading.fired] == [item]
    assert reading.not_assessed == ()


@pytest.mark.parametrize(
    ("answers", "tier"),
    [
        ((0, 0, 0, 0), None),
        ((0, 0, 0, 1, 0), "positive"),
        ((1, 0, 0, 0, 1), "acute_positive"),
        ((1, 0, 0, 0), "acute_positive"),  # question 5 left open
    ],
)
def test_asq(answers: tuple[Answer, ...], tier: str | None) -> None:
    assert band(read("asq", answers)) == tier


@pytest.mark.parametrize(
    ("instrument", "answers", "met"),
    [
        ("mdq", (*[1] * 7, *[0] * 6, 1, 2), True),
        ("mdq", (*[1] * 6, *[0] * 7, 1, 2), False),
        ("mdq", (*[1] * 7, *[0] * 6, 0, 2), False),
        ("mdq", (*[1] * 7, *[0] * 6, 1, 1), False),
        ("mdq", (*[1] * 7, *[0] * 6, 1, None), None),  # cannot be said
        ("mdq", (*[1] * 7, *[None] * 6, 1, 2), True),  # already met
        ("pcl5", (2, 0, 0, 0, 0, 2, 0, 2, 2, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0), True),
        ("pcl5", (2, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0), False),
        ("pcl5", (1, 1, 1, 1, 1, 2, 0, 2, 2, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0), False),
        ("phq9", ZEROS, None),
    ],
)
def test_criteria_that_are_not_a_total(
    instrument: str, answers: tuple[Answer, ...], met: bool | None
) -> None:
    assert read(instrument, answers).clusters_met is met
