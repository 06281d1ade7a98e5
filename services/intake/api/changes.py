"""What a change makes of a referral: amended, measured again, withdrawn."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.intake.api.form_mapping import case_of, form_of, identity_of, marked, screening_of
from services.intake.api.network_terms import terms_of
from services.intake.api.parsing import invalid, refused
from services.intake.api.receiving import Received, filled_with, flags_beside, insists, receive_patch
from services.intake.api.requests import ScreeningsForm, WithdrawalForm
from services.intake.api.rules import Rules
from services.intake.api.stated_parts import only_stated, stated_in
from services.intake.db.records import Referral
from services.intake.domain.acceptance import Verdict
from services.intake.domain.unread import Unread, kept, parts, parts_of, sealable
from services.intake.handlers.amendments import Change, Decide
from shared.events import (
    ReferralAmended,
    ReferralWithdrawn,
    Screening,
    ScreeningRecorded,
    Stated,
)
from shared.ids import new_id
from shared.instruments import safety_fired
from shared.web.problems import Fault

MOST_SCREENINGS: Final = 200


def _says(
    referral: Referral, *, now: datetime, region: str | None = None, express: bool = False
) -> dict[str, Any]:
    """What every fact about this referral's next revision carries. Once express, always express."""
    return {
        "event_id": new_id(),
        "occurred_at": now,
        "region": region or referral.region,
        "referral_id": referral.id,
        "revision": referral.revision + 1,
        "clinic": referral.clinic,
        "express": referral.express or express,
    }


def amend(patch: Mapping[str, Any], *, rules: Rules, now: datetime) -> Decide:
    """RFC 7396: what is given replaces, null takes away, what is not mentioned stays. Whoever sent the patch
    is advised about what the patch states, not about what was stated before."""

    def decide(referral: Referral) -> Change:
        identity = rules.keyring.open_all(referral.sealed, key_id=referral.key_id, referral_id=referral.id)
        stored = form_of(referral.case, referral.region, identity)
        received = receive_patch(patch, lambda said: merge(stored, said), rules=rules, now=now)
        form, said = received.form, received.said
        terms = terms_of(form, rules.network)
        new = sealable(received.unread, revision=referral.revision + 1)
        unread = kept(identity["not_understood"] or (), patch, new)
        verdict = dataclasses.replace(
            terms.added_to(received.verdict),
            not_understood=(*parts_of(unread), *received.read_again),
        )
        told = identity_of(form, terms.unknown, unread)
        case = case_of(
            terms.form,
            verdict,
            words_of=_words_of(referral, changed=told["words"] != identity["words"]),
            not_understood=terms.not_understood,
        )
        says = _says(referral, now=now, region=terms.form.client.region, express=verdict.express)
        stated = rules.judge(only_stated(form, said), now=now)
        return Change(
            fact=ReferralAmended(case=case, stated=stated_in(said, case), **says),
            case=case,
            verdict=dataclasses.replace(verdict, because=stated.because, safety=stated.safety),
            identity=told,
        )

    return decide


def _words_of(referral: Referral, *, changed: bool) -> int:
    """The revision whose words are to be read: what was read before need not be read again."""
    asked = referral.case.read_notes
    return referral.revision + 1 if changed or asked is None else asked


def merge(target: Any, patch: Any) -> Any:
    """JSON Merge Patch."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def record(
    form: ScreeningsForm,
    *,
    rules: Rules,
    now: datetime,
    received: Received[ScreeningsForm] | None = None,
) -> Decide:
    """New sheets beside the old ones, and what came with them that nobody could read."""

    def decide(referral: Referral) -> Change:
        verdict = rules.verdict_of(filled_with(form, age=referral.case.age), region=referral.region, now=now)
        if verdict.faults:
            raise refused(verdict.faults)
        sheets = tuple(map(screening_of, form.screenings))
        unread, identity = received.unread if received else (), None
        earlier = referral.case.screenings
        if len(earlier) + len(sheets) > MOST_SCREENINGS:
            if not verdict.express:
                fault = Fault(
                    "/screenings", f"A referral holds at most {MOST_SCREENINGS} sheets.", "too_many"
                )
                raise invalid([fault])
            earlier, left_out = _room(earlier, MOST_SCREENINGS - len(sheets))
            unread = (*unread, *left_out)
        case = referral.case.model_copy(
            update={
                "screenings": (*earlier, *sheets),
                "as_of": verdict.as_of,
                "red_flags": tuple(dict.fromkeys((*referral.case.red_flags, *flags_beside(form)))),
            }
        )
        if unread:
            identity = rules.keyring.open_all(
                referral.sealed, key_id=referral.key_id, referral_id=referral.id
            )
            new = sealable(unread, revision=referral.revision + 1)
            identity = {**identity, "not_understood": kept(identity["not_understood"] or (), {}, new)}
        beside = (*parts(unread), *verdict.not_understood)
        case = marked(case, (*referral.case.not_understood, *beside))
        says = _says(
            referral,
            now=now,
            region=rules.network.canonical("regions", referral.region),
            express=verdict.express,
        )
        fact = ScreeningRecorded(case=case, stated=_stated_by(form, len(sheets)), **says)
        verdict = _of_sheets(verdict)
        return Change(
            fact=fact, case=case, verdict=received.told(verdict) if received else verdict, identity=identity
        )

    return decide


def _stated_by(form: ScreeningsForm, sheets: int) -> Stated:
    said = {"screenings": bool(sheets), "red_flags": bool(flags_beside(form)), "express": insists(form)}
    return Stated(parts=tuple(part for part, is_said in said.items() if is_said), sheets=sheets)


def _room(sheets: Sequence[Screening], most: int) -> tuple[tuple[Screening, ...], list[Unread]]:
    """The newest sheets, those that fire before all others; what they said has raised the urgency already."""
    order = sorted(
        range(len(sheets)),
        key=lambda place: (
            bool(safety_fired(sheets[place].instrument, sheets[place].answers)),
            sheets[place].taken_on,
            place,
        ),
        reverse=True,
    )
    stay = set(order[:most])
    out = [
        Unread(path=("screenings", place), part="screening", value=sheets[place].model_dump(mode="json"))
        for place in range(len(sheets))
        if place not in stay
    ]
    return tuple(sheets[place] for place in sorted(stay)), out


def _of_sheets(verdict: Verdict) -> Verdict:
    """The warnings about what was sent now; the rest of the form was not."""
    mine = tuple(note for note in verdict.warnings if note.where.startswith("/screenings"))
    return dataclasses.replace(verdict, warnings=mine)


def withdraw(form: WithdrawalForm, *, now: datetime) -> Decide:
    def decide(referral: Referral) -> Change:
        fact = ReferralWithdrawn(reason=form.reason, **_says(referral, now=now))
        return Change(fact=fact, case=referral.case, verdict=Verdict(as_of=now.date()))

    return decide
