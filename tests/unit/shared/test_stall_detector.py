"""When a consumer is said to stand still, and for good."""

from shared.kafka.stall_detector import NEVER_MOVED, StallDetector


def test_one_that_moved_and_then_stands_is_standing_for_good_after_its_limit() -> None:
    still = StallDetector(limit_seconds=0)
    still.note_move()
    assert not still.is_stalled
    still.note_stall()
    assert still.is_stalled
    still.note_move()
    assert still.seconds == 0
    assert not still.is_stalled


def test_it_has_stood_since_it_was_first_seen_to() -> None:
    still = StallDetector(limit_seconds=60)
    still.note_stall()
    first = still.since
    still.note_stall()
    assert still.since == first


def test_nothing_is_said_of_it_while_kafka_does_not_answer() -> None:
    still = StallDetector(limit_seconds=0)
    still.note_move()
    still.note_stall()
    still.note_unknown()
    assert still.seconds == 0
    assert not still.is_stalled


def test_one_that_never_moved_has_longer() -> None:
    still = StallDetector(limit_seconds=1)
    still.note_stall()
    assert still.since is not None
    still.since -= NEVER_MOVED - 1
    assert not still.is_stalled
    still.since -= 2
    assert still.is_stalled
