"""Everything goes wrong that can, and at the end nothing is lost, doubled, booked twice or unanswered."""

import pytest

from tests.chaos.background import Background
from tests.chaos.plan import Kind, clocks
from tests.chaos.run import run
from tests.chaos.town import Roads

# What was cut on purpose leaves connections that only the garbage collector closes.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.timeout(1_500)
def test_chaos(kafka: Roads, background: Background, seed: int, referrals: int) -> None:
    named = f"CHAOS_SEED={seed} CHAOS_REFERRALS={referrals}"
    print(f"\n{named}: clocks wrong by seconds {clocks(seed)}")
    ran = run(kafka, background, seed=seed, referrals=referrals, patience=420)
    print(ran.printed)
    assert ran.wrong == [], named
    assert ran.met >= set(Kind) - {Kind.DISK_FULL}
