"""`careroute watch`: what it shows, and how it reads a stream of events."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType

from careroute.local.errors import StackError
from careroute.watch import follow
from careroute.watch.follow import events
from careroute.watch.tables import standings, story
from tests.unit.careroute.http_stand_in import Answer, Asked, answering, console, network

ID = "01958c4e-7a00-7c3e-9d4f-2b6a1c0e5f11"
OTHER = "01958c4e-7a00-7c3e-9d4f-2b6a1c0e5f12"


def standing(id_: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "clinic": "clinic-a",
        "region": "otter",
        "state": "offered",
        "urgency": "urgent",
        "due_by": "2026-03-03T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
    } | changes


TRIAGED = {
    "event_id": "1",
    "type": "ReferralTriaged",
    "at": "2026-03-02T09:00:01Z",
    "what": "Triage decided.",
    "reasons": [{"rule": f"rule-{n}", "datum": f"phq9.item9={n}"} for n in range(5)],
    "details": {"urgency": "urgent", "respond_by": "2026-03-03T09:00:00Z", "policy": "x"},
}
SUBMITTED = {"event_id": "0", "type": "ReferralSubmitted", "at": "2026-03-02T09:00:00Z", "what": "Received."}


def shown(what: RenderableType) -> str:
    out, text = console()
    out.print(what)
    return text.getvalue()


def test_the_last_changed_come_first_and_all_are_counted() -> None:
    later = standing(OTHER, state="waitlisted", urgency=None, updated_at="2026-03-02T10:00:00+00:00")
    text = shown(standings([standing(ID), later], most=5))
    assert text.index(OTHER) < text.index(ID)
    assert "not triaged yet" in text
    assert "1 offered" in text and "1 waitlisted" in text


def test_no_more_rows_than_fit_but_the_count_is_of_all() -> None:
    text = shown(standings([standing(ID), standing(OTHER)], most=1))
    assert (ID in text) != (OTHER in text)
    assert "2 of the last day: 2 offered" in text


def test_codes_with_brackets_are_shown_as_they_are() -> None:
    assert "[red]x" in shown(standings([standing(ID, clinic="[red]x")], most=1))


def test_a_story_is_told_in_the_order_of_time_with_its_reasons() -> None:
    text = shown(story(ID, standing(ID), [TRIAGED, SUBMITTED]))
    assert text.index("Received.") < text.index("Triage decided.")
    assert "rule-0 (phq9.item9=0)" in text and "and 2 more" in text
    assert "urgency urgent" in text


STREAMS: list[tuple[Iterable[str], list[tuple[str, str, Any]]]] = [
    # lines, events
    (["retry: 2000", ""], []),
    ([": still here", ""], []),
    (["id: 7", "event: A", 'data: {"x": 1}', ""], [("7", "A", {"x": 1})]),
    (['data:{"x":1}', ""], [("", "message", {"x": 1})]),
    (["event: A", "data: {}"], []),  # cut off before its end
    (["id: 7", "event: A", "data: {}", "", "event: end", "data: {}", ""], [("7", "A", {}), ("", "end", {})]),
]


@pytest.mark.parametrize(("lines", "expected"), STREAMS)
def test_a_stream_is_cut_into_events(lines: Iterable[str], expected: list[tuple[str, str, Any]]) -> None:
    assert list(events(iter(lines))) == expected


def test_once_shows_every_page_and_leaves(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Answer:
        asked.append(request.path)
        first = "cursor=" not in request.path
        page = {"referrals": [standing(ID if first else OTHER)], "next_cursor": "next" if first else None}
        return 200, json.dumps(page)

    out, text = console()
    with answering(answer) as url:
        follow.run(network(tmp_path, intake=url), None, out, once=True)
    assert len(asked) == 2
    assert ID in text.getvalue() and OTHER in text.getvalue()


def test_once_shows_one_referral_and_leaves(tmp_path: Path) -> None:
    out, text = console()
    answer = 200, json.dumps(standing(ID, timeline=[SUBMITTED, TRIAGED]))
    with answering(lambda _: answer) as url:
        follow.run(network(tmp_path, intake=url), ID, out, once=True)
    assert "Triage decided." in text.getvalue()


def test_one_referral_is_followed_to_its_end_across_a_broken_stream(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(request: Asked) -> Answer:
        seen.append(request.headers["last-event-id"])
        if len(seen) == 1:
            return 200, f"id: 3\nevent: ReferralSubmitted\ndata: {json.dumps(SUBMITTED)}\n\n"
        state = json.dumps({"state": "withdrawn"})
        tail = f"event: state\ndata: {state}\n\nevent: end\ndata: {{}}\n\n"
        return 200, f"id: 4\nevent: ReferralTriaged\ndata: {json.dumps(TRIAGED)}\n\n{tail}"

    out, text = console()
    with answering(answer) as url:
        follow.run(network(tmp_path, intake=url), ID, out, once=False)
    assert seen == ["0", "3"]
    assert "Received." in text.getvalue() and "Triage decided." in text.getvalue()
    assert "withdrawn" in text.getvalue()


@pytest.mark.parametrize(
    ("referral", "status", "said"),
    [("nonsense", 200, "is not the id of a referral"), (ID, 404, "no such referral"), (ID, 503, "Later.")],
)
def test_what_cannot_be_shown_is_a_sentence(tmp_path: Path, referral: str, status: int, said: str) -> None:
    detail = "There is no such referral." if status == 404 else "Later."
    out, _ = console()
    answer = status, json.dumps({"detail": detail})
    with answering(lambda _: answer) as url, pytest.raises(StackError, match=said):
        follow.run(network(tmp_path, intake=url), referral, out, once=True)
