"""After a new key was put in front of INTAKE_ENCRYPTION_KEYS: seal under it what older keys still hold."""

from rich.console import Console

from careroute.local.errors import StackError
from careroute.network import Network
from services.intake.db.cipher import Keyring
from services.intake.jobs import rotate_keys
from shared.db.postgres import open_pool

KEYS = "INTAKE_ENCRYPTION_KEYS"


async def run(network: Network, out: Console) -> int:
    """How many referrals were sealed again."""
    if KEYS not in network.variables:
        raise StackError(f"Set {KEYS}, the new key first.")
    keyring = Keyring.parse(network.variables[KEYS])
    pool = await open_pool(network.database("intake"), size=2)
    try:
        with out.status("Sealing again ...") as status:
            return await rotate_keys.rekey(
                pool, keyring, told=lambda done: status.update(f"Sealed again: {done} ...")
            )
    finally:
        await pool.close()
