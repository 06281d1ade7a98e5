"""What in a case is about substance use, and so is shared only with the consent for it (42 CFR Part 2)."""

import re
from typing import Final

PROBLEMS: Final = frozenset({"alcohol", "drugs"})
DIAGNOSES: Final = "F1"
"""ICD-10-CM F10 to F19, disorders due to psychoactive substance use."""
INSTRUMENTS: Final = frozenset({"auditc", "dast10"})
MODALITIES: Final = frozenset({"contingency_management", "motivational_interviewing"})
GOALS: Final = frozenset({"reduce_substance_use"})
RED_FLAGS: Final = frozenset({"withdrawal_danger"})

REVEALING: Final = re.compile(
    r"\b(?:alcohol\w*|drinking|drug\w*|substance\w*|addict\w*|opioid\w*|withdrawal|detox\w*|part 2)\b",
    re.IGNORECASE,
)
"""Words by which a published sentence would reveal what it withholds."""
