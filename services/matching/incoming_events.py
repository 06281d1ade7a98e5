"""Events of triage as the values that matching decides on."""

from collections.abc import Iterable
from typing import Any

from services.matching.domain.client_needs import ClientNeeds, modalities
from services.matching.domain.profiles import Wish, area_code
from services.matching.domain.state import TriageOutcome
from services.matching.domain.triage_changes import TriageChange, Triaged
from shared.events import ReferralReturned, ReferralTriaged, ReviewRequested, TriageEnded, TriageFact
from shared.telemetry import trace


def changes_of(events: Iterable[TriageFact]) -> list[TriageChange]:
    """Without the events that mean nothing to matching."""
    return [change for event in events if (change := _change(event)) is not None]


def _change(event: TriageFact) -> TriageChange | None:
    match event:
        case ReferralTriaged():
            return Triaged(
                **_common(event),
                outcome=TriageOutcome.TRIAGED,
                occurred_at=event.occurred_at,
                urgency=event.urgency,
                respond_by=event.respond_by,
                needs=needs_of(event),
            )
        case ReferralReturned():
            return TriageChange(**_common(event), outcome=TriageOutcome.OVER, closed_reason="returned")
        case TriageEnded():
            return TriageChange(**_common(event), outcome=TriageOutcome.OVER, closed_reason=event.reason)
        case ReviewRequested(holds=True):
            return TriageChange(**_common(event), outcome=TriageOutcome.HELD)
        case _:
            return None


def _common(event: TriageFact) -> dict[str, Any]:
    return {
        "referral_id": event.referral_id,
        "revision": event.revision,
        "decision": event.decision,
        "clinic": event.clinic,
        "region": event.region,
        "express": event.express,
        "traceparent": trace.cause_of(event.referral_id),
    }


def needs_of(event: ReferralTriaged) -> ClientNeeds:
    needs = event.needs
    first_line, alternatives = modalities(
        (each.modality for each in event.indications if each.strength == "first_line"),
        (each.modality for each in event.indications if each.strength == "alternative"),
    )
    return ClientNeeds(
        age=needs.age,
        perinatal=needs.perinatal,
        languages=needs.languages,
        interpreter_ok=needs.interpreter_ok,
        area=area_code(needs.area) if needs.area else None,
        payer=needs.payer,
        problems=needs.problems,
        wishes=tuple(Wish(wish.criterion, wish.values, wish.must) for wish in needs.wishes),
        first_line=first_line,
        alternatives=alternatives,
    )
