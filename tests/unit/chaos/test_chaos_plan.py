"""The plan of a chaos run: every fault is in it, whatever the seed, and the same seed gives the same plan."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from careroute.local import SERVICES
from tests.chaos.clients import bodies
from tests.chaos.plan import Fault, Kind, clocks, plan

SEEDS = st.integers(min_value=0, max_value=2**31)
SECONDS = st.floats(min_value=50, max_value=400)


def of(faults: list[Fault], kind: Kind) -> list[Fault]:
    return [fault for fault in faults if fault.kind is kind]


@given(SEEDS, SECONDS)
def test_nothing_is_left_out(seed: int, seconds: float) -> None:
    faults = plan(seed, seconds=seconds, nodes=3)
    assert {fault.kind for fault in faults} == set(Kind)
    assert {fault.whom for fault in of(faults, Kind.SERVICE_KILLED)} == set(SERVICES)
    assert all(fault.at >= 0 and fault.at + fault.seconds <= seconds for fault in faults)


@given(SEEDS, SECONDS)
def test_two_nodes_are_never_away_at_once(seed: int, seconds: float) -> None:
    killed = of(plan(seed, seconds=seconds, nodes=3), Kind.NODE_KILLED)
    assert all(a.at + a.seconds < b.at for a, b in pairwise(killed))


@given(SEEDS)
def test_two_services_have_wrong_clocks_and_webhooks_stay_genuine(seed: int) -> None:
    """An endpoint takes a timestamp that is less than five minutes off."""
    wrong = clocks(seed)
    assert len(wrong) == 2
    assert all(60 < abs(seconds) < 300 for hosts in wrong.values() for seconds in hosts)


@given(SEEDS)
def test_a_seed_is_a_run(seed: int) -> None:
    assert plan(seed, seconds=170, nodes=3) == plan(seed, seconds=170, nodes=3)
    assert (clocks(seed), bodies(seed, 50)) == (clocks(seed), bodies(seed, 50))
