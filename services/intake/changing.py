"""Changes to a stored referral: amended, measured again, withdrawn. One at a time, under its row's lock."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake import store
from services.intake.acceptance import Filled, Verdict, accept
from services.intake.accepting import Rules, Taken, repeated
from services.intake.cases import case_of, form_of, identity_of
from services.intake.form_reading import read, refused, sheet_of
from services.intake.forms import ReferralForm, ScreeningsForm, WithdrawalForm
from services.intake.progress import progress
from services.intake.records import Referral
from services.intake.states import FINAL
from services.intake.timeline import heard, kept
from shared import outbox
from shared.auth import Caller, Role
from shared.events import (
    Case,
    IntakeFact,
    ReferralAmended,
    ReferralWithdrawn,
    Screening,
    ScreeningRecorded,
)
from shared.ids import new_id
from shared.postgres import Connection
from shared.problems import Fault, Problem, not_found

MOST_SCREENINGS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for a change of which referral; `said` tells this request from another under the same key."""

    caller: Caller
    referral_id: UUID
    said: bytes
    key: str | None = None
    if_match: str | None = None

    @property
    def owner(self) -> str:
        """Keys belong to a clinic; staff have theirs to themselves."""
        return self.caller.clinic or f"~{self.caller.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a referral becomes. `identity` is None where it stays as it is."""

    fact: IntakeFact
    case: Case
    verdict: Verdict
    identity: Mapping[str, Any] | None = None


Decide = Callable[[Referral], Change]


def visible(referral: Referral | None, caller: Caller) -> Referral:
    """Raises the same `Problem` 404 for what is not there and for what is another clinic's."""
    if referral is None or (caller.role is Role.CLINIC and referral.clinic != caller.clinic):
        raise not_found("referral")
    return referral


async def change(
    connection: Connection, request: Request, decide: Decide, *, rules: Rules, now: datetime
) -> Taken | Problem:
    """Claim the key, load under lock, decide, save, announce."""
    if request.key and not await _claim(connection, request, rules):
        known = await store.remembered(connection, [(request.owner, request.key)])
        return repeated(known[(request.owner, request.key)], request.said, rules.keyring)
    await store.lock(connection, [request.referral_id])
    referral = visible(await store.read(connection, request.referral_id), request.caller)
    _check(referral, request)
    changed = decide(referral)
    answer = await _save(connection, referral, changed, rules=rules, now=now)
    if request.key:
        await store.answer_key(connection, request.owner, request.key, status=202, answer=answer)
    return Taken(202, answer, referral.id)


async def _claim(connection: Connection, request: Request, rules: Rules) -> bool:
    return await store.claim_key(
        connection,
        request.owner,
        request.key or "",
        fingerprint=rules.keyring.fingerprint(request.said),
        key_id=rules.keyring.current,
        referral_id=request.referral_id,
    )


def _check(referral: Referral, request: Request) -> None:
    if request.if_match and not _matches(request.if_match, referral.revision):
        raise Problem(
            412,
            "stale",
            f"The referral is at revision {referral.revision} by now. Nothing was changed. Read it again.",
            headers={"ETag": etag(referral.revision)},
        )
    if referral.state in FINAL:
        raise Problem(
            409,
            "not_possible_now",
            f"The referral is {referral.state} and changes no more. Submit a new one if the client needs it.",
        )


def etag(revision: int) -> str:
    return f'"{revision}"'


def _matches(if_match: str, revision: int) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    return bool(tags & {"*", etag(revision)})


async def _save(
    connection: Connection, referral: Referral, changed: Change, *, rules: Rules, now: datetime
) -> bytes:
    fact = changed.fact
    sealed, key_id = referral.sealed, referral.key_id
    if changed.identity is not None:
        sealed = rules.keyring.seal_all(changed.identity, referral_id=referral.id)
        key_id = rules.keyring.current
    await store.change(
        connection,
        referral.id,
        revision=fact.revision,
        region=fact.region,
        express=fact.express,
        case=changed.case,
        sealed=sealed,
        key_id=key_id,
    )
    stands = progress(heard(each) for each in (*referral.facts, kept(fact)))
    await store.tell(connection, [fact])
    await store.save_progress(connection, {referral.id: stands}, now=now)
    await outbox.announce(connection, [fact])
    return rules.answer(
        referral.id,
        state=stands.state,
        revision=fact.revision,
        express=fact.express,
        region=fact.region,
        verdict=changed.verdict,
    )


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
    """RFC 7396: what is given replaces, null takes away, what is not mentioned stays."""

    def decide(referral: Referral) -> Change:
        identity = rules.keyring.open_all(referral.sealed, key_id=referral.key_id, referral_id=referral.id)
        merged = merge(form_of(referral.case, referral.region, identity), patch)
        form = read(ReferralForm, json.dumps(merged).encode(), now=now)
        verdict = rules.judge(form, now=now)
        case = case_of(form, verdict)
        says = _says(referral, now=now, region=form.client.region, express=verdict.express)
        return Change(
            fact=ReferralAmended(case=case, **says),
            case=case,
            verdict=verdict,
            identity=identity_of(form),
        )

    return decide


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
        sheets = tuple(Screening(**sheet.__dict__) for sheet in form.screenings)
        if len(referral.case.screenings) + len(sheets) > MOST_SCREENINGS:
            fault = Fault("/screenings", f"A referral holds at most {MOST_SCREENINGS} sheets.", "too_many")
            raise Problem(422, "invalid", "Nothing was taken.", faults=[fault])
        filled = Filled(sheets=tuple(sheet_of(sheet) for sheet in form.screenings))
        verdict = accept(filled, age_of_majority=rules.policy.age_of_majority, now=now)
        if verdict.faults:
            raise refused(verdict.faults)
        case = referral.case.model_copy(update={"screenings": (*referral.case.screenings, *sheets)})
        fact = ScreeningRecorded(case=case, **_says(referral, now=now, express=verdict.express))
        return Change(fact=fact, case=case, verdict=_of_sheets(verdict))

    return decide


def _of_sheets(verdict: Verdict) -> Verdict:
    """The warnings about what was sent now; the rest of the form was not."""
    mine = tuple(note for note in verdict.warnings if note.where.startswith("/screenings"))
    return dataclasses.replace(verdict, warnings=mine)


def withdraw(form: WithdrawalForm, *, now: datetime) -> Decide:
    def decide(referral: Referral) -> Change:
        fact = ReferralWithdrawn(reason=form.reason, **_says(referral, now=now))
        return Change(fact=fact, case=referral.case, verdict=Verdict())

    return decide
