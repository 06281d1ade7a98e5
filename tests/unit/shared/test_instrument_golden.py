"""Every instrument against its golden answer sheets."""

import json
from pathlib import Path
from typing import Final

import pytest

from shared.instruments import INSTRUMENTS, TO_CONFIRM, read
from tests.unit.shared.golden_sheets import FACTS, GOLDEN, UNREAD, Row, facts_of, made_of

DATA = Path(__file__).parents[4] / "shared" / "data" / "fhir"


@pytest.mark.parametrize("row", GOLDEN, ids=[f"{n}-{row.instrument}" for n, row in enumerate(GOLDEN)])
def test_golden(row: Row) -> None:
    assert made_of(INSTRUMENTS[row.instrument], row) == row


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_the_form_is_the_published_one(key: str) -> None:
    assert facts_of(INSTRUMENTS[key]) == FACTS[key]


def test_every_instrument_band_tier_cut_off_and_safety_item_has_a_row() -> None:
    rows = {key: [row for row in GOLDEN if row.instrument == key] for key in INSTRUMENTS}
    for key, instrument in INSTRUMENTS.items():
        named = {row.band for row in rows[key]}
        assert {band.key for band in instrument.bands} <= named, key
        assert {tier.key for tier in instrument.tiers} <= named, key
        assert {cut.key for cut in instrument.cut_offs} <= {p for row in rows[key] for p in row.positive}, key
        assert set(instrument.safety_items) <= {item for row in rows[key] for item in row.fired}, key
        if instrument.max_total is not None:
            assert {0, instrument.max_total} <= {row.total for row in rows[key]}, key
            assert any(row.total is None for row in rows[key]), f"{key}: no row without a total"
        if instrument.clusters:
            assert {True, False} <= {row.met for row in rows[key]}, key


def test_both_ends_of_every_band_have_a_row() -> None:
    totals = {(row.instrument, row.total) for row in GOLDEN}
    for key, instrument in INSTRUMENTS.items():
        for band in instrument.bands:
            assert {(key, band.low), (key, band.high)} <= totals, (key, band.key)


def test_what_was_not_read_at_its_source_is_marked() -> None:
    for row in GOLDEN:
        assert row.source
        instrument = INSTRUMENTS[row.instrument]
        if row.source == UNREAD:
            assert instrument.status == TO_CONFIRM or instrument.to_confirm, row.instrument


@pytest.mark.skipif(not DATA.exists(), reason="the public FHIR examples are not on this machine")
class TestPublishedExamples:
    SCORES: Final = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}

    def test_the_us_core_phq9_adds_up_to_what_it_says(self) -> None:
        """HL7 US Core, QuestionnaireResponse phq-9-example: linkId is a slash and the LOINC of the item."""
        response = json.loads((DATA / "QuestionnaireResponse-phq-9-example.json").read_text())
        given = {item["linkId"].lstrip("/"): item["answer"][0] for item in response["item"]}
        phq9 = INSTRUMENTS["phq9"]
        answers = [self.SCORES[given[item.loinc or ""]["valueCoding"]["code"]] for item in phq9.items[:9]]
        stated = given[phq9.total_loinc or ""]["valueDecimal"]
        reading = read("phq9", answers, stated_total=stated)
        assert (reading.total, reading.problems, reading.fired) == (12, (), ())
        assert reading.band and reading.band.key == "moderate"

    def test_the_hl7_phq9_asks_our_items_in_our_order(self) -> None:
        """HL7 FHIR R4, Questionnaire phq-9: the example leaves item 9 out."""
        form = json.loads((DATA / "Questionnaire-phq-9-questionnaire.json").read_text())
        codes = [item["code"][0]["code"] for item in form["item"]]
        ours = [item.loinc for item in INSTRUMENTS["phq9"].items]
        assert codes[:8] == ours[:8]
        assert codes[8] == INSTRUMENTS["phq9"].total_loinc
