"""Changes to a stored referral: amended, measured again, withdrawn. One at a time, under its row's lock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.db import referrals
from services.intake.db.cipher import Keyring
from services.intake.db.records import Referral
from services.intake.db.timeline import kept
from services.intake.domain.acceptance import Verdict
from services.intake.domain.progress import Progress, progress
from services.intake.domain.refusal import NoLongerOpen, OutOfDate, UnknownReferral
from services.intake.domain.status import FINAL, State
from services.intake.domain.timeline import heard
from services.intake.handlers.submissions import StoredResponse, repeated
from shared.db import outbox
from shared.db.postgres import Connection
from shared.events import Case, IntakeFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a referral becomes. `identity` is None where it stays as it is."""

    fact: IntakeFact
    case: Case
    verdict: Verdict
    identity: Mapping[str, Any] | None = None


Decide = Callable[[Referral], Change]
Respond = Callable[[Change, State], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A change of which referral, by whom. `owner` is whose the key is; `clinic` may change its own referrals
    only, None any. `said` tells this request from another under the same key. `revisions` are those for which
    it was made, None for any."""

    owner: str
    clinic: str | None
    referral_id: UUID
    said: bytes
    key: str | None = None
    revisions: frozenset[int] | None = None


async def change(
    connection: Connection,
    request: Request,
    decide: Decide,
    *,
    keyring: Keyring,
    respond: Respond,
    now: datetime,
) -> StoredResponse:
    """Claim the key, load under lock, decide, save, publish. Raises `Refusal`."""
    if request.key and not await _claim(connection, request, keyring):
        known = await referrals.remembered(connection, [(request.owner, request.key)])
        return repeated(known[(request.owner, request.key)], request.said, keyring)
    referral = await _load(connection, request)
    changed = decide(referral)
    reached = progress(heard(each) for each in (*referral.facts, kept(changed.fact)))
    body = respond(changed, reached.state)
    await _save(connection, referral, changed, reached, keyring=keyring, now=now)
    if request.key:
        await referrals.answer_key(connection, request.owner, request.key, status=202, answer=body)
    await outbox.publish(connection, [changed.fact])
    return StoredResponse(202, body, referral.id)


async def _claim(connection: Connection, request: Request, keyring: Keyring) -> bool:
    return await referrals.claim_key(
        connection,
        request.owner,
        request.key or "",
        fingerprint=keyring.fingerprint(request.said),
        key_id=keyring.current,
        referral_id=request.referral_id,
    )


async def _load(connection: Connection, request: Request) -> Referral:
    """Locked until the transaction ends."""
    await referrals.lock(connection, [request.referral_id])
    referral = await referrals.read(connection, request.referral_id)
    if referral is None or (request.clinic is not None and referral.clinic != request.clinic):
        raise UnknownReferral
    if request.revisions is not None and referral.revision not in request.revisions:
        raise OutOfDate(referral.revision)
    if referral.state in FINAL:
        raise NoLongerOpen(referral.state)
    return referral


async def _save(
    connection: Connection,
    referral: Referral,
    changed: Change,
    reached: Progress,
    *,
    keyring: Keyring,
    now: datetime,
) -> None:
    fact = changed.fact
    sealed, key_id = referral.sealed, referral.key_id
    if changed.identity is not None:
        sealed = keyring.seal_all(changed.identity, referral_id=referral.id)
        key_id = keyring.current
    await referrals.change(
        connection,
        referral.id,
        revision=fact.revision,
        region=fact.region,
        express=fact.express,
        case=changed.case,
        sealed=sealed,
        key_id=key_id,
    )
    await referrals.tell(connection, [fact])
    await referrals.save_progress(connection, {referral.id: reached}, now=now)
