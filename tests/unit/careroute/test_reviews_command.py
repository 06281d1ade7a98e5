"""`careroute reviews`: the queue as a coordinator reads it."""

import json
from pathlib import Path
from typing import Any

from careroute import reviews
from services.triage.api.responses import REVIEW
from tests.unit.careroute.http_stand_in import Answer, Asked, answering, console, network


def run(folder: Path, *pages: dict[str, Any]) -> tuple[int, str, list[Asked]]:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 200, json.dumps(pages[len(asked) - 1])

    out, text = console()
    with answering(answer) as url:
        code = reviews.run(network(folder, triage=url), out)
    return code, text.getvalue(), asked


def test_who_holds_what_and_until_when(tmp_path: Path) -> None:
    code, said, _ = run(tmp_path, {"reviews": [REVIEW], "next_cursor": None})
    assert code == 0
    (line,) = [line for line in said.splitlines() if str(REVIEW["referral_id"]) in line]
    assert "dr-grey" in line and "2026-03-02 15:10Z" in line and "asked-unknown" in line
    assert "1 wait, 0 of them past their time; 1 are held by somebody." in said


def test_what_is_overdue_is_exit_code_1_and_every_page_is_read(tmp_path: Path) -> None:
    late = REVIEW | {"overdue": True, "claimed_by": None, "claimed_until": None}
    first = {"reviews": [REVIEW], "next_cursor": "WyIyMDI2Il0"}
    code, said, asked = run(tmp_path, first, {"reviews": [late], "next_cursor": None})
    assert code == 1
    assert "overdue" in said and "2 wait, 1 of them past their time; 1 are held" in said
    assert "cursor=WyIyMDI2Il0" in asked[1].path


def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    code, said, _ = run(tmp_path, {"reviews": [], "next_cursor": None})
    assert (code, said.strip()) == (0, "Nothing waits for a clinician.")
