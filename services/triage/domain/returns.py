"""Returned with advice, never a dead end: a coded reason, advice, next steps, each with an owner and a clock.

The first step is due within the response time of the referral's urgency: returning it takes no time from the
person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.triage.domain.policy import Policy
from services.triage.domain.refusal import Fault
from shared.vocabulary import Urgency

LONGEST: Final = timedelta(days=90)

Owner = Literal["referrer", "clinician", "coordinator", "client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who does what until when; `service` is the network's code of a service that the step names."""

    step: str
    owner: Owner
    by: datetime
    service: str | None = None


def faults(
    advice: Sequence[str], steps: Sequence[Step], urgency: Urgency, policy: Policy, *, now: datetime
) -> list[Fault]:
    """Everything that keeps a referral from being returned, at once."""
    found = _advice_faults(advice, policy)
    if not steps:
        codes = ", ".join(sorted(policy.next_steps))
        found.append(Fault("/next_steps", f"Nothing is returned without one of: {codes}.", "no_next_step"))
    for place, step in enumerate(steps):
        found += _step_faults(f"/next_steps/{place}", step, policy, now)
    if steps and (latest := now + policy.clocks[urgency]) < min(step.by for step in steps):
        what = f"It is {urgency}: the first step is due by {latest:%Y-%m-%dT%H:%M:%SZ} at the latest."
        found.append(Fault("/next_steps", what, "first_step_too_late"))
    return found


def _advice_faults(advice: Sequence[str], policy: Policy) -> list[Fault]:
    known = ", ".join(sorted(policy.advice))
    if not advice:
        return [Fault("/advice", f"Nothing is returned without advice; use one of: {known}.", "no_advice")]
    return [
        Fault(f"/advice/{place}", f"Use one of: {known}.", "unknown_advice")
        for place, code in enumerate(advice)
        if code not in policy.advice
    ]


def _step_faults(where: str, step: Step, policy: Policy, now: datetime) -> list[Fault]:
    found = []
    known = policy.next_steps.get(step.step)
    if known is None:
        what = f"Use one of: {', '.join(sorted(policy.next_steps))}."
        found.append(Fault(f"{where}/step", what, "unknown_step"))
    elif known.names_a_service and not step.service:
        what = "Name the service that is meant, by its code."
        found.append(Fault(f"{where}/service", what, "service_missing"))
    if step.by <= now:
        found.append(Fault(f"{where}/by", "This moment has passed.", "in_the_past"))
    elif step.by > now + LONGEST:
        found.append(Fault(f"{where}/by", f"At most {LONGEST.days} days from now.", "too_far"))
    return found
