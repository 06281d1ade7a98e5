"""A filled-in form, divided: the coded case that may travel, and what says who it is, which stays and is
sealed. Put together again, the two are the form."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from services.intake.api.parsing import sheet_of
from services.intake.api.requests import ReferralForm, ScreeningForm
from services.intake.domain.acceptance import Filled, Verdict
from services.intake.domain.language_notes import Tag, known
from shared.events import Case, Consent, PastTreatment, Screening, Wish
from shared.languages import canonical
from shared.vocabulary import UNKNOWN_PROBLEM, UNKNOWN_RED_FLAG, Criterion, Priority

Sealable = dict[str, Any]


def filled_of(form: ReferralForm) -> Filled:
    guardian = form.client.guardian
    return Filled(
        birth_date=form.client.birth_date,
        guardian_present=guardian.present if guardian else None,
        requested_priority=form.requested_priority,
        cannot_wait=form.express,
        red_flags=form.red_flags,
        diagnoses=form.diagnoses,
        sheets=tuple(sheet_of(sheet) for sheet in form.screenings),
        no_words_to_read=form.read_notes and identity_of(form)["words"] is None,
        languages=tuple(_languages(form)),
    )


def _languages(form: ReferralForm) -> Iterator[Tag]:
    for place, tag in enumerate(form.client.languages):
        yield Tag(f"/client/languages/{place}", tag)
    for number, wish in enumerate(form.preferences):
        if wish.criterion is Criterion.LANGUAGE:
            lost = wish.strength == "must" and not known(wish.values)
            for place, tag in enumerate(wish.values):
                yield Tag(f"/preferences/{number}/values/{place}", tag, limit=lost)
    yield from languages_of(form.screenings)


def languages_of(sheets: Iterable[ScreeningForm]) -> Iterator[Tag]:
    for place, sheet in enumerate(sheets):
        if sheet.language:
            yield Tag(f"/screenings/{place}/language", sheet.language, asks=False)


def screening_of(form: ScreeningForm) -> Screening:
    return Screening(**form.__dict__ | {"language": canonical(form.language or "")})


def case_of(
    form: ReferralForm, verdict: Verdict, *, words_of: int = 1, not_understood: tuple[str, ...] = ()
) -> Case:
    """What routing needs: codes, no identity, nobody's words; of those only that they are to be read, and
    of which revision they are."""
    client = form.client
    case = Case(
        as_of=verdict.as_of,
        age=verdict.age,
        sex=client.sex,
        perinatal=client.perinatal,
        guardian=verdict.guardian,
        languages=known(client.languages),
        interpreter_ok=client.interpreter_ok,
        area=client.postal_area,
        payer=form.payer,
        requested_priority=verdict.priority,
        problems=form.problems,
        diagnoses=form.diagnoses,
        red_flags=form.red_flags,
        external_levels=form.external_levels,
        screenings=tuple(map(screening_of, form.screenings)),
        past_treatments=tuple(PastTreatment(**each.__dict__) for each in form.history.past_treatments),
        past_attempt=form.history.past_attempt,
        goals=tuple(goal.code for goal in form.goals),
        strengths=tuple(strength.code for strength in form.strengths),
        wishes=tuple(_wishes(form)),
        consent=Consent(**form.consent.__dict__),
        read_notes=words_of if form.read_notes else None,
    )
    return marked(case, (*verdict.not_understood, *not_understood))


def _wishes(form: ReferralForm) -> Iterator[Wish]:
    """Without languages nobody knows, and without a wish that says nothing else."""
    for wish in form.preferences:
        values = known(wish.values) if wish.criterion is Criterion.LANGUAGE else wish.values
        if values:
            yield Wish(criterion=wish.criterion, values=values, must=wish.strength == "must")


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


def identity_of(
    form: ReferralForm,
    unknown_terms: Mapping[str, Any] | None = None,
    not_understood: Sequence[Sealable] = (),
) -> Sealable:
    """One value for each of `SEALED` in `domain/identity`, None where nothing was said. `unknown_terms` as
    `Terms` has them; `not_understood` is what came with the form and nobody could read."""
    client = form.client
    return {
        "name": client.name,
        "birth_date": client.birth_date.isoformat() if client.birth_date else None,
        "contact": _said(client.contact),
        "self_description": _some(
            gender=client.gender,
            pronouns=client.pronouns,
            languages=None if all(map(canonical, client.languages)) else list(client.languages),
        ),
        "guardian": _said(client.guardian),
        "referrer": _said(form.referrer),
        "primary_care": _said(form.primary_care),
        "words": _some(
            goals=[goal.words for goal in form.goals] if any(g.words for g in form.goals) else None,
            strengths=[s.words for s in form.strengths] if any(s.words for s in form.strengths) else None,
            history=form.history.words,
            notes=form.notes,
        ),
        "unknown_terms": unknown_terms,
        "not_understood": list(not_understood) or None,
    }


def form_of(case: Case, region: str, identity: Mapping[str, Any]) -> Sealable:
    """The JSON of the form from which `case` and `identity` were made; what nobody could read is left out."""
    words = identity["words"] or {}
    unknown = identity["unknown_terms"] or {}
    wishes = [(wish, "must" if wish.must else "wish") for wish in case.wishes]
    known = case.requested_priority is not Priority.UNKNOWN
    return {
        "client": _client(case, unknown.get("region", region), identity),
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
        "preferences": unknown.get("preferences")
        or [
            {"criterion": wish.criterion, "values": list(wish.values), "strength": strength}
            for wish, strength in wishes
        ],
        "payer": unknown.get("payer", case.payer),
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
        "languages": described.get("languages") or list(case.languages),
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
