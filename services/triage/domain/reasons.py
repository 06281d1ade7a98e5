"""Why a decision was made, as people read it: a rule, what it fired on, and its sentence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.triage.domain.policy import Finding

Mark = tuple[str, str, date | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """`on` is the day of the answer sheet that the datum comes from."""

    rule: str
    datum: str
    text: str
    on: date | None = None

    @property
    def mark(self) -> Mark:
        """Two reasons with the same mark are the same reason, whatever their wording."""
        return self.rule, self.datum, self.on


def reasons_of(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    return tuple(Reason(rule=f.rule, datum=f.datum, text=f.text, on=f.on) for f in findings)


def reasons_with_calls(findings: Sequence[Finding]) -> tuple[Reason, ...]:
    """With the sentence that is true of this decision alone: that somebody is called."""
    return tuple(
        replace(reason, text=f"{reason.text} {finding.being_told}") if finding.being_told else reason
        for reason, finding in zip(reasons_of(findings), findings, strict=True)
    )
