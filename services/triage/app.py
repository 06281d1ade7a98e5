"""How soon, what kind of care, and who must look: everything that goes in and out of triage."""

from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.triage.api.decisions import routes
from services.triage.handlers import intake, matching
from services.triage.jobs import measurements
from services.triage.jobs.deadlines import DeadlineJob
from services.triage.policy.checks import load
from services.triage.settings import TriageSettings
from shared.clinical import DIGEST
from shared.events import Topic
from shared.runtime.service import Service

MEASURE_SECONDS: Final = 10
OLDER_SECONDS: Final = 60
LOOK_SECONDS: Final = 2
WAITING_SECONDS: Final = 30


def create_app(settings: TriageSettings | None = None) -> FastAPI:
    settings = settings or TriageSettings.load()
    service = Service("triage", settings, migrations=Path(__file__).parent / "db" / "migrations")
    who_codes = service.network.who_diagnosis_codes
    policy = load(settings.policy, settings.indications, who_diagnosis_codes=who_codes)
    service.agrees_on({"diagnoses.toml": DIGEST, "who_diagnosis_codes": str(who_codes).lower()})
    handler = partial(intake.handle, policy=policy)
    service.consumes(Topic.INTAKE_EXPRESS, group="triage-express", handler=handler)
    service.consumes(Topic.INTAKE_REFERRALS, group="triage", handler=handler)
    service.consumes(Topic.MATCHING_ASSIGNMENTS, group=matching.GROUP, handler=matching.handle)
    deadlines = DeadlineJob(policy=policy, pool=lambda: service.pool, committed=service.wake)
    service.every(LOOK_SECONDS, "overdue", deadlines.act_on_reviews)
    service.every(WAITING_SECONDS, "waiting", deadlines.ask_again)
    service.every(MEASURE_SECONDS, "measure-reviews", lambda: measurements.count(service.pool))
    service.every(
        OLDER_SECONDS, "measure-rules", lambda: measurements.count_older(service.pool, policy.digest)
    )
    service.publishes(Topic.TRIAGE_EXPRESS, Topic.TRIAGE_DECISIONS)
    return service.app(
        routes(policy, pool=lambda: service.pool, wake=service.wake),
        title="careroute triage",
        description="How soon somebody must respond, and why; what waits for a clinician.",
    )
