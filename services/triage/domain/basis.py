"""By which rules something was decided, so that clinicians' later decisions can be counted for each rule. A
rule that is always lowered asks too much; one that is raised, too little.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.triage.domain.policy import Finding, Policy

NOT_A_RULE: Final = frozenset({"kept"})
"""States that an earlier decision is kept; whatever made that one is counted there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """By which rules of which policy something was decided; `digest` is the policy's."""

    policy: str
    version: str
    rules: tuple[str, ...]
    digest: str | None = None


def basis(policy: Policy, findings: Iterable[Finding]) -> Basis:
    """Each rule once. `routine` and `preventive` stand for: no rule raised it."""
    ids = dict.fromkeys(finding.rule for finding in findings)
    return Basis(
        policy=policy.name,
        version=policy.version,
        rules=tuple(id_ for id_ in ids if id_ not in NOT_A_RULE),
        digest=policy.digest,
    )
