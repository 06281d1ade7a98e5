"""The simulation behind docs/scale.md, where its answer can be known by arithmetic."""

import random

import pytest

from benchmarks.pipeline import TOLD_FIRST, TOLD_LATER, Costs, Plan, Simulation

COSTS = Costs(own={"intake": 4.0, "triage": 10.0, "matching": 20.0, "notify": 6.0}, postgres=0.0)


def simulated(arrivals: list[float], **plan: float | int) -> Simulation:
    given = {"batch": 1, "batch_ms": 0.0, "endpoint_ms": 1e-6, "places": 10_000, "per_host": 10_000} | plan
    found = Simulation(COSTS, Plan(**given), random.Random(1))  # type: ignore[arg-type]  # fields of two types
    found.run(arrivals)
    return found


def test_one_alone_waits_for_nothing_but_its_own_work() -> None:
    found = simulated([5.0])
    (referral,) = found.told
    # accept 4/4, triage 10, matching 20, notify: half of a sixth of 6 for the offer, then five sixths of 6
    # for the webhooks, of which the first two were noted meanwhile.
    assert referral.told_at - 5.0 == pytest.approx((1 + 10 + 20 + 0.5 + 3) / 1000, abs=1e-6)


def test_the_slowest_service_sets_the_pace() -> None:
    found = simulated([0.0] * 1000)
    assert len(found.told) == 1000
    assert found.now == pytest.approx(1000 * 20 / 1000, rel=0.05)
    assert found.fullest(found.now)[0] == "matching"


def test_regions_are_shared_by_replicas() -> None:
    """All of one region are on one replica; of many regions each replica has its part."""
    one = simulated([0.0] * 1200, replicas=3)
    many = simulated([0.0] * 1200, replicas=3, shares=(1.0,) * 42)  # type: ignore[arg-type]  # fields of two types
    assert one.now == pytest.approx(24.0, rel=0.05)
    assert many.now < one.now / 2


def test_one_host_takes_no_more_at_once_than_it_is_given() -> None:
    each, per_host, n = 0.5, 4, 400
    found = simulated([0.0] * n, hosts=1, per_host=per_host, endpoint_ms=1000 * each)
    webhooks = n * (TOLD_FIRST + TOLD_LATER)
    assert found.now == pytest.approx(webhooks * each / per_host, rel=0.1)


def test_postgres_sets_the_pace_when_it_has_most_to_do() -> None:
    costs = Costs(own=dict.fromkeys(COSTS.own, 0.001), postgres=80.0)
    found = Simulation(costs, Plan(batch=1, batch_ms=0.0, endpoint_ms=1e-6, postgres=2), random.Random(1))
    found.run([0.0] * 500)
    assert found.fullest(found.now)[0] == "postgres"
    assert found.now == pytest.approx(500 * 80 / 2 / 1000, rel=0.1)


def test_a_batch_costs_once() -> None:
    singly, together = (simulated([0.0] * 400, batch=batch, batch_ms=20.0).now for batch in (1, 100))
    assert singly - together > 400 * 20 / 1000 * 0.9
