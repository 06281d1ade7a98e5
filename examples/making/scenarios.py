"""All 60 scenarios, the most urgent first, and two of them sent again."""

from typing import Final

from examples.making.crises import CRISES
from examples.making.preventive import PREVENTIVE
from examples.making.routine import ROUTINE
from examples.making.same_day import SAME_DAY
from examples.making.scenario import Json
from examples.making.soon import SOON

SCENARIOS: Final = (*CRISES, *SAME_DAY, *SOON, *ROUTINE, *PREVENTIVE)

SENT_AGAIN: Final = ("crisis-cssrs-plan-with-intent", "perinatal-anxiety-telehealth")
"""As when nobody saw the answer and the form is sent once more: the same key, the same referral. Both are of
the clinic in Meadow Lane."""


def batch() -> list[Json]:
    """The lines of `referrals.ndjson`."""
    return [scenario.written(number) for number, scenario in enumerate(SCENARIOS)]


def sent_again() -> list[Json]:
    """The lines of `referrals-again.ndjson`."""
    return [line for line in batch() if line["idempotency_key"] in SENT_AGAIN]


def catalogue() -> Json:
    """The content of `scenarios.json`, by idempotency key."""
    return {scenario.key: scenario.catalogued() for scenario in SCENARIOS}
