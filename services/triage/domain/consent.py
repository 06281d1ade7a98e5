"""What is not said to the network without consent: the part of a case that is about substance use (42 CFR
Part 2). It counts for how soon somebody responds, and stays in triage; everything else goes on.

In an emergency a named clinician may let it through, and the decision then says who, when and why.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from services.triage.domain import substance_use
from services.triage.domain.case_mapping import chart_of
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.urgency import how_soon
from shared.events import Case, FiredRule, PastTreatment, Screening, Wish
from shared.vocabulary import Criterion, Urgency

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

NOT_SHARED: Final = FiredRule(
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

    def fired(self) -> FiredRule:
        at = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return FiredRule(
            rule="emergency-disclosure",
            datum=f"by={self.by}, at={at}, why={self.why}",
            text="Shared without consent, in an emergency, on the word of the clinician named here.",
        )


def shared_part(case: Case) -> Case:
    """The case as far as the network may know it; the same one where nothing has to be withheld."""
    if case.consent.share_substance_use:
        return case
    return case.model_copy(
        update={
            "problems": tuple(p for p in case.problems if p not in substance_use.PROBLEMS),
            "diagnoses": tuple(d for d in case.diagnoses if not d.startswith(substance_use.DIAGNOSES)),
            "red_flags": tuple(f for f in case.red_flags if f not in substance_use.RED_FLAGS),
            "goals": tuple(g for g in case.goals if g not in substance_use.GOALS),
            "screenings": tuple(filter(_sheet_is_shared, case.screenings)),
            "past_treatments": tuple(filter(_treatment_is_shared, case.past_treatments)),
            "wishes": tuple(wish for each in case.wishes for wish in _wish(each)),
        }
    )


def shared_rules(
    rules: tuple[FiredRule, ...], case: Case, policy: Policy, urgency: Urgency
) -> tuple[FiredRule, ...]:
    """Those that would have fired on the shared part too; one sentence stands for all the others."""
    part = shared_part(case)
    if part == case:
        return rules
    chart = chart_of(part)
    verdict, pathway = how_soon(chart, policy, asked_at=_ANY_TIME), what_care(chart, policy, urgency)
    known = {(f.rule, f.datum, f.on) for f in (*verdict.findings, *pathway.findings)}
    own = OWN.union(rule.id for rule in policy.rules if all(c.kind in NEUTRAL for c in rule.when))
    kept = tuple(rule for rule in rules if rule.rule in own or (rule.rule, rule.datum, rule.on) in known)
    return kept if len(kept) == len(rules) else (*kept, NOT_SHARED)


_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Which rules fire does not depend on when it is asked."""


def _sheet_is_shared(sheet: Screening) -> bool:
    return sheet.instrument not in substance_use.INSTRUMENTS


def _treatment_is_shared(treatment: PastTreatment) -> bool:
    return treatment.modality not in substance_use.MODALITIES


def _wish(wish: Wish) -> tuple[Wish, ...]:
    """Without the modalities that would tell; nothing is left of a wish for only these."""
    if wish.criterion != Criterion.MODALITY:
        return (wish,)
    values = tuple(value for value in wish.values if value not in substance_use.MODALITIES)
    return (wish.model_copy(update={"values": values}),) if values else ()
