"""What a change makes of a referral: amended, measured again, withdrawn."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.intake.acceptance import Filled, Verdict, accept
from services.intake.accepting import Rules
from services.intake.cases import case_of, form_of, identity_of, languages_of, screening_of
from services.intake.form_reading import read, refused, sheet_of
from services.intake.forms import ReferralForm, ScreeningsForm, WithdrawalForm
from services.intake.network_terms import terms_of
from services.intake.records import Referral
from services.intake.stating import only_stated, stated_in
from shared.events import (
    Case,
    IntakeFact,
    ReferralAmended,
    ReferralWithdrawn,
    ScreeningRecorded,
    Stated,
)
from shared.ids import new_id
from shared.problems import Fault, Problem

MOST_SCREENINGS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a referral becomes. `identity` is None where it stays as it is."""

    fact: IntakeFact
    case: Case
    verdict: Verdict
    identity: Mapping[str, Any] | None = None


Decide = Callable[[Referral], Change]


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
        merged = merge(form_of(referral.case, referral.region, identity), patch)
        form = read(ReferralForm, json.dumps(merged).encode(), now=now)
        terms = terms_of(form, rules.network)
        verdict = terms.added_to(rules.judge(form, now=now))
        told = identity_of(form, terms.unknown)
        case = case_of(
            terms.form,
            verdict,
            words_of=_words_of(referral, changed=told["words"] != identity["words"]),
            not_understood=terms.not_understood,
        )
        says = _says(referral, now=now, region=terms.form.client.region, express=verdict.express)
        stated = rules.judge(only_stated(form, patch), now=now)
        return Change(
            fact=ReferralAmended(case=case, stated=stated_in(patch, case), **says),
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


def record(form: ScreeningsForm, *, rules: Rules, now: datetime) -> Decide:
    """New sheets beside the old ones."""

    def decide(referral: Referral) -> Change:
        sheets = tuple(map(screening_of, form.screenings))
        if len(referral.case.screenings) + len(sheets) > MOST_SCREENINGS:
            fault = Fault("/screenings", f"A referral holds at most {MOST_SCREENINGS} sheets.", "too_many")
            raise Problem(422, "invalid", "Nothing was taken.", faults=[fault])
        filled = Filled(
            age=referral.case.age,
            sheets=tuple(sheet_of(sheet) for sheet in form.screenings),
            languages=tuple(languages_of(form.screenings)),
        )
        today = rules.today(referral.region, now)
        verdict = accept(filled, age_of_majority=rules.policy.age_of_majority, today=today)
        if verdict.faults:
            raise refused(verdict.faults)
        case = referral.case.model_copy(
            update={
                "screenings": (*referral.case.screenings, *sheets),
                "as_of": verdict.as_of,
                "not_understood": tuple(
                    dict.fromkeys((*referral.case.not_understood, *verdict.not_understood))
                ),
            }
        )
        region = rules.network.canonical("regions", referral.region)
        stated = Stated(parts=("screenings",), sheets=len(sheets))
        says = _says(referral, now=now, region=region, express=verdict.express)
        fact = ScreeningRecorded(case=case, stated=stated, **says)
        return Change(fact=fact, case=case, verdict=_of_sheets(verdict))

    return decide


def _of_sheets(verdict: Verdict) -> Verdict:
    """The warnings about what was sent now; the rest of the form was not."""
    mine = tuple(note for note in verdict.warnings if note.where.startswith("/screenings"))
    return dataclasses.replace(verdict, warnings=mine)


def withdraw(form: WithdrawalForm, *, now: datetime) -> Decide:
    def decide(referral: Referral) -> Change:
        fact = ReferralWithdrawn(reason=form.reason, **_says(referral, now=now))
        return Change(fact=fact, case=referral.case, verdict=Verdict(as_of=now.date()))

    return decide
