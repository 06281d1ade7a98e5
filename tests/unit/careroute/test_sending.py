"""Sending referrals until each line has its answer, and what `careroute submit` says of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from careroute.referral_files import submit
from careroute.referral_files.files import Line, as_line
from careroute.referral_files.rows import Fault
from careroute.referral_files.sending import AT_ONCE, Outcome, send
from tests.unit.careroute.http_stand_in import Answer, Asked, answering, console, network

Json = dict[str, Any]

MARKER = "Zyxwvut Qrstuv"
"""A name that must never be printed."""

FORM: Json = {"client": {"name": MARKER, "region": "otter"}, "consent": {"share_with_network": True}}
ONE = json.dumps(FORM)

LINES = [Line(n, as_line({"n": n}, clinic="clinic-a")) for n in range(1, 6)]
Answering = Callable[[httpx.Request], httpx.Response]


def taken(line: int, id_: str, **more: Any) -> Json:
    return {
        "line": line,
        "status": 202,
        "referral": {"id": id_, "warnings": [], "safety_advice": None, **more},
    }


def ndjson(*answers: Json, tail: str = "") -> httpx.Response:
    return httpx.Response(200, text="".join(json.dumps(answer) + "\n" for answer in answers) + tail)


def keys_of(request: httpx.Request) -> list[str]:
    return [json.loads(line)["idempotency_key"] for line in request.content.splitlines()]


def all_taken(request: httpx.Request) -> httpx.Response:
    return ndjson(*(taken(n, f"id-{k}") for n, k in enumerate(keys_of(request), 1)))


def sent(*answers: Answering, lines: list[Line] = LINES) -> tuple[Outcome, list[httpx.Request]]:
    """The last one answers every further request."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answers[min(len(requests), len(answers)) - 1](request)

    outcome = Outcome()
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://intake") as client:
        send(client, lines, outcome, pauses=(0, 0))
    return outcome, requests


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone")


def refused_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def busy(request: httpx.Request) -> httpx.Response:
    return httpx.Response(503, headers={"Retry-After": "0"}, json={"detail": "Later."})


def test_all_lines_are_taken_in_one_request() -> None:
    outcome, requests = sent(all_taken)
    assert outcome.complete and not outcome.refused
    assert len(set(outcome.taken.values())) == len(LINES)
    assert len(requests) == 1


def test_many_lines_go_in_several_requests_each_line_once() -> None:
    many = [Line(n, as_line({"n": n}, clinic="c")) for n in range(2 * AT_ONCE + 1)]
    outcome, requests = sent(all_taken, lines=many)
    assert outcome.complete
    keys = [key for request in requests for key in keys_of(request)]
    assert len(requests) == 3
    assert len(keys) == len(set(keys)) == len(many)


CUT = '{"line": 3, "status": 202, "refer'


@pytest.mark.parametrize(
    "first",
    [
        lambda _: ndjson(taken(1, "a"), taken(2, "b"), tail=CUT),  # the connection ends within an answer
        lambda _: ndjson(taken(1, "a"), taken(2, "b")),  # or behind one
        lambda _: ndjson(
            taken(1, "a"), taken(2, "b"), *({"line": n, "status": 503, "problem": {}} for n in (3, 4, 5))
        ),  # or the database is away
    ],
    ids=["cut off", "ended", "answered with 503"],
)
def test_only_what_has_no_answer_is_sent_again_under_the_same_key(first: Answering) -> None:
    outcome, requests = sent(first, all_taken)
    assert outcome.complete
    assert outcome.answered == 5
    assert keys_of(requests[1]) == keys_of(requests[0])[2:]


@pytest.mark.parametrize("trouble", [broken, busy], ids=["broken connection", "busy"])
def test_trouble_that_passes_is_waited_out(trouble: Answering) -> None:
    outcome, requests = sent(trouble, trouble, all_taken)
    assert outcome.complete and outcome.stopped is None
    assert len(requests) == 3


@pytest.mark.parametrize("trouble", [broken, busy], ids=["broken connection", "busy"])
def test_trouble_that_stays_ends_with_a_sentence(trouble: Answering) -> None:
    outcome, requests = sent(trouble)
    assert outcome.stopped and "httpx" not in outcome.stopped
    assert not outcome.complete
    assert len(requests) == 3


def test_nobody_there_at_first_is_said_at_once_and_later_is_waited_out() -> None:
    outcome, requests = sent(refused_connection)
    assert outcome.stopped and "Nothing answers at http://intake" in outcome.stopped
    assert len(requests) == 1
    outcome, _ = sent(lambda _: ndjson(taken(1, "a")), refused_connection, all_taken)
    assert outcome.complete


def test_a_token_that_is_not_accepted_stops_with_what_the_service_says() -> None:
    def no(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "The token has expired. Ask for a new one."})

    outcome, requests = sent(no)
    assert outcome.stopped and "The token has expired" in outcome.stopped
    assert len(requests) == 1


