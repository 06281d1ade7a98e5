"""A stored referral as it is told to a reader. No identity: whoever may know that asks for it by itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.intake.api.responses import Entry, Links, NextAction, ReferralAnswer, Standing
from services.intake.api.rules import Rules
from services.intake.db.records import Referral
from services.intake.domain.progress import QUESTION
from services.intake.domain.status import FHIR_STATUS, State, next_actions
from services.intake.domain.timeline import entry, when

_LINK: Final = {
    "amend": "amendments",
    "give_information": "amendments",
    "record_screening": "screenings",
    "withdraw": "withdrawal",
}


def standing(rules: Rules, row: Mapping[str, Any]) -> Standing:
    """From a row of the referral table, or as much of one as this needs."""
    state = State(row["state"])
    return Standing(
        id=row["id"],
        clinic=row["clinic"],
        region=row["region"],
        state=state,
        fhir_status=FHIR_STATUS[state],
        fhir_priority=_priority(state),
        urgency=row["urgency"],
        due_by=row["due_by"],
        reason=row["reason"],
        next_step=row["next_step"],
        revision=row["revision"],
        express=row["express"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        links=rules.links(row["id"]),
    )


def referral_answer(rules: Rules, referral: Referral) -> ReferralAnswer:
    names = Standing.model_fields.keys() - {"fhir_status", "fhir_priority", "links"}
    stands = standing(rules, {name: getattr(referral, name) for name in names})
    facts = sorted(referral.facts, key=when)
    return ReferralAnswer(
        **stands.__dict__,
        **_from_clinician(stands.state, facts),
        next_actions=_actions(rules, referral, stands.links),
        timeline=tuple(Entry(**entry(fact)) for fact in facts),
    )


_SAID: Final = {
    State.NEEDS_INFORMATION: (QUESTION, ("questions",)),
    State.RETURNED: ("ReferralReturned", ("advice", "next_steps")),
}


def _from_clinician(state: State, facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a clinician asked or advised last, while it stands."""
    kind, names = _SAID.get(state, (None, ()))
    said = [fact for fact in facts if fact["type"] == kind]
    if not said:
        return {}
    newest = max(said, key=lambda fact: (fact["revision"], fact["decision"]))
    return {name: newest.get(name, ()) for name in names}


def _actions(rules: Rules, referral: Referral, links: Links) -> tuple[NextAction, ...]:
    hrefs = {**{name: getattr(links, link) for name, link in _LINK.items()}}
    hrefs["submit_again"] = f"{rules.public_url}/v1/referrals"
    return tuple(
        NextAction(action=action, method="POST" if action in hrefs else None, href=hrefs.get(action))
        for action in next_actions(referral.state)
    )


def _priority(state: State) -> Any:
    return "stat" if state is State.CRISIS_HANDOVER else None


def stands_now(stands: Mapping[str, Any]) -> dict[str, Any]:
    """For an event stream."""
    state = State(stands["state"])
    told = {**stands, "fhir_status": FHIR_STATUS[state], "next_actions": next_actions(state)}
    told["due_by"] = stands["due_by"].isoformat() if stands["due_by"] else None
    return {name: value for name, value in told.items() if value is not None}
