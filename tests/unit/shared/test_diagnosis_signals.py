"""The patterns of diagnoses against the list of ICD-10-CM codes of the NCHS: the official description of a
code says what it must give, and the patterns know nothing of it."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest
import simple_icd_10_cm as icd

from shared.clinical import DIAGNOSES, DIGEST, FILE
from shared.clinical.signals import parse
from shared.instruments import CONFIRMED, TO_CONFIRM
from shared.vocabulary import Urgency

SELF_HARM: Final = re.compile(r"intentional self-harm|suicide attempt|intentional collision of motor vehicle")
HISTORY: Final = re.compile(r"personal history of (?:self-harm|suicidal behavior|nonsuicidal self-harm)")
NOBODY_ACTED: Final = re.compile(r"accidental|assault|adverse effect|underdosing")
UNDETERMINED: Final = re.compile(r"undetermined intent|, undetermined")


@cache
def codes() -> dict[str, str]:
    """Every code and every heading that can be written as one, with its description, in small letters."""
    every = icd.get_all_codes(with_dots=True)
    return {
        code: icd.get_description(code).lower() for code in every if re.match(r"[A-Z]\d[0-9A-Z](\.|$)", code)
    }


@cache
def given() -> dict[str, frozenset[str]]:
    """What each code of the list gives."""
    return {code: DIAGNOSES.of(code) for code in codes()}


def right(code: str, description: str) -> set[str]:
    """The signals by the words of the description."""
    encounter = description.rpartition(", ")[2]
    if SELF_HARM.search(description):
        by_encounter = {"subsequent encounter": "self_harm_followed_up", "sequela": "self_harm_history"}
        return {by_encounter.get(encounter, "self_harm")}
    if UNDETERMINED.search(description) and code[0] in "TXY":
        return {"undetermined_intent_history" if encounter == "sequela" else "undetermined_intent"}
    if HISTORY.fullmatch(description):
        return {"personal_history_of_self_harm"}
    named = {
        "suicidal ideations": {"suicidal_ideation"},
        "homicidal ideations": {"homicidal_ideation"},
        "homicidal and suicidal ideations": {"suicidal_ideation", "homicidal_ideation"},
        "nonsuicidal self-harm": {"nonsuicidal_self_harm"},
        "puerperal psychosis": {"postpartum_psychosis"},
    }
    found = set(named.get(description, set()))
    if code[0] == "F" and "delirium" in description:
        found.add("delirium")
    if re.match(r"F1[03]", code) and re.search(r"dependence with withdrawal", description):
        found.add("withdrawal")
    return found


def test_every_code_of_the_list_gives_what_its_description_says() -> None:
    assert len(codes()) > 90_000
    wrong = {
        code: (sorted(given()[code]), description)
        for code, description in codes().items()
        if given()[code] != right(code, description)
    }
    assert wrong == {}


def test_the_oracle_has_cases_of_each_signal() -> None:
    cases = Counter(signal for code, description in codes().items() for signal in right(code, description))
    assert set(cases) == set(DIAGNOSES.signals)
    assert cases["self_harm"] > 700 and cases["undetermined_intent"] > 1000


def test_no_accident_assault_adverse_effect_or_underdosing_fires() -> None:
    innocent = [c for c, d in codes().items() if c[0] in "STVWXY" and NOBODY_ACTED.search(d)]
    assert len(innocent) > 4000
    assert [c for c in innocent if given()[c]] == []


def test_withdrawal_without_delirium_from_other_substances_does_not_fire() -> None:
    others = [c for c in codes() if re.match(r"F1[1245678]\.[129]3|F17\.2", c)]
    assert len(others) > 20
    assert [c for c in others if given()[c]] == []


def test_codes_written_without_their_last_characters_and_without_a_placeholder() -> None:
    for stem in DIAGNOSES.at_fifth:
        for ending in ("2", "2X", "2XA", "2A", "2XZ"):
            assert DIAGNOSES.of(stem + ending) == {"self_harm"}
        for ending in ("1", "3A", "5XA", "6XD"):
            assert DIAGNOSES.of(stem + ending) == frozenset()
    for code, description in codes().items():
        if len(code) == 8 and SELF_HARM.search(description) and code.endswith("A"):
            assert DIAGNOSES.of(code[:-1]) == {"self_harm"}


def test_the_stems_with_their_intent_at_the_fifth_character_are_those_of_the_list() -> None:
    stems = {c[:5] for c, d in codes().items() if SELF_HARM.search(d) and re.match(r"T.{4}2X", c)}
    assert set(DIAGNOSES.at_fifth) == stems


def who_only() -> Iterator[str]:
    for category in (*range(60, 71), 84):
        yield from (f"X{category}", f"X{category}.0", f"X{category}.9")
    for category in (*range(10, 21), 34):
        yield from (f"Y{category}", f"Y{category}.8")
    yield from ("Y87.0", "F10.4", "F11.40", "F13.41", "F19.03")


@pytest.mark.parametrize("code", list(who_only()))
def test_a_code_that_only_the_who_has_needs_the_setting(code: str) -> None:
    assert code not in codes()
    assert DIAGNOSES.needs_who_setting(code)
    assert not DIAGNOSES.of(code) and DIAGNOSES.of(code, who_codes=True)


def test_no_code_of_the_list_needs_the_setting_or_says_more_with_it() -> None:
    """So a code that needs the setting is none of the list, and switching it on changes none of the list."""
    assert [c for c, signals in given().items() if signals != DIAGNOSES.of(c, who_codes=True)] == []


def test_dots_and_small_letters_do_not_matter() -> None:
    for code in ("T391X2A", "t39.1x2a", "t391x2a"):
        assert DIAGNOSES.of(code) == {"self_harm"}


def test_the_file_is_whole() -> None:
    for signal in DIAGNOSES.signals.values():
        assert signal.examples and signal.source and signal.meaning
        assert signal.status in (CONFIRMED, TO_CONFIRM)
        assert all(signal.id in DIAGNOSES.of(example) for example in signal.examples)
        assert signal.express is (list(Urgency).index(signal.level) <= list(Urgency).index(Urgency.URGENT))
    assert len(DIGEST) == 64 and FILE.exists()


def test_a_word_that_means_nothing_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="expres"):
        parse({"intent": {"categories": [], "at_fifth": []}, "signal": [{"id": "x", "expres": True}]})
