"""After a new key was put in front of INTAKE_ENCRYPTION_KEYS: seal under it what older keys still hold.

Called by `careroute rekey`. An older key may be taken out when this returns and the days of
INTAKE_IDEMPOTENCY_DAYS have passed.
"""

from collections.abc import Callable

from services.intake.db import referrals
from services.intake.db.cipher import Keyring
from services.intake.domain.identity import SEALED
from shared.db.postgres import Pool, transaction


async def rekey(
    pool: Pool, keyring: Keyring, *, at_once: int = 500, told: Callable[[int], None] = lambda _: None
) -> int:
    """How many referrals were sealed again; `told` hears the count as it grows. Safe to stop and to run
    twice. Raises `Unsealable` when a key that is still needed is missing."""
    done = 0
    while count := await _some(pool, keyring, at_once):
        done += count
        told(done)
    return done


async def _some(pool: Pool, keyring: Keyring, at_once: int) -> int:
    async with transaction(pool) as connection:
        rows = await referrals.sealed_under_others(connection, keyring.current, limit=at_once)
        sealed = {}
        for row in rows:
            values = keyring.open_all(
                {column: row[column] for column in SEALED}, key_id=row["key_id"], referral_id=row["id"]
            )
            sealed[row["id"]] = keyring.seal_all(values, referral_id=row["id"])
        await referrals.seal_again(connection, keyring.current, sealed)
    return len(rows)
