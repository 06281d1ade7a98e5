"""notify calls and notifies people, until somebody acknowledges.

in   triage.express.v1        calls whoever is on call
     triage.decisions.v1      asks clinicians for reviews, notifies clinics and primary care of the outcome
     matching.assignments.v1  notifies of offers, acceptance, waiting, closing
     HTTP                     recipients, rota, notices, acknowledgement, outcome
out  notify.notices.v1        NoticeSent, NoticeAcknowledged, CrisisOutcomeRecorded, NoticeFailed
     HTTP                     webhooks
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from fastapi import APIRouter, FastAPI

from services.notify.api import notices, recipients, rota
from services.notify.channels.webhook import request
from services.notify.channels.webhook.request import Links
from services.notify.db import network_codes
from services.notify.db.sealing import Sealer
from services.notify.domain.host_limits import HostLimits
from services.notify.handlers import matching, triage
from services.notify.jobs import escalation, missed_outcomes
from services.notify.jobs.delivery import Deliverer
from services.notify.jobs.escalation import RotaCheck
from services.notify.settings import NotifySettings
from shared.events import Topic
from shared.runtime.loops import BatchJob, Work, debounce
from shared.runtime.service import Service
from shared.vocabulary import Lane

TOGETHER_SECONDS: Final = 0.05
"""Ordinary deliveries that end within this time are recorded in one transaction."""

AHEAD: Final = 4
"""Ordinary deliveries are leased up to this many times as many as are under way."""


def create_app(settings: NotifySettings | None = None, client: httpx.AsyncClient | None = None) -> FastAPI:
    settings, client = settings or NotifySettings.load(), client or request.make_client()
    service = Service("notify", settings, migrations=Path(__file__).parent / "db" / "migrations")
    sealer = Sealer.from_setting(settings.encryption_keys)
    waits = timedelta(hours=settings.give_up_after_hours)

    for topic, group, handle in (
        (Topic.TRIAGE_EXPRESS, "notify-express", triage.handle),
        (Topic.TRIAGE_DECISIONS, "notify-triage", triage.handle),
        (Topic.MATCHING_ASSIGNMENTS, "notify-matching", matching.handle),
    ):
        handler = partial(handle, group=group, clocks=settings.clocks, network=service.network)
        service.consumes(topic, group=group, handler=handler)
    service.at_start(partial(network_codes.put_in_order, network=service.network))
    service.publishes(Topic.NOTIFY_NOTICES)

    def job(work: Work, limit: int) -> BatchJob:
        return BatchJob(work=work, limit=limit, pool=lambda: service.pool, committed=service.wake)

    deliverers = []
    for lane in Lane:
        escalating = job(partial(escalation.escalate, lane=lane), escalation.AT_ONCE)
        service.every(1, f"escalate-{lane}", escalating.turn, after_commits=True, lane=lane)
        deliverer = _deliverer(lane, service, settings, sealer, client)
        wake_up = service.every(0.5, f"deliver-{lane}", deliverer.turn, after_commits=True, lane=lane)
        deliverer.wake = wake_up if lane is Lane.EXPRESS else debounce(wake_up, seconds=TOGETHER_SECONDS)
        deliverers.append(deliverer)
    missed = job(partial(missed_outcomes.call_again, clocks=settings.clocks), missed_outcomes.AT_ONCE)
    service.every(1, "missed-outcomes", missed.turn, lane=Lane.EXPRESS)
    service.every(60, "check-rota", RotaCheck(pool=lambda: service.pool).turn)
    service.every(5, "measure-alerts", lambda: escalation.measure(service.pool))

    router = APIRouter(lifespan=_finishing(deliverers, client))
    pool, wake = (lambda: service.pool), service.wake
    router.include_router(notices.routes(pool, wake, settings.clocks))
    router.include_router(rota.routes(pool, wake, service.network))
    router.include_router(
        recipients.routes(
            pool,
            wake,
            sealer,
            waits=waits,
            require_https=settings.require_https,
            network=service.network,
        )
    )
    return service.app(router, title="careroute notify", description="Tells people, until someone answers.")


def _deliverer(
    lane: Lane, service: Service, settings: NotifySettings, sealer: Sealer, client: httpx.AsyncClient
) -> Deliverer:
    """Alerts have places of their own, and are sent whatever became of others to the same host."""
    express = lane is Lane.EXPRESS
    per_host = settings.express_per_host if express else settings.per_host
    return Deliverer(
        lane=lane,
        pool=lambda: service.pool,
        client=client,
        sealer=sealer,
        links=Links(referral_url=settings.referral_url, public_url=settings.public_url),
        retry_policy=settings.retry_policy(lane),
        places=settings.express_concurrency if express else settings.concurrency,
        ahead=1 if express else AHEAD,
        host_limits=HostLimits(per_host, cooldown=not express),
        timeout_seconds=settings.timeout_seconds,
        committed=service.wake if express else service.wake_relays,
    )


def _finishing(
    deliverers: list[Deliverer], client: httpx.AsyncClient
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """When the service is asked to stop, what is under way is finished before anything else is."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for deliverer in deliverers:
                await deliverer.close()
            await client.aclose()

    return lifespan
