"""Everything that people ask of matching, and tell it."""

from collections.abc import Callable

from fastapi import APIRouter

from services.matching.api import offers, roster, waitlist
from services.matching.api.roster import IMPORTS
from shared.db.postgres import Pool
from shared.network import NOTHING_CHECKED, Network

__all__ = ["IMPORTS", "routes"]


def routes(
    *,
    pool: Callable[[], Pool],
    wake: Callable[[], None],
    import_limit: int,
    network: Network = NOTHING_CHECKED,
) -> APIRouter:
    router = APIRouter()
    router.include_router(roster.routes(pool=pool, wake=wake, import_limit=import_limit, network=network))
    router.include_router(offers.routes(pool=pool, wake=wake))
    router.include_router(waitlist.routes(pool=pool, network=network))
    return router
