"""A named clinician decides: confirms, raises, lowers or returns. The only way down, and the only way out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from services.triage.domain import questions, returns
from services.triage.domain.chart import Charts
from services.triage.domain.claim import refuse_if_another
from services.triage.domain.consent import Disclosure, NetworkView, Why, network_view
from services.triage.domain.outcome import ByClinician, InformationNeeded, Outcome, Returned
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.publication import triaged
from services.triage.domain.redecision import unseen
from services.triage.domain.refusal import Conflict, Fault, Invalid
from services.triage.domain.returns import Step
from services.triage.domain.state import TriageState
from services.triage.domain.urgency import Before, Evaluation, assess, evaluate, findings_alone, settle
from shared.vocabulary import URGENCIES, Urgency

Action = Literal["confirm", "raise", "lower", "return", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`seen` is the number of the decision that the clinician was looking at. Codes only, no notes."""

    action: Action
    seen: int
    reason: str
    urgency: Urgency | None = None
    advice: tuple[str, ...] = ()
    next_steps: tuple[Step, ...] = ()
    questions: tuple[str, ...] = ()
    emergency_disclosure: Why | None = None


TAKES: Final[dict[Action, tuple[str, ...]]] = {
    "confirm": (),
    "raise": ("urgency",),
    "lower": ("urgency",),
    "return": ("advice", "next_steps"),
    "ask": ("questions",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReferral:
    """A referral that a clinician can decide: it is triaged or held. `current` is what was decided so far."""

    state: TriageState
    current: Before
    charts: Charts
    evaluation: Evaluation


def decide(
    command: Command, state: TriageState, charts: Charts | None, policy: Policy, *, by: str, now: datetime
) -> Outcome:
    """Raises a `Refusal` where nothing is to be saved. Where newer rules raise the referral, the outcome is
    theirs, so that the clinician sees it before they settle it. Without `charts` it ended before triage."""
    current = state.before
    if current is None or charts is None:
        raise Conflict("already_over", "This referral was withdrawn or returned; nothing waits for you.")
    if command.seen != state.decision:
        raise _seen_is_old(state)
    refuse_if_another(state.claim, by=by, now=now)
    if found := faults(command, current.urgency, charts, policy, now=now):
        raise Invalid(found)
    evaluation = evaluate(charts.whole, policy.rules)
    if raised := unseen(evaluation, charts, state, policy, now=now):
        return replace(raised, refusal=_seen_is_old(raised.state))
    referral = OpenReferral(state=state, current=current, charts=charts, evaluation=evaluation)
    return carry_out(command, referral, policy, by=by, now=now)


def carry_out(command: Command, referral: OpenReferral, policy: Policy, *, by: str, now: datetime) -> Outcome:
    """The command has no faults and nothing refuses it."""
    match command.action:
        case "return":
            return _return(command, referral.state, by=by)
        case "ask":
            return _ask(command, referral, policy, by=by, now=now)
        case "confirm" | "raise" | "lower":
            clinician = ByClinician(by=by, action=command.action, reason=command.reason)
            return _settle(command, referral, policy, clinician, now=now)


def faults(
    command: Command, urgency: Urgency, charts: Charts, policy: Policy, *, now: datetime
) -> list[Fault]:
    """Everything about the command that does not fit, at once. `urgency` is the referral's."""
    found = _not_taken(command)
    if command.reason not in policy.reasons[command.action]:
        codes = ", ".join(sorted(policy.reasons[command.action]))
        found.append(Fault("/reason", f"To {command.action}, use one of: {codes}.", "unknown_reason"))
    if command.action in ("raise", "lower"):
        found += _urgency_faults(command, urgency)
    if command.action == "return":
        found += returns.faults(command.advice, command.next_steps, urgency, policy, now=now)
    if command.action == "ask":
        found += questions.faults(command.questions, policy)
    if command.emergency_disclosure:
        found += _disclosure_faults(command, charts)
    return found


def _seen_is_old(state: TriageState) -> Conflict:
    """Whoever decides must have seen the newest decision."""
    return Conflict(
        "seen_is_old",
        "Something changed since you looked. Read the decisions again, then decide.",
        faults=[Fault("/seen", f"The newest decision is number {state.decision}.", "seen_is_old")],
    )


def _settle(
    command: Command, referral: OpenReferral, policy: Policy, clinician: ByClinician, *, now: datetime
) -> Outcome:
    """Everything that the rules find counts as settled."""
    state, charts = referral.state, referral.charts
    chosen = _chosen(command, referral, policy, now)
    verdict = assess(referral.evaluation, policy, asked_at=now, before=chosen)
    decided = replace(
        state,
        decision=state.decision + 1,
        status="triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=state.express or verdict.urgency.cannot_wait,
        by_clinician=True,
        settled=frozenset(chosen.settled),
        review=None,
        waiting_since=now,
        rules_digest=policy.digest,
    )
    why = command.emergency_disclosure
    event = triaged(
        decided,
        verdict,
        what_care(charts.whole, policy, verdict.urgency),
        NetworkView(charts, policy, shared=None) if why else network_view(charts, policy),
        clinician=clinician,
        disclosure=Disclosure(by=clinician.by, at=now, why=why) if why else None,
    )
    return Outcome(state=decided, published=(event,))


def _chosen(command: Command, referral: OpenReferral, policy: Policy, now: datetime) -> Before:
    current = referral.current
    urgency = command.urgency if command.urgency and command.action != "confirm" else current.urgency
    return Before(
        urgency=urgency,
        respond_by=_respond_by(command.action, urgency, current.respond_by, policy, now),
        by_clinician=True,
        settled=settle(findings_alone(referral.evaluation, policy)),
    )


def _respond_by(
    action: Action, urgency: Urgency, respond_by: datetime, policy: Policy, now: datetime
) -> datetime:
    if action == "confirm":
        return respond_by
    deadline = now + policy.clocks[urgency]
    return min(deadline, respond_by) if action == "raise" and respond_by > now else deadline


def _return(command: Command, state: TriageState, *, by: str) -> Outcome:
    returned = replace(state, status="returned", review=None, decision=state.decision + 1)
    event = Returned(
        decision=returned.decision,
        by=by,
        reason=command.reason,
        advice=command.advice,
        next_steps=command.next_steps,
    )
    return Outcome(state=returned, published=(event,))


def _ask(command: Command, referral: OpenReferral, policy: Policy, *, by: str, now: datetime) -> Outcome:
    """Nothing is decided yet, and nothing that was found counts as settled."""
    state, current = referral.state, referral.current
    review = questions.ask(state.review, current, command.questions, policy, by=by, now=now)
    asked = replace(state, review=review, decision=state.decision + 1)
    event = InformationNeeded(
        decision=asked.decision,
        by=by,
        reason=command.reason,
        questions=command.questions,
        answer_by=review.review_by,
        urgency=current.urgency,
        respond_by=current.respond_by,
        holds=review.holds,
    )
    return Outcome(state=asked, published=(event,))


def _urgency_faults(command: Command, urgency: Urgency) -> list[Fault]:
    fitting = URGENCIES[: urgency.rank] if command.action == "raise" else URGENCIES[urgency.rank + 1 :]
    if command.urgency in fitting:
        return []
    what = f"It is {urgency} now; to {command.action} it, use one of: {', '.join(fitting) or 'none'}."
    return [Fault("/urgency", what, "urgency_does_not_fit")]


def _disclosure_faults(command: Command, charts: Charts) -> list[Fault]:
    where = "/emergency_disclosure"
    if command.action in ("return", "ask"):
        return [Fault(where, "Nothing is shared by this; leave it out.", "nothing_to_disclose")]
    if charts.shareable is None:
        return [Fault(where, "Nothing is withheld here; leave this out.", "nothing_to_disclose")]
    return []


def _not_taken(command: Command) -> list[Fault]:
    """What would be ignored in silence."""
    every = {name for names in TAKES.values() for name in names}
    extra = sorted(name for name in every - set(TAKES[command.action]) if getattr(command, name))
    return [
        Fault(f"/{name}", f"To {command.action}, leave this out.", "not_for_this_action") for name in extra
    ]
