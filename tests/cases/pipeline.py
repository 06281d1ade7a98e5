"""One referral through the decisions of intake, triage and notify, without databases or Kafka: what its
sender is answered, what triage decides, who is called."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from services.intake import policy as intake_policy
from services.intake.api import changes
from services.intake.api.parsing import read_object
from services.intake.api.preparation import prepare
from services.intake.api.receiving import receive, receive_sheets
from services.intake.api.requests import ReferralForm
from services.intake.api.rules import Rules
from services.intake.db.cipher import Keyring
from services.intake.db.records import Referral
from services.intake.domain.status import State
from services.intake.handlers.amendments import Decide
from services.notify import event_mapping
from services.notify.domain import triage_events
from services.notify.domain.batch import Delivery, EscalatingAlert, Notice, Situation
from services.notify.domain.call_state import Known
from services.notify.domain.directory import Directory, Recipient
from services.notify.settings import NotifySettings
from services.triage.case_mapping import charts_of
from services.triage.db.referrals import Decision
from services.triage.db.referrals import Referral as Triaged
from services.triage.domain import clinician_decision
from services.triage.domain.clinician_decision import Command
from services.triage.domain.policy import Policy
from services.triage.domain.state import TriageState
from services.triage.handlers.intake import decide
from services.triage.outgoing_events import decision_of
from services.triage.policy.checks import POLICIES, load
from shared.events import IntakeFact, ReferralTriaged, ReviewRequested, TriageFact
from shared.ids import new_id
from shared.network import NOTHING_CHECKED
from shared.vocabulary import Urgency
from shared.web.problems import Problem

NOW: Final = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TODAY: Final = NOW.date().isoformat()
RULES: Final = Rules(
    policy=intake_policy.load(intake_policy.DEFAULT),
    keyring=Keyring.parse(f"k1:{b64encode(bytes(32)).decode()}"),
)
TRIAGE: Final = load(POLICIES / "network-default.toml")
EVERYONE: Final = Directory(
    recipients=[
        Recipient(id=f"{audience}-{number}", audience=audience, hosts=("host",))
        for audience in ("psychiatrist", "clinician", "coordinator", "ops")
        for number in (1, 2)
    ]
    + [
        Recipient(id=f"clinic-1-{audience}", audience=audience, hosts=("host",), clinic="clinic-1")
        for audience in ("clinic", "primary_care")
    ]
)

BASE: Final[Mapping[str, Any]] = {
    "client": {"name": "Alex Example", "region": "otter", "birth_date": "1990-04-04", "languages": ["en"]},
    "consent": {"share_with_network": True},
    "problems": ["anxiety"],
    "requested_priority": "routine",
    "screenings": [{"instrument": "phq9", "taken_on": TODAY, "answers": [1, 1, 1, 0, 0, 0, 0, 0, 0]}],
}
"""An adult with mild anxiety, nothing positive: routine, and nobody is called."""


HEARD_OF_NOTHING: Final = Known()


@dataclass(frozen=True, kw_only=True)
class Result:
    """`answer` is the body of the 202 or the problem details; with a problem nothing else happened."""

    status: int
    answer: dict[str, Any]
    fact: IntakeFact | None = None
    in_triage: Triaged | None = None
    decisions: tuple[TriageFact, ...] = ()
    notices: tuple[Notice, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    known: Known = HEARD_OF_NOTHING
    escalating: tuple[EscalatingAlert, ...] = ()
    referral: Referral | None = None

    @property
    def triaged(self) -> ReferralTriaged | None:
        return next((d for d in reversed(self.decisions) if isinstance(d, ReferralTriaged)), None)

    @property
    def review(self) -> ReviewRequested | None:
        return next((d for d in reversed(self.decisions) if isinstance(d, ReviewRequested)), None)

    @property
    def urgency(self) -> str | None:
        return self.in_triage.state.urgency if self.in_triage else None

    @property
    def warnings(self) -> set[str]:
        return {each["code"] for each in self.answer.get("warnings", ())}

    def told(self, audience: str) -> list[str]:
        """The recipients of this audience who are told something at once, in order."""
        notices = {notice.id for notice in self.notices if notice.audience == audience}
        return [d.recipient for d in self.deliveries if d.notice_id in notices]

    def calls(self, audience: str) -> bool:
        """An alert to this audience, which needs an acknowledgement."""
        return any(notice.is_alert and notice.audience == audience for notice in self.notices)


def submit(
    body: Mapping[str, Any],
    *,
    rules: Rules = RULES,
    triage: Policy = TRIAGE,
    directory: Directory = EVERYONE,
    now: datetime = NOW,
) -> Result:
    try:
        received = receive(ReferralForm, json.dumps(body).encode(), rules=rules, now=now)
        ready = prepare(
            received.form,
            rules=rules,
            clinic="clinic-1",
            key=None,
            traceparent=None,
            now=now,
            verdict=received.verdict,
            unread=received.unread,
        )
    except Problem as problem:
        return Result(status=problem.status, answer=problem.body())
    fact = ready.submitted
    new = Triaged(TriageState(referral_id=fact.referral_id, region=fact.region, clinic=fact.clinic))
    result = follow(fact, new, json.loads(ready.answer), triage=triage, directory=directory, now=now)
    referral = Referral(
        id=fact.referral_id,
        clinic=fact.clinic,
        region=fact.region,
        revision=1,
        express=fact.express,
        state=State.RECEIVED,
        urgency=None,
        due_by=None,
        reason=None,
        next_step=None,
        case=fact.case,
        sealed=ready.sealed,
        key_id=ready.key_id,
        created_at=now,
        updated_at=now,
    )
    return replace(result, referral=referral)


def amend(
    result: Result,
    patch: Mapping[str, Any],
    *,
    rules: Rules = RULES,
    triage: Policy = TRIAGE,
    now: datetime = NOW,
) -> Result:
    """A merge patch of what was submitted."""
    said = read_object(json.dumps(patch).encode(), now=now)
    return _change(result, changes.amend(said, rules=rules, now=now), rules=rules, triage=triage, now=now)


def screen(
    result: Result,
    *sheets: Mapping[str, Any],
    rules: Rules = RULES,
    triage: Policy = TRIAGE,
    now: datetime = NOW,
) -> Result:
    """Sheets taken since."""
    received = receive_sheets(json.dumps({"screenings": sheets}).encode(), rules=rules, now=now)
    decide_ = changes.record(received.form, rules=rules, now=now, received=received)
    return _change(result, decide_, rules=rules, triage=triage, now=now)


def _change(result: Result, decide: Decide, *, rules: Rules, triage: Policy, now: datetime) -> Result:
    assert result.referral and result.in_triage
    try:
        change = decide(result.referral)
    except Problem as problem:
        return replace(result, status=problem.status, answer=problem.body(), decisions=(), notices=())
    sealed = result.referral.sealed
    if change.identity is not None:
        sealed = rules.keyring.seal_all(change.identity, referral_id=result.referral.id)
    fact = change.fact
    referral = replace(
        result.referral,
        revision=fact.revision,
        region=fact.region,
        express=fact.express,
        case=change.case,
        sealed=sealed,
    )
    answer = rules.answer(
        referral.id,
        state=referral.state,
        revision=fact.revision,
        express=fact.express,
        region=fact.region,
        verdict=change.verdict,
    )
    return replace(
        follow(
            fact,
            result.in_triage,
            json.loads(answer),
            known=result.known,
            escalating=result.escalating,
            triage=triage,
            now=now,
        ),
        referral=referral,
    )


def acknowledge(result: Result) -> Result:
    """Everybody who was called has answered."""
    return replace(result, notices=(), known=replace(result.known, open=frozenset()))


def confirm(
    result: Result,
    *,
    urgency: Urgency | None = None,
    triage: Policy = TRIAGE,
    now: datetime = NOW,
) -> Result:
    """A clinician confirms what the rules decided, or lowers it to `urgency`."""
    assert result.in_triage and result.in_triage.case
    state, case = result.in_triage.state, result.in_triage.case
    action: Literal["lower", "confirm"] = "lower" if urgency else "confirm"
    reason = next(iter(triage.reasons[action]))
    command = Command(action=action, seen=state.decision, reason=reason, urgency=urgency)
    outcome = clinician_decision.decide(command, state, charts_of(case), triage, by="dr-grey", now=now)
    return _told(result, decision_of(outcome, case, triage, now=now), now=now)


def follow(
    fact: IntakeFact,
    in_triage: Triaged,
    answer: dict[str, Any],
    *,
    known: Known | None = None,
    escalating: tuple[EscalatingAlert, ...] = (),
    triage: Policy = TRIAGE,
    directory: Directory = EVERYONE,
    now: datetime = NOW,
) -> Result:
    """The fact as triage and notify act on it; `known` is what notify heard before."""
    decision = decide(fact, in_triage, triage, now=now)
    result = Result(status=202, answer=answer, fact=fact, known=known or Known(), escalating=escalating)
    return _told(result, decision, directory=directory, now=now)


def _told(result: Result, decision: Decision, *, directory: Directory = EVERYONE, now: datetime) -> Result:
    """What triage decided, as notify acts on it."""
    id_ = decision.referral.state.referral_id
    open_before = {one.notice.id: one for one in result.escalating}
    verdict = triage_events.decide(
        event_mapping.triage_events(decision.events, NOTHING_CHECKED),
        Situation(known={id_: result.known}, directory=directory, escalating=open_before),
        NotifySettings().clocks,
        now=now,
        new_id=new_id,
    )
    return replace(
        result,
        in_triage=decision.referral,
        decisions=decision.events,
        notices=verdict.notices,
        deliveries=verdict.deliveries,
        escalating=tuple((open_before | {one.notice.id: one for one in verdict.alerts}).values()),
        known=verdict.known[id_],
    )


def patched(patch: Mapping[str, Any], base: Mapping[str, Any] = BASE) -> dict[str, Any]:
    """The base with a JSON merge patch."""
    merged = dict(base)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            merged[name] = patched(value, merged.get(name) or {})
        else:
            merged[name] = value
    return merged
