"""Changes to a stored referral: amended, measured again, withdrawn. One at a time, under its row's lock."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.db import referrals
from services.intake.db.records import Referral
from services.intake.domain.progress import progress
from services.intake.domain.status import FINAL
from services.intake.domain.timeline import heard, kept
from services.intake.handlers.changes import Change, Decide
from services.intake.handlers.submissions import Rules, Taken, repeated
from shared.db import outbox
from shared.db.postgres import Connection
from shared.web.auth import Caller, Role
from shared.web.problems import Problem, not_found


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
        known = await referrals.remembered(connection, [(request.owner, request.key)])
        return repeated(known[(request.owner, request.key)], request.said, rules.keyring)
    await referrals.lock(connection, [request.referral_id])
    referral = visible(await referrals.read(connection, request.referral_id), request.caller)
    _check(referral, request)
    changed = decide(referral)
    answer = await _save(connection, referral, changed, rules=rules, now=now)
    if request.key:
        await referrals.answer_key(connection, request.owner, request.key, status=202, answer=answer)
    return Taken(202, answer, referral.id)


async def _claim(connection: Connection, request: Request, rules: Rules) -> bool:
    return await referrals.claim_key(
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
    stands = progress(heard(each) for each in (*referral.facts, kept(fact)))
    await referrals.tell(connection, [fact])
    await referrals.save_progress(connection, {referral.id: stands}, now=now)
    await outbox.publish(connection, [fact])
    return rules.answer(
        referral.id,
        state=stands.state,
        revision=fact.revision,
        express=fact.express,
        region=fact.region,
        verdict=changed.verdict,
    )
