"""Everything that people ask of matching, and tell it."""

from collections.abc import Callable

from fastapi import APIRouter

from services.matching import http_offers, http_roster, http_waitlist
from services.matching.http_roster import IMPORTS
from shared.postgres import Pool

__all__ = ["IMPORTS", "routes"]


def routes(*, pool: Callable[[], Pool], wake: Callable[[], None], import_limit: int) -> APIRouter:
    router = APIRouter()
    router.include_router(http_roster.routes(pool=pool, wake=wake, import_limit=import_limit))
    router.include_router(http_offers.routes(pool=pool, wake=wake))
    router.include_router(http_waitlist.routes(pool=pool))
    return router
