"""Referrals on their way to intake: what has no answer yet is sent again, under the same key."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from careroute.calling import refusal, unreachable
from careroute.local.errors import StackError
from careroute.referral_files.files import Line
from careroute.referral_files.rows import Fault

PATH: Final = "/v1/referrals/batch"
AT_ONCE: Final = 200
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try, as long as none gets further than the one before."""
NOT_THERE: Final = (httpx.ConnectError, httpx.UnsupportedProtocol)
"""At the first try this is an address that is wrong or a service that is not up; later, a restart."""
LONGEST_WISH: Final = 60.0
"""A service may ask for a longer pause, up to this."""

BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The request as a whole may well be taken later."""
LATER: Final = frozenset({408, 429, 503})
"""So may this line."""


@dataclass
class Outcome:
    """`taken` has the referral's id by position in what was sent; a stop says why the rest has no answer."""

    total: int = 0
    taken: dict[int, str] = field(default_factory=dict)
    refused: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    cannot_wait: set[int] = field(default_factory=set)
    advice: list[str] = field(default_factory=list)
    cannot_wait_and_refused: set[int] = field(default_factory=set)
    advice_of_refused: list[str] = field(default_factory=list)
    answered: int = 0
    stopped: str | None = None

    @property
    def complete(self) -> bool:
        return self.answered == self.total


class _Again(Exception):
    """The service asks for a pause of so many seconds."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


def send(
    client: httpx.Client,
    lines: Sequence[Line],
    outcome: Outcome,
    *,
    on_answer: Callable[[], None] = lambda: None,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Fills in `outcome`, and stops where nothing more can be done from here."""
    outcome.total = len(lines)
    for start in range(0, len(lines), AT_ONCE):
        waiting = dict(enumerate(lines[start : start + AT_ONCE], start))
        _send_all(client, waiting, outcome, on_answer, pauses)
        if outcome.stopped:
            return


def _send_all(
    client: httpx.Client,
    waiting: dict[int, Line],
    outcome: Outcome,
    on_answer: Callable[[], None],
    pauses: Sequence[float],
) -> None:
    tries = 0
    while waiting:
        before = len(waiting)
        try:
            _send_once(client, waiting, outcome, on_answer)
            why, seconds = "The service left them unanswered.", 0.0
        except _Again as again:
            why, seconds = str(again), again.seconds
        except httpx.TransportError as error:
            why, seconds = unreachable(client.base_url, error), 0.0
            if isinstance(error, NOT_THERE) and not outcome.answered:
                outcome.stopped = why
                return
        except StackError as error:
            outcome.stopped = str(error)
            return
        tries = 0 if len(waiting) < before else tries + 1
        if waiting and tries > len(pauses):
            outcome.stopped = why
            return
        if waiting:
            time.sleep(max(seconds, pauses[tries - 1] if tries else 0.0))


def _send_once(
    client: httpx.Client, waiting: dict[int, Line], outcome: Outcome, on_answer: Callable[[], None]
) -> None:
    """Takes out of `waiting` whatever is answered."""
    sent = list(waiting)
    body = b"".join(line.body + b"\n" for line in waiting.values())
    headers = {"Content-Type": "application/x-ndjson"}
    with client.stream("POST", PATH, content=body, headers=headers) as response:
        _check(response)
        for text in response.iter_lines():
            answer = _answer(text)
            place = answer.get("line", 0) - 1
            if not 0 <= place < len(sent) or answer.get("status") in LATER:
                continue
            if (line := waiting.pop(sent[place], None)) is not None:
                _note(sent[place], line, answer, outcome)
                on_answer()


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    if response.status_code in BUSY:
        raise _Again(refusal(response), _wish(response))
    raise StackError(refusal(response))


def _wish(response: httpx.Response) -> float:
    wished = response.headers.get("retry-after", "")
    return min(float(wished), LONGEST_WISH) if wished.isdecimal() else 0.0


def _answer(text: str) -> dict[str, Any]:
    """An answer cut off by a broken connection answers nothing."""
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _note(place: int, line: Line, answer: dict[str, Any], outcome: Outcome) -> None:
    outcome.answered += 1
    referral = answer.get("referral")
    if referral is None:
        problem = answer.get("problem") or {}
        outcome.refused += _faults(line.number, problem)
        if advice := problem.get("safety_advice"):
            outcome.cannot_wait_and_refused.add(line.number)
            _advise(outcome.advice_of_refused, advice)
        return
    outcome.taken[place] = referral["id"]
    outcome.warnings += [_fault(line.number, warning) for warning in referral.get("warnings", ())]
    if advice := referral.get("safety_advice"):
        outcome.cannot_wait.add(line.number)
        _advise(outcome.advice, advice)


def _advise(known: list[str], advice: dict[str, Any]) -> None:
    lines = [f"  {each['name']}: {each['contact']} ({each['how']})" for each in advice["lines"]]
    text = "\n".join([advice["text"], *lines])
    if text not in known:
        known.append(text)


def _faults(number: int, problem: dict[str, Any]) -> list[Fault]:
    faults = [_fault(number, fault) for fault in problem.get("errors", ())]
    return faults or [Fault(number, "", problem.get("detail") or "The service did not take it.")]


def _fault(number: int, fault: dict[str, Any]) -> Fault:
    return Fault(number, fault["where"], fault["what"])
