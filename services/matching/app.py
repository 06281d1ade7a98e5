"""Who: the roster, the waitlist, and offers. Everything that goes in and out of matching."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI

from services.matching.api import explanation, offers, roster, roster_imports, waitlist
from services.matching.handlers import triage
from services.matching.jobs import measurements
from services.matching.jobs.offer_expiry import expire_offers
from services.matching.jobs.rounds import Matcher
from services.matching.jobs.stored_terms import migrate_stored_terms
from services.matching.jobs.vacancies import offer_vacancies
from services.matching.settings import MatchingSettings
from shared.events import Topic
from shared.runtime.service import Service
from shared.vocabulary import Lane


def create_app(settings: MatchingSettings | None = None) -> FastAPI:
    settings = settings or MatchingSettings.load()
    service = Service("matching", settings, migrations=Path(__file__).parent / "db" / "migrations")
    pool, wake, network = (lambda: service.pool), service.wake, service.network
    matcher = Matcher(
        pool=pool,
        policy=settings.policy,
        hours=settings.hours_to_respond,
        round_size=settings.round_size,
        retry=timedelta(minutes=settings.retry_minutes),
        committed=wake,
    )
    handler = partial(
        triage.handle, hours=settings.hours_to_respond, snapshot=matcher.snapshot, network=network
    )
    expiry = partial(expire_offers, pool=pool, limit=settings.round_size, committed=wake)
    every = partial(service.every, settings.poll_seconds)

    service.at_start(partial(migrate_stored_terms, network=network))
    service.consumes(Topic.TRIAGE_EXPRESS, group="matching-express", handler=handler)
    service.consumes(Topic.TRIAGE_DECISIONS, group="matching", handler=handler)
    service.publishes(Topic.MATCHING_ASSIGNMENTS, Topic.MATCHING_ROSTER)
    every("match-express", matcher.express, after_commits=True, lane=Lane.EXPRESS)
    every("match", matcher.routine, after_commits=True, lane=Lane.ROUTINE)
    every("vacancies", partial(offer_vacancies, matcher), after_commits=True, lane=Lane.ROUTINE)
    every("expire-offers", expiry)
    service.every(measurements.SECONDS, "measure-waitlist", lambda: measurements.count(service.pool))

    router = APIRouter()
    router.include_router(roster.routes(pool=pool, wake=wake, network=network))
    router.include_router(
        roster_imports.routes(pool=pool, wake=wake, import_limit=settings.import_limit_bytes, network=network)
    )
    router.include_router(offers.routes(pool=pool, wake=wake))
    router.include_router(waitlist.routes(pool=pool, network=network))
    router.include_router(explanation.routes(pool=pool))
    return service.app(
        router,
        title="careroute matching",
        description="Who: the roster, offers, the waitlist, and why.",
        streams=roster_imports.IMPORTS,
    )
