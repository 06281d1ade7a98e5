"""How the services are started here: as they are, with a wrong clock, or broken on purpose.

`uvicorn --factory tests.chaos.doors:triage`; what is wrong is in the environment of the process. All of it is
done to the modules of that process before the service is imported: the services know nothing of it.
"""

import importlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

CLOCKS: Final = "CHAOS_CLOCKS"
BROKEN: Final = "CHAOS_BROKEN"
STARTS: Final = "CHAOS_STARTS"


class Broken(StrEnum):
    """What a service may be made to do wrong, to see whether the account notices."""

    NO_INBOX = "no inbox"
    COMMITS_FIRST = "offsets committed first"


def environment(clocks: Mapping[str, list[int]], broken: Broken | None, starts: Path) -> dict[str, str]:
    """`clocks` are wrong by so many seconds, one start after the other, which are counted in `starts`."""
    return {CLOCKS: json.dumps(dict(clocks)), BROKEN: broken or "", STARTS: str(starts)}


def intake() -> FastAPI:
    return _open("intake")


def triage() -> FastAPI:
    return _open("triage")


def matching() -> FastAPI:
    return _open("matching")


def notify() -> FastAPI:
    return _open("notify")


def _open(service: str) -> FastAPI:
    if hosts := json.loads(os.environ[CLOCKS]).get(service):
        _shift_clock(hosts[_start_number(service) % len(hosts)])
    match os.environ[BROKEN]:
        case Broken.NO_INBOX:
            _without_inbox()
        case Broken.COMMITS_FIRST:
            _commit_first()
    app: FastAPI = importlib.import_module(f"services.{service}.app").create_app()
    return app


def _start_number(service: str) -> int:
    """How often it was started before."""
    with (Path(os.environ[STARTS]) / f"{service}.starts").open("ab") as file:
        file.write(b".")
        return file.tell() - 1


def _shift_clock(seconds: int) -> None:
    """What the service takes for the present; Postgres and the others keep theirs."""
    from shared import ids

    real_time, real_now = time.time, ids.now
    time.time = lambda: real_time() + seconds
    ids.now = lambda: real_now() + timedelta(seconds=seconds)


def _without_inbox() -> None:
    """Claims are written and what they say is not heeded; nor is triage's second guard, the revision."""
    from services.triage.domain import rules_decision
    from shared.db import inbox

    claim, decide = inbox.claim, rules_decision.decide

    async def heedless(connection: Any, consumer: str, facts: Any) -> Any:
        await claim(connection, consumer, facts)
        return list(facts)

    inbox.claim = heedless
    rules_decision.decide = lambda fact, standing, *rest, **more: decide(
        fact, replace(standing, revision=0), *rest, **more
    )


def _commit_first() -> None:
    """At most once: Kafka is told that a batch is done, and then it is done."""
    from shared.kafka.consumer import Consumer

    take = Consumer.take

    async def hasty(self: Consumer, batch: Any) -> None:
        if (reader := self.reader()) is not None:
            await reader.commit()
        await take(self, batch)

    Consumer.take = hasty  # type: ignore[method-assign]  # that is the sabotage
