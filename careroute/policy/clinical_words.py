"""A rule's conditions and clocks in words, for a clinical lead who reads no TOML."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from services.triage.domain.business_days import BusinessDays, Clock
from services.triage.domain.policy import Condition
from shared.clinical import DIAGNOSES
from shared.instruments import INSTRUMENTS

PLAIN: Final = {
    "safety_not_assessed": "a safety question was left open or refused",
    "no_safety_question": "no instrument with a safety question, or none that is up to date, came",
    "not_scored": "so much of an instrument was left open that it has no result",
    "safety_conflict": "one instrument is positive about safety and another is not",
    "contradictory_sheet": "an answer was yes although the question that opens it was answered no",
    "unknown_red_flag": "a red flag came with an unknown code",
    "unknown_problem": "a problem came with an unknown code",
    "who_diagnosis": "a diagnosis would be a signal as a code of the WHO's ICD-10, and the network has not "
    "switched these codes on",
    "age_unknown": "the age is not known",
    "perinatal": "pregnant or within a year of birth",
    "no_consent": "there is no consent to share with the network",
    "read_notes": "the referrer asks that what they wrote be read",
    "problems_withheld": "there are problems, and the person has agreed to share none of them",
    "past_attempt": "there was an attempt in the past",
}
CODED: Final = {
    "red_flag": "the referrer observed",
    "problem": "the referral is for",
    "diagnosis": "a diagnosis begins with",
    "requested_priority": "the requested priority is",
    "sex": "the sex is",
    "external_level": "somebody else's tool gave the level",
    "guardian": "the guardian is",
    "sheet_problem": "an answer sheet is odd:",
    "not_understood": "a value of the form is not known, in",
}
MARKDOWN: Final = str.maketrans({"|": "\\|", "<": "&lt;", "*": "\\*"})


def conditions(when: Iterable[Condition]) -> str:
    """All of them, joined by and."""
    return ", and ".join(condition(each) for each in when)


def condition(one: Condition) -> str:
    if one.kind in PLAIN:
        return PLAIN[one.kind] + (f" ({_title(one)})" if one.instrument else "")
    if one.kind in CODED:
        return f"{CODED[one.kind]} {either(one.any_of)}"
    if one.kind == "diagnosis_signal":
        return f"a diagnosis names {'; or '.join(DIAGNOSES.signals[id_].meaning for id_ in one.any_of)}"
    return _measured(one)


def _measured(one: Condition) -> str:
    match one.kind:
        case "safety_item" | "answer":
            about = "a safety answer" if one.kind == "safety_item" else "an answer"
            topics = "; ".join(f"{item} ({_topic(one, item)})" for item in one.items)
            return f"{about} of {_title(one)} is {one.at_least or 1} or more: {topics}"
        case "total":
            return f"the answers of {_title(one)} add up to {one.at_least} or more"
        case "estimated_total":
            return f"the total of {_title(one)}, missing items estimated, is {one.at_least} or more"
        case "clusters":
            return f"the answers of {_title(one)} meet every one of its criteria"
        case "age":
            return _age(one)
        case "treatments_without_benefit":
            return f"{one.at_least} or more treatments did not help"
        case "several_problems":
            return f"{one.at_least} or more problems at once"
        case "urgency":
            return f"the urgency is {spoken(str(one.urgency))} or sooner"
    raise ValueError(f"there are no words yet for the condition {one.kind}")


def _title(one: Condition) -> str:
    return INSTRUMENTS[one.instrument].title if one.instrument else "any instrument"


def _topic(one: Condition, key: str) -> str:
    """What the question is about; the same key may be asked by several instruments."""
    asked = [INSTRUMENTS[one.instrument]] if one.instrument else list(INSTRUMENTS.values())
    topics = {
        item.topic
        for instrument in asked
        for item in instrument.items
        if item.key == key and (item.safety or one.kind == "answer")
    }
    return "; ".join(sorted(topics))


def _age(one: Condition) -> str:
    if one.at_least is None:
        return f"the age is under {one.below}"
    if one.below is None:
        return f"the age is {one.at_least} or more"
    return f"the age is {one.at_least} to {one.below - 1}"


def clock(one: Clock) -> str:
    if isinstance(one, BusinessDays):
        return f"{one.count} business days"
    return span(one)


def span(one: timedelta) -> str:
    minutes, hours = int(one.total_seconds() // 60), int(one.total_seconds() // 3600)
    if minutes % 60:
        return f"{minutes} minutes"
    if hours == 1:
        return "1 hour"
    return (
        f"{hours} hours"
        if hours <= 72
        else f"{one.days} days" + (f" {hours % 24} hours" if hours % 24 else "")
    )


def either(codes: Iterable[str]) -> str:
    *others, last = [spoken(code) for code in codes]
    return f"{', '.join(others)} or {last}" if others else last


def spoken(code: str) -> str:
    return code.replace("_", " ")


def cell(text: str) -> str:
    return text.translate(MARKDOWN)
