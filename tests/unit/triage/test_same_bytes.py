"""Asked twice with the same facts, triage gives the same answer to the byte."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.triage.deciding_bytes import POLICY_NAMES, cases, said

ROOT = Path(__file__).parents[3]


def printed(seed: str) -> bytes:
    """By a process of its own: sets are ordered differently in each."""
    return subprocess.run(
        [sys.executable, "-m", "tests.unit.triage.deciding_bytes"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout


def test_in_another_process_and_another_order_of_hashing() -> None:
    first, *others = (printed(seed) for seed in ("0", "1", "2026"))
    assert first.count(b"ReferralTriaged") >= 3 * len(POLICY_NAMES)
    assert others == [first, first]


@pytest.mark.parametrize("policy_name", POLICY_NAMES)
def test_whatever_the_order_of_sheets_and_codes(policy_name: str) -> None:
    """Decision, reasons and their order; the case itself goes on as it was sent."""
    chance = random.Random(7)
    for case in cases():
        expected = said(case, policy_name)
        for _ in range(5):
            lists = {
                name: tuple(chance.sample(getattr(case, name), len(getattr(case, name))))
                for name in ("screenings", "red_flags", "diagnoses", "past_treatments")
            }
            assert said(case.model_copy(update=lists), policy_name) == expected