def test_the_sender_of_a_refused_line_that_cannot_wait_is_told_what_to_do() -> None:
    advice = {
        "text": "Call emergency services.",
        "lines": [{"name": "Lifeline", "contact": "988", "how": "call"}],
        "because": ["flag.overdose"],
    }
    problem = {
        "errors": [{"where": "/client/name", "what": "Missing.", "code": "x"}],
        "safety_advice": advice,
    }
    answer = {"line": 1, "status": 422, "problem": problem}
    outcome, _ = sent(lambda _: ndjson(answer), lines=[Line(9, b"{}")])
    assert outcome.cannot_wait_and_refused == {9} and not outcome.cannot_wait
    assert outcome.advice_of_refused == ["Call emergency services.\n  Lifeline: 988 (call)"]


def test_a_refused_line_is_named_by_its_line_of_the_file_with_all_its_problems() -> None:
    errors = [
        {"where": "/client/phone", "what": "Not known.", "code": "unknown_field"},
        {"where": "/payer", "what": "Takes a code.", "code": "wrong_shape"},
    ]
    lines = [Line(7, b"{}"), Line(9, b"{}")]
    refusal = {"line": 2, "status": 422, "problem": {"detail": "Nothing was taken.", "errors": errors}}
    outcome, _ = sent(lambda _: ndjson(taken(1, "a"), refusal), lines=lines)
    assert outcome.complete
    assert outcome.refused == [Fault(9, "/client/phone", "Not known."), Fault(9, "/payer", "Takes a code.")]


def test_answers_that_make_no_sense_do_not_count() -> None:
    nonsense = ndjson({"line": 99, "status": 202}, {"status": 202}, taken(1, "a"), tail="7\n[]\n")
    outcome, _ = sent(lambda _: nonsense, all_taken)
    assert outcome.answered == 5


# ---- the command -------------------------------------------------------------------------------------------


def written(file: Path, content: str) -> Path:
    file.write_text(content)
    return file


class Intake:
    """Takes whatever has a name; keeps what it was sent."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.authorization = ""

    def answer(self, number: int, line: Json) -> Json:
        if "name" not in line.get("client", {}):
            errors = [{"where": "/client/name", "what": "Field required [type=missing]", "code": "missing"}]
            return {"line": number, "status": 422, "problem": {"detail": "No.", "errors": errors}}
        id_ = self.known.setdefault(line["idempotency_key"], f"id-{len(self.known)}")
        advice = {
            "text": "Do not wait.",
            "lines": [{"name": "Line", "contact": "988", "how": "call"}],
            "because": ["flag.weapon"],
        }
        warning = {"where": "/requested_priority", "what": "It stays unknown.", "code": "priority_unknown"}
        return taken(
            number,
            id_,
            safety_advice=advice if line.get("red_flags") else None,
            warnings=[] if line.get("requested_priority") else [warning],
        )


@contextmanager
def listening(intake: Intake) -> Iterator[str]:
    def answer(request: Asked) -> Answer:
        intake.authorization = request.headers["authorization"]
        lines = request.body.splitlines()
        answers = (intake.answer(n, json.loads(line)) for n, line in enumerate(lines, 1))
        return 200, "".join(json.dumps(each) + "\n" for each in answers)

    with answering(answer) as url:
        yield url


def run(url: str, file: Path, folder: Path) -> tuple[int, str]:
    out, text = console()
    code = submit.run(network(folder, intake=url), file, "clinic-a", out)
    return code, text.getvalue()


def test_running_twice_takes_nothing_twice(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.ndjson", "".join(json.dumps(FORM | {"notes": str(n)}) + "\n" for n in range(3))
    )
    intake = Intake()
    with listening(intake) as url:
        assert run(url, file, tmp_path)[0] == 0
        code, said = run(url, file, tmp_path)
    assert code == 0
    assert len(intake.known) == 3
    assert "3 of 3 referrals taken." in said
    assert intake.authorization.startswith("Bearer ")


def test_what_is_printed_names_lines_and_what_to_do_but_nobody(tmp_path: Path) -> None:
    weapon = FORM | {"red_flags": ["weapon"], "requested_priority": "stat"}
    file = written(
        tmp_path / "a.ndjson", "\n".join([ONE, json.dumps(weapon), f'{{"a": "{MARKER}"}}', MARKER])
    )
    with listening(Intake()) as url:
        code, said = run(url, file, tmp_path)
    assert code == 1
    assert "2 of 4 referrals taken." in said
    assert "Lines 2:" in said and "Do not wait." in said and "988" in said
    assert "Field required [type=missing]" in said  # brackets are not taken for markup
    assert "This line is not JSON" in said
    assert "It stays unknown." in said
    assert MARKER not in said


def test_a_repeated_line_is_one_referral(tmp_path: Path) -> None:
    file = written(tmp_path / "a.json", json.dumps([FORM, FORM]))
    with listening(Intake()) as url:
        code, said = run(url, file, tmp_path)
    assert code == 0
    assert "2 of 2 lines taken; some repeat others, and they are 1 in all." in said


def test_nobody_there_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    with listening(Intake()) as url:
        pass
    code, said = run(url, written(tmp_path / "a.json", ONE), tmp_path)
    assert code == 1
    assert "Nothing answers at" in said
    assert "what was taken is not taken twice" in said
