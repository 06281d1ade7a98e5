"""Words that no text of triage may use: it names a response time and predicts nothing about a person."""

import re
from typing import Final

FORBIDDEN: Final = re.compile(
    r"\b(?:low|lower|no|minimal|medium|moderate|high|higher)[ -]risk\b"
    r"|\brisk[ -](?:score|level|label|category|free|stratification)\b"
    r"|\bat risk\b|\brisk of (?:suicide|harm|self-harm)\b|\bsuicide risk\b|\bsuicidal risk\b"
    r"|\b(?:safe|unsafe)\b(?!ty|guard)"
    r"|\bpredict\w*|\bprobabilit\w+|\blikelihood\b"
    r"|\bnot suicidal\b|\ball clear\b|\bnothing to worry\b|\bharmless\b",
    re.IGNORECASE,
)

BEING_TOLD: Final = re.compile(
    r"\b(?:is|are) (?:now )?being (?:told|called|paged|phoned|alerted|notified|informed|contacted)\b",
    re.IGNORECASE,
)
"""That somebody is called now. True of the moment in which they are, and not of every later decision."""


def forbidden_in(text: str) -> list[str]:
    return [match.group(0) for match in FORBIDDEN.finditer(text)]
