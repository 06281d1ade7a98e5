"""What whoever watches hears of a verdict: metrics and logs."""

from datetime import datetime

from services.notify.domain.batch import Verdict
from services.notify.metrics import ALARMS, NOBODY_IN_REGION
from shared.telemetry import logs

log = logs.get(__name__)


def report(verdict: Verdict, *, now: datetime) -> None:
    for one in verdict.nobody_in_region:
        NOBODY_IN_REGION.labels(one.audience).inc()
        log.warning(
            "nobody on call in the region", action="on-call", audience=one.audience, instead=one.instead
        )
    for alert in verdict.alarmed(now):
        ALARMS.labels(alert.notice.lane).inc()
        log.error("alarm", action="alarm", notice_id=str(alert.notice.id), times=alert.alarms)
