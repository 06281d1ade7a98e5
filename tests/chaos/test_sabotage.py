"""The same run with a promise's machinery taken out must be caught, or a clean account proves nothing."""

import pytest

from tests.chaos.background import Background
from tests.chaos.doors import Broken
from tests.chaos.run import Ran, run
from tests.chaos.town import Roads

REFERRALS = 1_000
PATIENCE = 240

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(900),
]


def sabotaged(kafka: Roads, background: Background, seed: int, broken: Broken) -> Ran:
    print(f"\nCHAOS_SEED={seed}, {REFERRALS} referrals, {broken}")
    ran = run(kafka, background, seed=seed, referrals=REFERRALS, patience=PATIENCE, broken=broken)
    print(ran.printed)
    return ran


def test_without_the_inbox_something_is_done_twice(kafka: Roads, background: Background, seed: int) -> None:
    ran = sabotaged(kafka, background, seed, Broken.NO_INBOX)
    assert any("decided twice" in case for case in ran.account.doubled), ran.wrong
    assert not ran.account.clean


def test_with_offsets_committed_first_something_is_lost(
    kafka: Roads, background: Background, seed: int
) -> None:
    ran = sabotaged(kafka, background, seed, Broken.COMMITS_FIRST)
    assert any("has not acted on it" in case for case in ran.account.lost), ran.wrong
    assert not ran.account.clean
