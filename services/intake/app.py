"""Intake: takes referrals in, keeps who they are, tells the clinic how they go. All that goes in and out."""

from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI

from services.intake import policy
from services.intake.api import batch, event_stream, openapi, refusals, status, submit
from services.intake.api.context import ApiContext
from services.intake.api.rules import Rules
from services.intake.db.cipher import Keyring
from services.intake.handlers import facts
from services.intake.jobs import measurements
from services.intake.settings import IntakeSettings
from shared.clinical import DIGEST
from shared.events import Topic
from shared.runtime.service import Service

HOUR = 3600
LOOK_SECONDS = 0.25
MEASURE_SECONDS = 10


def create_app(settings: IntakeSettings | None = None) -> FastAPI:
    settings = settings or IntakeSettings.load()
    service = Service("intake", settings, migrations=Path(__file__).parent / "db" / "migrations")
    rules = Rules(
        policy=policy.load(settings.policy_file),
        keyring=Keyring.parse(settings.encryption_keys.get_secret_value()),
        network=service.network,
        public_url=settings.public_url.rstrip("/"),
        time_zone=settings.time_zone,
    )
    who_codes = str(rules.network.who_diagnosis_codes).lower()
    service.agrees_on({"diagnoses.toml": DIGEST, "who_diagnosis_codes": who_codes})
    context = ApiContext(service, settings, rules)

    service.publishes(Topic.INTAKE_REFERRALS, Topic.INTAKE_EXPRESS)
    for topic, group in facts.FOLLOWED.items():
        service.consumes(topic, group=group, handler=partial(facts.handle, group=group))
    service.every(LOOK_SECONDS, "event streams", context.watch.look)
    service.every(HOUR, "forget keys", context.forget_keys)
    service.every(MEASURE_SECONDS, "measure-referrals", lambda: measurements.count(service.pool))

    router = APIRouter()
    for part in (batch, submit, status, event_stream):
        router.include_router(part.routes(context))
    app = service.app(
        router,
        title="careroute intake",
        description="Refer a client, and follow the referral until somebody answers.",
        streams=frozenset({batch.PATH}),
    )
    app.state.context = context
    refusals.install(app, rules)
    openapi.finish(app)
    return app
