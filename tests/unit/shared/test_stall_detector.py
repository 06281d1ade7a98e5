"""When a consumer is said to stand still, and for good."""

from shared.kafka.stall_detector import NEVER_MOVED, Standstill


def test_one_that_moved_and_then_stands_is_standing_for_good_after_its_limit() -> None:
    still = Standstill(limit_seconds=0)
    still.moves()
    assert not still.is_for_good
    still.stands()
    assert still.is_for_good
    still.moves()
    assert still.seconds == 0
    assert not still.is_for_good


def test_it_has_stood_since_it_was_first_seen_to() -> None:
    still = Standstill(limit_seconds=60)
    still.stands()
    first = still.since
    still.stands()
    assert still.since == first


def test_nothing_is_said_of_it_while_kafka_does_not_answer() -> None:
    still = Standstill(limit_seconds=0)
    still.moves()
    still.stands()
    still.unknown()
    assert still.seconds == 0
    assert not still.is_for_good


def test_one_that_never_moved_has_longer() -> None:
    still = Standstill(limit_seconds=1)
    still.stands()
    assert still.since is not None
    still.since -= NEVER_MOVED - 1
    assert not still.is_for_good
    still.since -= 2
    assert still.is_for_good
