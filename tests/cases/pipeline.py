"""One referral through the decisions of intake, triage and notify, without databases or Kafka: what its
sender is answered, what triage decides, who is called."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.intake import policy as intake_policy
from services.intake.accepting import Rules, make_ready
from services.intake.cipher import Keyring
from services.intake.forms import ReferralForm
from services.intake.receiving import receive
from services.notify.addressing import Directory, Recipient
from services.notify.on_triage import tell
from services.notify.paging import Known
from services.notify.plan import Notice, Plan
from services.notify.settings import NotifySettings
from services.notify.telling import Teller
from services.triage.deciding import decide
from services.triage.policy import POLICIES, load
from services.triage.rules import Policy
from services.triage.standing import Standing
from shared.events import IntakeFact, ReferralTriaged, ReviewRequested, TriageFact
from shared.problems import Problem

NOW: Final = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TODAY: Final = NOW.date().isoformat()
RULES: Final = Rules(
    policy=intake_policy.load(intake_policy.DEFAULT),
    keyring=Keyring.parse(f"k1:{b64encode(bytes(32)).decode()}"),
)
TRIAGE: Final = load(POLICIES / "network-default.toml")
EVERYONE: Final = Directory(
    recipients=[
        Recipient(id=f"{audience}-{number}", audience=audience, lines=("host",))
        for audience in ("psychiatrist", "clinician", "coordinator", "ops")
        for number in (1, 2)
    ]
    + [
        Recipient(id=f"clinic-1-{audience}", audience=audience, lines=("host",), clinic="clinic-1")
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
    standing: Standing | None = None
    decisions: tuple[TriageFact, ...] = ()
    notices: tuple[Notice, ...] = ()
    known: Known = HEARD_OF_NOTHING

    @property
    def triaged(self) -> ReferralTriaged | None:
        return next((d for d in reversed(self.decisions) if isinstance(d, ReferralTriaged)), None)

    @property
    def review(self) -> ReviewRequested | None:
        return next((d for d in reversed(self.decisions) if isinstance(d, ReviewRequested)), None)

    @property
    def urgency(self) -> str | None:
        return self.standing.urgency if self.standing else None

    @property
    def warnings(self) -> set[str]:
        return {each["code"] for each in self.answer.get("warnings", ())}

    def calls(self, audience: str) -> bool:
        """An alert to this audience, which needs an acknowledgement."""
        return any(notice.is_alert and notice.audience == audience for notice in self.notices)


def submit(
    body: Mapping[str, Any], *, rules: Rules = RULES, triage: Policy = TRIAGE, now: datetime = NOW
) -> Result:
    try:
        received = receive(ReferralForm, json.dumps(body).encode(), rules=rules, now=now)
        ready = make_ready(
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
    new = Standing(referral_id=fact.referral_id, region=fact.region, clinic=fact.clinic)
    return follow(fact, new, json.loads(ready.answer), triage=triage, now=now)


def follow(
    fact: IntakeFact,
    standing: Standing,
    answer: dict[str, Any],
    *,
    known: Known | None = None,
    triage: Policy = TRIAGE,
    now: datetime = NOW,
) -> Result:
    """The fact as triage and notify act on it; `known` is what notify heard before."""
    outcome = decide(fact, standing, triage, now=now)
    teller = Teller(directory=EVERYONE, clocks=NotifySettings().clocks, plan=Plan(), now=now)
    heard: dict[UUID, Known] = tell(outcome.said, {fact.referral_id: known or Known()}, teller)
    return Result(
        status=202,
        answer=answer,
        fact=fact,
        standing=replace(outcome.standing, case=getattr(fact, "case", standing.case)),
        decisions=outcome.said,
        notices=tuple(teller.plan.notices),
        known=heard[fact.referral_id],
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
