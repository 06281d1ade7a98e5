"""A named clinician decides: confirms, raises, lowers or returns. The only way down, and the only way out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from services.triage.domain import questions as asking
from services.triage.domain import returns
from services.triage.domain.case_mapping import chart_of
from services.triage.domain.consent import Disclosure, Why, shared_part
from services.triage.domain.policy import Policy
from services.triage.domain.returns import Step
from services.triage.domain.rules_decision import Decided, Outcome, stamp, triaged
from services.triage.domain.state import Standing
from services.triage.domain.urgency import Before, how_soon, settle
from shared.events import Advice, InformationRequested, NextStep, Question, ReferralReturned
from shared.vocabulary import URGENCIES, Urgency
from shared.web.problems import Fault, Problem

Action = Literal["confirm", "raise", "lower", "return", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
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


def faults(word: Word, standing: Standing, policy: Policy, *, now: datetime) -> list[Fault]:
    """Everything about the clinician's word that does not fit, at once."""
    found = _not_taken(word)
    if word.reason not in policy.reasons[word.action]:
        codes = ", ".join(sorted(policy.reasons[word.action]))
        found.append(Fault("/reason", f"To {word.action}, use one of: {codes}.", "unknown_reason"))
    if word.action in ("raise", "lower"):
        found += _urgency_faults(word, standing)
    if word.action == "return":
        found += returns.faults(word.advice, word.next_steps, standing.urgency, policy, now=now)
    if word.action == "ask":
        found += asking.faults(word.questions, policy)
    if word.emergency_disclosure:
        found += _disclosure_faults(word, standing)
    return found


def refuse_if_stale(word: Word, standing: Standing) -> None:
    """Raises `Problem` 409: whoever decides must have seen the newest facts."""
    if standing.state in ("ended", "returned"):
        raise Problem(409, "already_over", "This referral was withdrawn or returned; nothing waits for you.")
    if word.seen != standing.decision:
        raise Problem(
            409,
            "seen_is_old",
            "Something changed since you looked. Read the decisions again, then decide.",
            faults=[Fault("/seen", f"The newest decision is number {standing.decision}.", "seen_is_old")],
        )


def decide(word: Word, standing: Standing, policy: Policy, *, by: str, now: datetime) -> Outcome:
    """`word` has no faults and is not stale."""
    if word.action == "return":
        return _return(word, standing, policy, by=by, now=now)
    if word.action == "ask":
        return _ask(word, standing, policy, by=by, now=now)
    assert standing.case is not None and standing.urgency is not None
    chart = chart_of(standing.case)
    urgency = word.urgency if word.urgency and word.action != "confirm" else standing.urgency
    before = Before(
        urgency=urgency,
        respond_by=_respond_by(word, urgency, standing, policy, now),
        by_clinician=True,
        settled=settle(how_soon(chart, policy, asked_at=now).findings),
    )
    verdict = how_soon(chart, policy, asked_at=now, before=before)
    decided = replace(
        standing,
        decision=standing.decision + 1,
        state="triaged",
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        express=standing.express or verdict.urgency.cannot_wait,
        by_clinician=True,
        settled=frozenset(before.settled),
        review=None,
        waiting_since=now,
        rules_digest=policy.digest,
    )
    why = word.emergency_disclosure
    disclosure = Disclosure(by=by, at=now, why=why) if why else None
    said = Decided(by=by, action=word.action, reason=word.reason)
    fact = triaged(decided, chart, verdict, policy, now=now, word=said, disclosure=disclosure)
    return Outcome(decided, (fact,))


def _respond_by(word: Word, urgency: Urgency, standing: Standing, policy: Policy, now: datetime) -> datetime:
    assert standing.respond_by is not None
    if word.action == "lower":
        return now + policy.clocks[urgency]
    if word.action == "raise":
        deadline = now + policy.clocks[urgency]
        return min(deadline, standing.respond_by) if standing.respond_by > now else deadline
    return standing.respond_by


def _return(word: Word, standing: Standing, policy: Policy, *, by: str, now: datetime) -> Outcome:
    returned = replace(standing, state="returned", review=None, decision=standing.decision + 1)
    first = min(word.next_steps, key=lambda step: step.by)
    fact = ReferralReturned(
        **stamp(returned, now),
        reason=word.reason,
        next_step=first.step,
        next_step_by=first.by,
        advice=tuple(Advice(code=code, text=policy.advice[code]) for code in word.advice),
        next_steps=tuple(
            NextStep(
                step=step.step,
                text=policy.next_steps[step.step].text,
                owner=step.owner,
                by=step.by,
                service=step.service,
            )
            for step in word.next_steps
        ),
        decided_by=by,
    )
    return Outcome(returned, (fact,))


def _ask(word: Word, standing: Standing, policy: Policy, *, by: str, now: datetime) -> Outcome:
    """Nothing is decided yet, and nothing that was found counts as settled."""
    assert standing.urgency is not None and standing.respond_by is not None
    review = asking.ask(standing, word.questions, policy, by=by, now=now)
    asked = replace(standing, review=review, decision=standing.decision + 1)
    fact = InformationRequested(
        **stamp(asked, now),
        reason=word.reason,
        questions=tuple(Question(code=code, text=policy.questions[code]) for code in word.questions),
        answer_by=review.review_by,
        urgency=standing.urgency,
        respond_by=standing.respond_by,
        holds=review.holds,
        decided_by=by,
    )
    return Outcome(asked, (fact,))


def _urgency_faults(word: Word, standing: Standing) -> list[Fault]:
    assert standing.urgency is not None
    at = URGENCIES.index(standing.urgency)
    fitting = URGENCIES[:at] if word.action == "raise" else URGENCIES[at + 1 :]
    if word.urgency in fitting:
        return []
    what = f"It is {standing.urgency} now; to {word.action} it, use one of: {', '.join(fitting) or 'none'}."
    return [Fault("/urgency", what, "urgency_does_not_fit")]


def _disclosure_faults(word: Word, standing: Standing) -> list[Fault]:
    assert standing.case is not None
    where = "/emergency_disclosure"
    if word.action in ("return", "ask"):
        return [Fault(where, "Nothing is shared by this; leave it out.", "nothing_to_disclose")]
    if shared_part(standing.case) == standing.case:
        return [Fault(where, "Nothing is withheld here; leave this out.", "nothing_to_disclose")]
    return []


def _not_taken(word: Word) -> list[Fault]:
    """What would be passed over in silence."""
    every = {name for names in TAKES.values() for name in names}
    extra = sorted(name for name in every - set(TAKES[word.action]) if getattr(word, name))
    return [Fault(f"/{name}", f"To {word.action}, leave this out.", "not_for_this_action") for name in extra]
