"""`careroute roster import`: what it sends, and that every bad line is named."""

import json
from pathlib import Path

import pytest

from careroute import roster
from careroute.local.errors import StackError
from tests.unit.careroute.http_stand_in import Answer, Asked, answering, console, network

COUNTS = {"created": 2, "updated": 0, "unchanged": 1}


def files(folder: Path) -> tuple[Path, Path]:
    therapists, areas = folder / "therapists.csv", folder / "areas.csv"
    therapists.write_text("id,name\n1,A\n")
    areas.write_text("area,latitude,longitude\n")
    return therapists, areas


def test_areas_go_first_and_all_taken_is_exit_code_0(tmp_path: Path) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 200, json.dumps(
            ({"changed": 1, "unchanged": 0} if "areas" in request.path else COUNTS) | {"rejected": []}
        )

    therapists, areas = files(tmp_path)
    out, text = console()
    with answering(answer) as url:
        code = roster.run(network(tmp_path, matching=url), therapists, areas, out)
    assert code == 0
    assert [request.path for request in asked] == ["/v1/areas/import", "/v1/therapists/import"]
    assert asked[1].body == therapists.read_bytes()
    assert asked[1].headers["content-type"].startswith("text/csv")
    assert "therapists.csv: 2 created, 0 updated, 1 unchanged" in text.getvalue()


def test_every_line_that_was_not_taken_is_named_with_all_its_problems(tmp_path: Path) -> None:
    errors = [
        {"column": "settings", "what": "Unknown code [x].", "code": "unknown_code"},
        {"column": "places_total", "what": "Takes a number.", "code": "int_parsing"},
    ]
    rejected = [{"line": 3, "errors": errors}, {"line": 17, "errors": errors[:1]}]
    out, text = console()
    with answering(lambda _: (200, json.dumps(COUNTS | {"rejected": rejected}))) as url:
        code = roster.run(network(tmp_path, matching=url), files(tmp_path)[0], None, out)
    assert code == 1
    lines = [line for line in text.getvalue().splitlines() if "Unknown code [x]." in line]
    assert [("3" in line, "17" in line) for line in lines] == [(True, False), (False, True)]
    assert "Takes a number." in text.getvalue()
    assert "2 lines were not taken" in text.getvalue()


def test_what_should_be_made_clearer_is_shown_and_is_no_failure(tmp_path: Path) -> None:
    warned = [
        {"line": 4, "warnings": [{"column": "languages.0", "what": "Which one?", "code": "spoken_language"}]},
        {"line": 9, "warnings": [{"column": "languages.2", "what": "Which one?", "code": "spoken_language"}]},
    ]
    out, text = console()
    with answering(lambda _: (200, json.dumps(COUNTS | {"rejected": [], "warnings": warned}))) as url:
        assert roster.run(network(tmp_path, matching=url), files(tmp_path)[0], None, out) == 0
    said = [line for line in text.getvalue().splitlines() if "Which one?" in line]
    assert len(said) == 1 and "4, 9" in said[0] and "languages" in said[0], "a sentence once, with its lines"


REFUSALS = [
    (
        422,
        {"detail": "Nothing was taken.", "errors": [{"where": "name", "what": "Missing."}]},
        "name: Missing.",
    ),
    (401, {"detail": "The token has expired."}, "The token has expired."),
    (404, None, "Is this the right address?"),
    (502, None, "It answered 502."),
]


@pytest.mark.parametrize(("status", "problem", "said"), REFUSALS)
def test_a_refusal_is_told_in_the_words_of_the_service(
    tmp_path: Path, status: int, problem: object, said: str
) -> None:
    out, _ = console()
    body = json.dumps(problem) if problem else "<html>"
    with answering(lambda _: (status, body)) as url, pytest.raises(StackError) as error:
        roster.run(network(tmp_path, matching=url), files(tmp_path)[0], None, out)
    assert said in str(error.value)


def test_nobody_there_is_a_sentence(tmp_path: Path) -> None:
    out, _ = console()
    with answering(lambda _: (200, "")) as url:
        pass
    with pytest.raises(StackError, match="Nothing answers at"):
        roster.run(network(tmp_path, matching=url), files(tmp_path)[0], None, out)


def test_an_address_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    out, _ = console()
    for url in ("matching", "http://host:port", "ftp://x"):
        with pytest.raises(StackError, match="is not an address"):
            roster.run(network(tmp_path, matching=url), files(tmp_path)[0], None, out)
