"""How many deliveries are under way to one host, and how a host that fails cools down."""

from datetime import UTC, datetime, timedelta

from services.notify.domain.host_limits import HostLimits

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def room(host_limits: HostLimits, host: str, now: datetime) -> int:
    return dict(host_limits.room(now)).get(host, host_limits.at_once)


def test_a_host_has_so_many_places_and_no_more() -> None:
    host_limits = HostLimits(at_once=2)
    host_limits.leased("a")
    assert (room(host_limits, "a", NOW), room(host_limits, "b", NOW)) == (1, 2)
    host_limits.leased("a")
    assert (room(host_limits, "a", NOW), room(host_limits, "b", NOW)) == (0, 2)
    host_limits.released("a")
    assert room(host_limits, "a", NOW) == 1


def test_a_host_that_fails_rests_and_is_then_asked_with_one() -> None:
    host_limits = HostLimits(at_once=8)
    host_limits.failed("a", NOW, None)
    assert room(host_limits, "a", NOW) == 0
    assert room(host_limits, "a", NOW + SECOND) == 1
    host_limits.failed("a", NOW + SECOND, None)
    assert room(host_limits, "a", NOW + 2 * SECOND) == 0, "longer the second time"
    assert room(host_limits, "a", NOW + 3 * SECOND) == 1
    host_limits.succeeded("a")
    assert room(host_limits, "a", NOW) == 8


def test_those_that_fail_side_by_side_count_once() -> None:
    host_limits = HostLimits(at_once=8)
    for _ in range(8):
        host_limits.failed("a", NOW, None)
    assert room(host_limits, "a", NOW + SECOND) == 1


def test_a_host_rests_as_long_as_it_asks() -> None:
    host_limits = HostLimits(at_once=8)
    host_limits.failed("a", NOW, timedelta(hours=1))
    assert room(host_limits, "a", NOW + timedelta(minutes=59)) == 0


def test_alerts_are_sent_whatever_became_of_others() -> None:
    host_limits = HostLimits(at_once=8, cooldown=False)
    host_limits.failed("a", NOW, timedelta(hours=1))
    assert room(host_limits, "a", NOW) == 8
