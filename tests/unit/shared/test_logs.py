"""A log line tells the type and the place of an error, and none of its words."""

import json
import logging

import pytest
import structlog

from shared.telemetry import logs


@pytest.fixture(autouse=True)
def restore() -> object:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def fail() -> None:
    raise ValueError("Maria Gonzalez, 555-0142")


@pytest.mark.parametrize("logger", ["ours", "uvicorn.error", "aiokafka.consumer"])
def test_no_words_of_an_error_reach_the_log(logger: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("intake", "INFO")
    try:
        fail()
    except ValueError as error:
        if logger == "ours":
            logs.get("x").error("went wrong", action="test", exc_info=error)
        else:
            logging.getLogger(logger).error("could not read %s", error, exc_info=error)
    text = capsys.readouterr().err
    assert "Maria" not in text and "555-0142" not in text
    line = json.loads(text)
    assert line["error"] == "ValueError"
    assert any(place.endswith("fail") for place in line["at"])


def test_a_library_that_repeats_itself_is_heard_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("intake", "INFO")
    for _ in range(50):
        logging.getLogger("aiokafka.cluster").error("Topic %s not found", "x")
        logs.get("x").warning("ours", action="test")
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "aiokafka" in line]) == 1
    assert len([line for line in lines if "ours" in line]) == 50
