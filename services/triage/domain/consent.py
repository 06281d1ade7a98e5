"""What is not published to the network without consent: the part of a case about substance use (42 CFR Part
2). It counts for the urgency, and stays in triage; everything else is published.

In an emergency a named clinician may disclose it, and the decision then names who, when and why.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from services.triage.domain.chart import Charts
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.reasons import Reason
from services.triage.domain.urgency import Evaluation, evaluate, findings_alone
from shared.vocabulary import Urgency

OWN: Final = frozenset(
    {
        "kept",
        "routine",
        "asked-the-referrer",
        "referrer-answered",
        "referrer-cannot-wait",
        "better-answers",
        "decided-again",
    }
)
"""Reasons that say nothing about the case itself."""
NEUTRAL: Final = frozenset({"problems_withheld"})
"""Conditions that hold because something is withheld, and do not say what."""

NOT_SHARED: Final = Reason(
    rule="part-not-shared",
    datum="consent covers a part of this referral",
    text="Part of the reason is not shared: the person has not agreed to it. It counted all the same.",
)

Why = Literal["medical_emergency", "serious_threat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The emergency in which a clinician shares without consent."""

    by: str
    at: datetime
    why: Why

    def reason(self) -> Reason:
        at = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Reason(
            rule="emergency-disclosure",
            datum=f"by={self.by}, at={at}, why={self.why}",
            text="Shared without consent, in an emergency, on the word of the clinician named here.",
        )


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What the network may know. `shared` is the shareable chart as the rules evaluate it, None where nothing
    is withheld."""

    charts: Charts
    policy: Policy
    shared: Evaluation | None

    def reasons(self, reasons: tuple[Reason, ...], urgency: Urgency) -> tuple[Reason, ...]:
        """Those that would have fired on the shareable part too; one sentence replaces all the others."""
        if self.shared is None:
            return reasons
        pathway = what_care(self.shared.chart, self.policy, urgency)
        findings = (*findings_alone(self.shared, self.policy), *pathway.findings)
        known = {(finding.rule, finding.datum, finding.on) for finding in findings}
        own = OWN.union(rule.id for rule in self.policy.rules if all(c.kind in NEUTRAL for c in rule.when))
        kept = tuple(reason for reason in reasons if reason.rule in own or reason.mark in known)
        return kept if len(kept) == len(reasons) else (*kept, NOT_SHARED)


def network_view(charts: Charts, policy: Policy) -> NetworkView:
    shared = evaluate(charts.shareable, policy.rules) if charts.shareable else None
    return NetworkView(charts, policy, shared)
