"""Carrying what waits to endpoints. Each lane has its own loop, places and connections' worth of patience.

A turn notes what came of earlier attempts, takes what is due and has room, and starts it; attempts run on
beside the loop and wake it when they end. No transaction is open while a request is under way. More is taken
than may be under way, so that no place waits for the database; what cannot be sent soon is put back.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import httpx
from opentelemetry.trace import SpanKind

from services.notify.channels.webhook import request
from services.notify.channels.webhook.request import Links
from services.notify.db import alerts, deliveries
from services.notify.db.deliveries import Attempt, Later
from services.notify.db.sealing import Sealer
from services.notify.domain.host_limits import Lines
from services.notify.domain.retry import Again, GiveUp, Kind, Outcome, Patience, next_attempt
from services.notify.metrics import DELIVERIES, TOLD_SECONDS
from shared.db import outbox
from shared.db.postgres import Connection, Pool, Record, transaction
from shared.errors import Transient
from shared.events import NoticeFailed, NoticeSent, NotifyFact
from shared.ids import new_id
from shared.ids import now as present
from shared.telemetry import logs, trace
from shared.telemetry.trace import Step
from shared.vocabulary import Lane

log = logs.get(__name__)

HELD_SECONDS: Final = 5
"""What was taken and has waited so long for its host is put back: by now something may go before it."""


def _nobody() -> None:
    """Until the loop says how it is woken."""


@dataclass(kw_only=True)
class Deliverer:
    """`wake` asks for another turn, `committed` is called after each commit that others should hear of.

    `places` deliveries are under way at once; `ahead` times as many are taken.
    """

    lane: Lane
    pool: Callable[[], Pool]
    client: httpx.AsyncClient
    sealer: Sealer
    links: Links
    patience: Patience
    places: int
    ahead: int = 1
    lines: Lines
    timeout_seconds: float
    clock: Callable[[], datetime] = present
    wake: Callable[[], None] = _nobody
    committed: Callable[[], None] = _nobody
    _taken: dict[asyncio.Task[Outcome | None], tuple[Record, Step]] = field(default_factory=dict)
    _ended: list[Attempt] = field(default_factory=list)
    _unsent: list[Record] = field(default_factory=list)
    _closing: bool = False
    _turning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _room: asyncio.Semaphore = field(init=False)
    _room_of: WeakValueDictionary[str, asyncio.Semaphore] = field(default_factory=WeakValueDictionary)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.places)

    async def turn(self) -> bool:
        """True when there may be more to take at once."""
        async with self._turning:
            free = 0 if self._closing else self.places * self.ahead - len(self._taken)
            ended, unsent = list(self._ended), list(self._unsent)
            if not (ended or unsent or free):
                return False
            taken = await self._commit(ended, unsent, free, self.clock())
            del self._ended[: len(ended)]
            del self._unsent[: len(unsent)]
            for row in taken:
                self._start(row)
        if ended:
            self.committed()
        return bool(taken) and len(taken) == free

    async def close(self) -> None:
        """Take nothing more; finish what is under way and note it, put back the rest. What cannot be noted is
        sent again."""
        self._closing = True
        if self._taken:
            await asyncio.wait(self._taken, timeout=self.timeout_seconds + 2)
        if self._ended or self._unsent:
            with suppress(Transient):
                await self.turn()

    async def _commit(
        self, ended: list[Attempt], unsent: list[Record], free: int, now: datetime
    ) -> list[Record]:
        async with transaction(self.pool()) as connection:
            if ended:
                await self._note(connection, ended, now)
            await deliveries.put_back(connection, unsent)
            return await self._take(connection, free, now) if free else []

    async def _take(self, connection: Connection, free: int, now: datetime) -> list[Record]:
        return await deliveries.take(
            connection,
            self.lane,
            now=now,
            limit=free,
            room=dict(self.lines.room(now, ahead=self.ahead)),
            at_once=self.lines.at_once * self.ahead,
            lease=timedelta(seconds=3 * self.timeout_seconds + 30),
        )

    def _start(self, row: Record) -> None:
        about = {"careroute.delivery_id": str(row["id"]), "careroute.attempt": row["attempts"]}
        step = trace.begin(f"tell {row['audience']}", row["traceparent"], kind=SpanKind.CLIENT, about=about)
        task = asyncio.create_task(self._in_its_place(row, step), name=f"deliver:{row['id']}")
        self._taken[task] = row, step
        self.lines.took(row["line"])
        task.add_done_callback(self._end)

    async def _in_its_place(self, row: Record, step: Step) -> Outcome | None:
        """None when its place came too late, or not any more."""
        taken_at, line = time.monotonic(), row["line"]
        room = self._room_of.setdefault(line, asyncio.Semaphore(self.lines.at_once))
        async with room, self._room:
            late = time.monotonic() - taken_at > HELD_SECONDS
            if self._closing or late or self.lines.rests_now(line, self.clock()):
                return None
            outcome = await self._attempt(row, step)
            if outcome.kind is Kind.UNWELL:
                self.lines.went_wrong(line, self.clock(), outcome.rest)
            elif outcome.code.startswith("http_"):
                self.lines.went_well(line)
            return outcome

    async def _attempt(self, row: Record, step: Step) -> Outcome:
        if not row["active"] or row["url"] is None:
            return Outcome(Kind.REFUSED, "inactive")
        now = self.clock()
        content = request.body(row, self.links, now)
        headers = request.headers(row, self.sealer.open(row["secret"]), content, now)
        headers["traceparent"] = step.traceparent
        return await request.post(self.client, row["url"], content, headers, seconds=self.timeout_seconds)

    def _end(self, task: asyncio.Task[Outcome | None]) -> None:
        row, step = self._taken.pop(task)
        self.lines.freed(row["line"])
        if task.cancelled():
            return
        outcome = _outcome(task)
        if outcome is None:
            step.end("put_back")
            self._unsent.append(row)
            self.wake()
            return
        step.end(None if outcome.kind is Kind.DELIVERED else outcome.code)
        self._ended.append(Attempt(row, outcome, step.traceparent))
        DELIVERIES.labels(self.lane, outcome.kind).inc()
        self.wake()

    async def _note(self, connection: Connection, ended: list[Attempt], now: datetime) -> None:
        """Alerts are locked before deliveries, as acknowledging does."""
        sent = [attempt for attempt in ended if attempt.outcome.kind is Kind.DELIVERED]
        verdicts = [(a, self._verdict(a, now)) for a in ended if a.outcome.kind is not Kind.DELIVERED]
        later = [Later(attempt, verdict) for attempt, verdict in verdicts if isinstance(verdict, Again)]
        lost = [attempt for attempt, verdict in verdicts if isinstance(verdict, GiveUp)]
        failing = [one.attempt for one in later if one.again.failing] + lost
        await alerts.look_again(connection, {a.row["notice_id"] for a in failing}, now=now)
        await deliveries.again(connection, later)
        facts = await self._sent(connection, sent, now)
        facts += await self._lost(connection, lost, now)
        with trace.causes({attempt.row["referral_id"]: attempt.traceparent for attempt in ended}):
            await outbox.publish(connection, facts)

    def _verdict(self, attempt: Attempt, now: datetime) -> Again | GiveUp:
        return next_attempt(
            attempt.outcome,
            self.patience,
            attempts=attempt.row["attempts"],
            since=attempt.row["first_at"],
            now=now,
            luck=random.random(),  # noqa: S311  # spreads retries; nothing is secret about it
        )

    async def _sent(self, connection: Connection, sent: list[Attempt], now: datetime) -> list[NotifyFact]:
        fresh = await deliveries.delivered(connection, sent, now=now)
        for attempt in sent:
            TOLD_SECONDS.labels(self.lane).observe((now - attempt.row["first_at"]).total_seconds())
        return [
            NoticeSent(
                **_about(a.row, now), step=a.row["step"], channel=f"{a.row['kind']}-{a.row['channel'] + 1}"
            )
            for a in sent
            if a.id in fresh
        ]

    async def _lost(self, connection: Connection, lost: list[Attempt], now: datetime) -> list[NotifyFact]:
        fresh = await deliveries.given_up(connection, lost)
        return [NoticeFailed(**_about(a.row, now), reason="undeliverable") for a in lost if a.id in fresh]


def _about(row: Record, now: datetime) -> dict[str, Any]:
    same = ("region", "referral_id", "revision", "clinic", "notice_id", "about", "audience", "recipient")
    return {"event_id": new_id(), "occurred_at": now, **{name: row[name] for name in same}}


def _outcome(task: asyncio.Task[Outcome | None]) -> Outcome | None:
    """A fault of ours in one delivery is logged and counts as refused; the others go on."""
    error = task.exception()
    if error is None:
        return task.result()
    log.error("could not attempt a delivery", action="deliver", exc_info=error)
    return Outcome(Kind.REFUSED, "our_fault")
