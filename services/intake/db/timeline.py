"""What is kept of each fact."""

from typing import Final

from services.intake.domain.timeline import Kept
from shared.events import ReferralFact

NOT_KEPT: Final = {"case", "needs", "stated"}
"""These are kept elsewhere, or by others."""


def kept_json(fact: ReferralFact) -> str:
    return fact.model_dump_json(exclude=NOT_KEPT, exclude_none=True)


def kept(fact: ReferralFact) -> Kept:
    return fact.model_dump(mode="json", exclude=NOT_KEPT, exclude_none=True)
