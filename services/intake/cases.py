"""A filled-in form, divided: the coded case that may travel, and what says who it is, which stays and is
sealed. Put together again, the two are the form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from services.intake.acceptance import Filled, Verdict
from services.intake.form_reading import sheet_of
from services.intake.forms import ReferralForm
from shared.events import Case, Consent, PastTreatment, Screening, Wish
from shared.vocabulary import UNKNOWN_PROBLEM, UNKNOWN_RED_FLAG, Priority

Sealable = dict[str, Any]

SEALED: Final = (
    "name",
    "birth_date",
    "contact",
    "self_description",
    "guardian",
    "referrer",
    "primary_care",
    "words",
    "not_understood",
)
"""The columns of identity, each sealed by itself."""


def filled_of(form: ReferralForm) -> Filled:
    guardian = form.client.guardian
    return Filled(
        birth_date=form.client.birth_date,
        guardian_present=guardian.present if guardian else None,
        requested_priority=form.requested_priority,
        cannot_wait=form.express,
        red_flags=form.red_flags,
        sheets=tuple(sheet_of(sheet) for sheet in form.screenings),
        no_words_to_read=form.read_notes and identity_of(form)["words"] is None,
    )


def case_of(form: ReferralForm, verdict: Verdict, *, words_of: int = 1) -> Case:
    """What routing needs: codes, no identity, nobody's words; of those only that they are to be read, and
    of which revision they are."""
    client = form.client
    case = Case(
        as_of=verdict.as_of,
        age=verdict.age,
        sex=client.sex,
        perinatal=client.perinatal,
        guardian=verdict.guardian,
        languages=client.languages,
        interpreter_ok=client.interpreter_ok,
        area=client.postal_area,
        payer=form.payer,
        requested_priority=verdict.priority,
        problems=form.problems,
        diagnoses=form.diagnoses,
        red_flags=form.red_flags,
        external_levels=form.external_levels,
        screenings=tuple(Screening(**sheet.__dict__) for sheet in form.screenings),
        past_treatments=tuple(PastTreatment(**each.__dict__) for each in form.history.past_treatments),
        past_attempt=form.history.past_attempt,
        goals=tuple(goal.code for goal in form.goals),
        strengths=tuple(strength.code for strength in form.strengths),
        wishes=tuple(
            Wish(criterion=wish.criterion, values=wish.values, must=wish.strength == "must")
            for wish in form.preferences
        ),
        consent=Consent(**form.consent.__dict__),
        read_notes=words_of if form.read_notes else None,
    )
    return marked(case, verdict.not_understood)


def marked(case: Case, parts: tuple[str, ...]) -> Case:
    """With the parts that nobody could read, and for flags and problems a code that every triage can read."""
    flags = (UNKNOWN_RED_FLAG,) if "red_flag" in parts else ()
    problems = (UNKNOWN_PROBLEM,) if "problem" in parts else ()
    return case.model_copy(
        update={
            "not_understood": parts,
            "red_flags": (*_known(case.red_flags), *flags),
            "problems": (*_known(case.problems), *problems),
        }
    )


def _known(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for code in codes if code not in (UNKNOWN_RED_FLAG, UNKNOWN_PROBLEM))


def identity_of(form: ReferralForm, not_understood: Sequence[Sealable] = ()) -> Sealable:
    """One value for each of `SEALED`, None where nothing was said. `not_understood` is what came with the
    form and nobody could read."""
    client = form.client
    return {
        "name": client.name,
        "birth_date": client.birth_date.isoformat() if client.birth_date else None,
        "contact": _said(client.contact),
        "self_description": _some(gender=client.gender, pronouns=client.pronouns),
        "guardian": _said(client.guardian),
        "referrer": _said(form.referrer),
        "primary_care": _said(form.primary_care),
        "words": _some(
            goals=[goal.words for goal in form.goals] if any(g.words for g in form.goals) else None,
            strengths=[s.words for s in form.strengths] if any(s.words for s in form.strengths) else None,
            history=form.history.words,
            notes=form.notes,
        ),
        "not_understood": list(not_understood) or None,
    }


def form_of(case: Case, region: str, identity: Mapping[str, Any]) -> Sealable:
    """The JSON of the form from which `case` and `identity` were made; what nobody could read is left out."""
    words = identity["words"] or {}
    wishes = [(wish, "must" if wish.must else "wish") for wish in case.wishes]
    known = case.requested_priority is not Priority.UNKNOWN
    return {
        "client": _client(case, region, identity),
        "consent": case.consent.model_dump(mode="json"),
        "referrer": identity["referrer"],
        "primary_care": identity["primary_care"],
        "problems": list(_known(case.problems)),
        "diagnoses": list(case.diagnoses),
        "goals": _with_words(case.goals, words.get("goals")),
        "strengths": _with_words(case.strengths, words.get("strengths")),
        "history": {
            "past_treatments": [each.model_dump(mode="json") for each in case.past_treatments],
            "past_attempt": case.past_attempt,
            "words": words.get("history"),
        },
        "screenings": [sheet.model_dump(mode="json") for sheet in case.screenings],
        "red_flags": list(_known(case.red_flags)),
        "external_levels": list(case.external_levels),
        "requested_priority": case.requested_priority.value if known else None,
        "preferences": [
            {"criterion": wish.criterion, "values": list(wish.values), "strength": strength}
            for wish, strength in wishes
        ],
        "payer": case.payer,
        "notes": words.get("notes"),
        "read_notes": case.read_notes is not None,
    }


def _client(case: Case, region: str, identity: Mapping[str, Any]) -> Sealable:
    described = identity["self_description"] or {}
    return {
        "name": identity["name"],
        "region": region,
        "birth_date": identity["birth_date"],
        "contact": identity["contact"],
        "languages": list(case.languages),
        "interpreter_ok": case.interpreter_ok,
        "sex": case.sex.value,
        "gender": described.get("gender"),
        "pronouns": described.get("pronouns"),
        "perinatal": case.perinatal,
        "postal_area": case.area,
        "guardian": identity["guardian"],
    }


def _with_words(codes: tuple[str, ...], words: list[str | None] | None) -> list[Sealable]:
    said = words or [None] * len(codes)
    return [{"code": code, "words": each} for code, each in zip(codes, said, strict=True)]


def _said(part: BaseModel | None) -> Sealable | None:
    return part.model_dump(mode="json", exclude_none=True) if part else None


def _some(**values: Any) -> Sealable | None:
    return {name: value for name, value in values.items() if value is not None} or None
