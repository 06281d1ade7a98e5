"""What is plainly meant though it is not written as the form has it: `"red_flags": "overdose"`, `"redFlags"`,
`"express": "yes"`, an answer `"3"`. Read so only where something on the form cannot wait."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from services.intake.api.code_spellings import APART, INSTRUMENT, LISTS
from services.intake.api.requests import ClientForm, ConsentForm, Form, ReferralForm, ScreeningForm
from services.intake.domain import priorities
from services.intake.domain.priorities import EXPRESS
from services.intake.domain.screening_notes import Note
from services.intake.domain.unread import DEEPEST
from shared.instruments import INSTRUMENTS
from shared.network import folded

YES: Final = frozenset({"true", "t", "yes", "y", "1", "x", "on", "si", "s\u00ed"})
NO: Final = frozenset({"false", "f", "no", "n", "0", "off", ""})
CODE_FIELDS: Final = ("code", "value", "key", "name", "id", "display", "flag")


def spell_out(raw: dict[str, Any]) -> list[Note]:
    """In place; what was read as something else, by its place."""
    notes = list(_fields(raw, ReferralForm, ""))
    for name, form in (("client", ClientForm), ("consent", ConsentForm)):
        notes += _fields(raw.get(name), form, f"/{name}")
    for name, (_, find) in LISTS.items():
        if name in raw and (codes := _codes(raw[name])) is not None and codes != raw[name]:
            known = isinstance(raw[name], str) and find(raw[name]) is not None
            raw[name] = [raw[name]] if known else codes
            notes.append(_read_as(f"/{name}", "a list of codes"))
    notes += _express(raw)
    if isinstance(raw.get("screenings"), dict):
        raw["screenings"] = [raw["screenings"]]
        notes.append(_read_as("/screenings", "a list of one sheet"))
    sheets = raw.get("screenings")
    for place, sheet in enumerate(sheets if isinstance(sheets, list) else ()):
        notes += _fields(sheet, ScreeningForm, f"/screenings/{place}")
        notes += _answers(sheet, f"/screenings/{place}/answers")
    return notes


def _read_as(where: str, what: str) -> Note:
    return Note(where, f"Read as {what}. Send it as the description of this API has it.", "read_as")


def _fields(part: Any, form: type[Form], where: str) -> Iterator[Note]:
    """Fields whose name is ours in another spelling, where ours is not there."""
    if not isinstance(part, dict):
        return
    ours = _names(form)
    for given in [name for name in part if name not in form.model_fields]:
        name = ours.get(plain_name(given))
        if name is not None and name not in part:
            part[name] = part.pop(given)
            yield _read_as(f"{where}/{name}", f"`{name}`, by another spelling of its name")


@cache
def _names(form: type[Form]) -> dict[str, str]:
    return {plain_name(name): name for name in form.model_fields}


def plain_name(given: str) -> str:
    """The same for a field's name in every spelling of it."""
    plain = folded(given)
    return {"diagnosis": "diagnose", "diagnoses": "diagnose"}.get(plain, plain.removesuffix("s"))


def _codes(said: Any) -> list[Any] | None:
    """A list of codes, from one text, from objects that hold a code, or from `{code: true}`."""
    if isinstance(said, str):
        return [each.strip() for each in APART.split(said) if each.strip()]
    if isinstance(said, dict):
        if (code := _code(said)) is not None:
            return [code]
        return [name for name, value in said.items() if _is_yes(value)]
    if isinstance(said, list):
        return [_code(each) or each if isinstance(each, dict) else each for each in said]
    return None


def _code(said: Mapping[str, Any]) -> str | None:
    return next((said[name] for name in CODE_FIELDS if isinstance(said.get(name), str)), None)


def _is_yes(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in YES
    return value is True or (isinstance(value, int | float) and value != 0)


def _express(raw: dict[str, Any]) -> Iterator[Note]:
    said = raw.get("express")
    if said is None or isinstance(said, bool):
        return
    if _is_yes(said) or (isinstance(said, str) and priorities.meaning(said, {}).priority in EXPRESS):
        raw["express"] = True
    elif said in (0, 0.0) or (isinstance(said, str) and said.strip().casefold() in NO):
        raw["express"] = False
    else:
        return
    yield _read_as("/express", "true" if raw["express"] else "false")


def _answers(sheet: Any, where: str) -> Iterator[Note]:
    if not isinstance(sheet, dict):
        return
    if isinstance(sheet.get("answers"), dict):
        in_order = _in_order(sheet["answers"], sheet.get("instrument"))
        if in_order is not None:
            sheet["answers"] = in_order
            yield _read_as(where, "answers by the keys of their items")
    answers: Any = sheet.get("answers")
    for place, said in enumerate(answers if isinstance(answers, list) else ()):
        if (number := _number(said)) is not None:
            answers[place] = number
            yield _read_as(f"{where}/{place}", f"{number}")


def _in_order(given: Mapping[str, Any], instrument: Any) -> list[Any] | None:
    known = INSTRUMENTS.get((INSTRUMENT(instrument) if isinstance(instrument, str) else None) or "")
    if known is None:
        return None
    answers = {folded(name): answer for name, answer in given.items()}
    return [answers.get(folded(item.key)) for item in known.items]


def _number(said: Any) -> int | None:
    """A positive answer in another shape; a no is never guessed."""
    if isinstance(said, str):
        said = said.strip().casefold()
        if said.isdecimal() and len(said) < 4:
            return int(said)
        return 1 if said in YES else None
    if said is True:
        return 1
    if isinstance(said, float) and said.is_integer() and 0 <= said <= 100:
        return int(said)
    return None


def texts_within(said: Any, depth: int = 0) -> Iterator[str]:
    """Every text in a value, such as the parts of a name."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, int) and not isinstance(said, bool):
        yield str(said)
    elif depth < DEEPEST and isinstance(said, list | dict):
        for each in said.values() if isinstance(said, dict) else said:
            yield from texts_within(each, depth + 1)
