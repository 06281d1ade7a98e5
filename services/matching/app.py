"""Who: the roster, the pool of those who wait, and offers. Everything that goes in and out of matching."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.matching.api.routes import IMPORTS, routes
from services.matching.handlers import offer_responses
from services.matching.handlers.triage import OnTriaged
from services.matching.jobs import stored_terms
from services.matching.jobs.rounds import Matcher
from services.matching.settings import MatchingSettings
from shared.db.postgres import transaction
from shared.events import Topic
from shared.runtime.service import Service
from shared.vocabulary import Lane

MEASURE_SECONDS: Final = 15


def create_app(settings: MatchingSettings | None = None) -> FastAPI:
    settings = settings or MatchingSettings.load()
    service = Service("matching", settings, migrations=Path(__file__).parent / "db" / "migrations")
    matcher = Matcher(
        pool=lambda: service.pool,
        policy=settings.policy,
        hours=settings.hours_to_answer,
        round_size=settings.round_size,
        retry=timedelta(minutes=settings.retry_minutes),
        committed=service.wake,
    )

    async def silence() -> bool:
        async with transaction(service.pool) as connection:
            ran_out = await offer_responses.silence(connection, limit=settings.round_size)
        if ran_out:
            service.wake()
        return ran_out == settings.round_size

    handler = OnTriaged(hours=settings.hours_to_answer, snapshot=matcher.snapshot, network=service.network)
    service.at_start(partial(stored_terms.put_in_order, network=service.network))
    service.consumes(Topic.TRIAGE_EXPRESS, group="matching-express", handler=handler)
    service.consumes(Topic.TRIAGE_DECISIONS, group="matching", handler=handler)
    service.publishes(Topic.MATCHING_ASSIGNMENTS, Topic.MATCHING_ROSTER)
    service.every(
        settings.poll_seconds, "match-express", matcher.express, after_commits=True, lane=Lane.EXPRESS
    )
    service.every(settings.poll_seconds, "match", matcher.routine, after_commits=True, lane=Lane.ROUTINE)
    service.every(
        settings.poll_seconds, "vacancies", matcher.vacancies, after_commits=True, lane=Lane.ROUTINE
    )
    service.every(settings.poll_seconds, "silence", silence)
    service.every(MEASURE_SECONDS, "measure-waitlist", matcher.measure)
    return service.app(
        routes(
            pool=lambda: service.pool,
            wake=service.wake,
            import_limit=settings.import_limit_bytes,
            network=service.network,
        ),
        title="careroute matching",
        description="Who: the roster, offers, the waitlist, and why.",
        streams=IMPORTS,
    )
