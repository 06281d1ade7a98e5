"""Structured logs: one JSON line an event, with `action` and ids.

An exception is logged by its type and the places it passed, never by its text: a database error or a
validation error may quote a person's words.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

SELDOM_SECONDS = 10
_NOISY = ("aiokafka", "faststream", "httpx", "httpcore", "asyncio")


def _without_error_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = places(error.__traceback__)
    return event


def places(trace: TracebackType | None) -> list[str]:
    """The frames of a traceback as `file:line function`, the last twelve."""
    return [f"{f.filename.rsplit('/', 2)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)][-12:]


def _third_party(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Other libraries' errors are kept by logger, level and place; their text may quote a record."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None and record.levelno >= logging.ERROR:
        event["event"] = f"{record.name} reported a problem"
        event["from"] = f"{record.module}:{record.lineno}"
    return event


class _Seldom(logging.Filter):
    """A library that says the same ten times a second says it once in ten seconds here."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_NOISY):
            return True
        place = (record.name, record.lineno)
        if record.created - self._said.get(place, 0.0) < SELDOM_SECONDS:
            return False
        self._said[place] = record.created
        return True


def configure(service: str, level: str) -> None:
    """Send this process's logs, and those of the libraries it uses, to standard error as JSON."""
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_error_text,
    ]
    structlog.configure(
        processors=[*chain, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.addFilter(_Seldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*chain, _third_party],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    structlog.contextvars.bind_contextvars(service=service)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; `action=` says what was being done."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
