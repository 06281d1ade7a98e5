"""Who is on call, and when too few are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notify.domain.directory import Directory, Duty, Recipient
from services.notify.domain.on_call_gaps import Gap, gaps, is_gap

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def psychiatrist(name: str, *regions: str) -> Recipient:
    return Recipient(id=name, audience="psychiatrist", hosts=("pager.example",), regions=frozenset(regions))


PEOPLE = [psychiatrist("ada", "north"), psychiatrist("ben"), psychiatrist("cleo", "south")]


def shift(name: str, begins: float, ends: float, place: int = 1) -> Duty:
    return Duty(region="north", recipient=name, place=place, starts_at=at(begins), ends_at=at(ends))


def fallback(name: str, place: int) -> Duty:
    return Duty(region="north", recipient=name, place=place)


@pytest.mark.parametrize(
    ("rota", "expected"),
    [
        ([], ["ada", "ben"]),  # no rota kept: everyone who covers the region
        ([shift("ben", -60, 60)], ["ben"]),
        ([shift("ben", -60, 60, 2), shift("ada", -60, 60, 1)], ["ada", "ben"]),  # by place
        ([shift("ben", -60, 0), shift("ada", 0, 60)], ["ada"]),  # `until` is not included, `from` is
        ([shift("ben", 1, 60)], []),  # a hole in the rota is nobody, which is an alarm
        ([shift("ben", 1, 60), fallback("ada", 0)], ["ada"]),
        ([fallback("ada", 1), fallback("ben", 0), shift("ada", -1, 1)], ["ada", "ben"]),  # each once
        ([shift("gone", -60, 60), fallback("ben", 0)], ["ben"]),  # no longer active
    ],
)
def test_on_call_is_who_has_the_shift_then_the_fallback(rota: list[Duty], expected: list[str]) -> None:
    found = Directory(PEOPLE, rota).on_call("psychiatrist", "north", START)
    assert [recipient.id for recipient in found] == expected


def test_a_therapist_without_an_endpoint_is_reached_by_the_desk_of_the_region() -> None:
    mine = Recipient(id="own", audience="therapist", hosts=("a",), therapist=UUID(int=1))
    desk = Recipient(id="desk", audience="therapist", hosts=("a",), regions=frozenset({"north"}))
    directory = Directory([mine, desk])
    assert [r.id for r in directory.of_therapist(UUID(int=1), "north")] == ["own"]
    assert [r.id for r in directory.of_therapist(UUID(int=2), "north")] == ["desk"]
    assert directory.of_therapist(UUID(int=2), "south") == []


def test_a_rota_shows_when_fewer_than_two_are_on_call() -> None:
    rota = [shift("ada", -60, 60), shift("ben", 0, 30), shift("ben", 90, 120)]
    found = gaps(Directory(PEOPLE, rota), "psychiatrist", "north", START)
    assert found == [Gap(at(30), 1), Gap(at(60), 0), Gap(at(90), 1)]
    assert is_gap(Directory(PEOPLE[:1]), "psychiatrist", "north", START)
    assert gaps(Directory(PEOPLE), "psychiatrist", "north", START) == []
