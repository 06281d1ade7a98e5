"""Submissions, many at once: claim and save in one statement, then publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.db import referrals as store
from services.intake.db.cipher import Keyring
from services.intake.db.records import NewReferral, Remembered
from services.intake.domain.refusal import KeyUsed
from shared.db import outbox
from shared.db.postgres import Connection


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to a request that was stored, now or the first time it came."""

    status: int
    body: bytes
    referral_id: UUID


async def submit(
    connection: Connection,
    referrals: Sequence[NewReferral],
    *,
    keyring: Keyring,
    now: datetime,
    again: bool = False,
) -> list[StoredResponse | KeyUsed]:
    """Claim and save, then publish. A key that came before gets the response it was given. `again`: these
    very referrals may be stored already."""
    there = await store.lock(connection, [each.id for each in referrals]) if again else set()
    missing = [each for each in referrals if each.id not in there]
    stored = await store.accept(connection, missing, now=now)
    await outbox.publish(connection, [each.submitted for each in missing if each.id in stored])
    known = await _known(connection, [each for each in missing if each.id not in stored])
    return [
        StoredResponse(202, each.answer, each.id)
        if each.id in stored | there
        else _repeated_or_used(known[(each.owner, each.key or "")], each.said, keyring)
        for each in referrals
    ]


async def _known(
    connection: Connection, referrals: Sequence[NewReferral]
) -> Mapping[tuple[str, str], Remembered]:
    keys = [(each.owner, each.key) for each in referrals if each.key is not None]
    return await store.remembered(connection, keys) if keys else {}


def _repeated_or_used(remembered: Remembered, said: bytes, keyring: Keyring) -> StoredResponse | KeyUsed:
    try:
        return repeated(remembered, said, keyring)
    except KeyUsed as used:
        return used


def repeated(remembered: Remembered, said: bytes, keyring: Keyring) -> StoredResponse:
    """The same request again gets the same response. Raises `KeyUsed` for another one under the same key."""
    if keyring.is_fingerprint(remembered.fingerprint, said, key_id=remembered.key_id):
        return StoredResponse(remembered.status, remembered.answer, remembered.referral_id)
    raise KeyUsed
