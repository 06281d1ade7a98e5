"""Delivering notices to endpoints. Each lane has its own loop, places, limits and retry policy.

A turn records what became of earlier attempts, leases what is due and has room, and starts it; attempts run
beside the loop and wake it when they end. No transaction is open while a request is under way. More is leased
than may be under way, so that no place waits for the database; what cannot be sent soon is put back.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

import httpx
from opentelemetry.trace import SpanKind

from services.notify import outgoing_events
from services.notify.channels.webhook import request
from services.notify.channels.webhook.request import Links
from services.notify.db import alerts, deliveries
from services.notify.db.sealing import Sealer
from services.notify.domain.deliveries import Attempt, DueDelivery, judge
from services.notify.domain.host_limits import HostLimits
from services.notify.domain.retry import Kind, Outcome, RetryPolicy
from services.notify.metrics import DELIVERIES, TOLD_SECONDS
from shared.db import outbox
from shared.db.postgres import Connection, Pool, transaction
from shared.errors import Transient
from shared.ids import now as present
from shared.telemetry import logs, trace
from shared.telemetry.trace import Step
from shared.vocabulary import Lane

log = logs.get(__name__)

HELD_SECONDS: Final = 5
"""What was leased and has waited this long for its host is put back: by now something may go before it."""


def _nobody() -> None:
    """Until the loop says how it is woken."""


@dataclass(kw_only=True)
class Deliverer:
    """`wake` asks for another turn, `committed` is called after each commit that others should hear of.

    `places` deliveries are under way at once; `ahead` times as many are leased.
    """

    lane: Lane
    pool: Callable[[], Pool]
    client: httpx.AsyncClient
    sealer: Sealer
    links: Links
    retry_policy: RetryPolicy
    places: int
    ahead: int = 1
    host_limits: HostLimits
    timeout_seconds: float
    clock: Callable[[], datetime] = present
    wake: Callable[[], None] = _nobody
    committed: Callable[[], None] = _nobody
    _leased: dict[asyncio.Task[Outcome | None], tuple[DueDelivery, Step]] = field(default_factory=dict)
    _ended: list[Attempt] = field(default_factory=list)
    _unsent: list[DueDelivery] = field(default_factory=list)
    _closing: bool = False
    _turning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _room: asyncio.Semaphore = field(init=False)
    _room_of: WeakValueDictionary[str, asyncio.Semaphore] = field(default_factory=WeakValueDictionary)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.places)

    async def turn(self) -> bool:
        """True when there may be more to lease at once."""
        async with self._turning:
            free = 0 if self._closing else self.places * self.ahead - len(self._leased)
            ended, unsent = list(self._ended), list(self._unsent)
            if not (ended or unsent or free):
                return False
            leased = await self._commit(ended, unsent, free, self.clock())
            del self._ended[: len(ended)]
            del self._unsent[: len(unsent)]
            for due in leased:
                self._start(due)
        if ended:
            self.committed()
        return bool(leased) and len(leased) == free

    async def close(self) -> None:
        """Lease nothing more; finish what is under way and record it, put back the rest. What cannot be
        recorded is sent again."""
        self._closing = True
        if self._leased:
            await asyncio.wait(self._leased, timeout=self.timeout_seconds + 2)
        if self._ended or self._unsent:
            with suppress(Transient):
                await self.turn()

    async def _commit(
        self, ended: list[Attempt], unsent: list[DueDelivery], free: int, now: datetime
    ) -> list[DueDelivery]:
        async with transaction(self.pool()) as connection:
            if ended:
                await self._record(connection, ended, now)
            await deliveries.put_back(connection, unsent)
            return await self._lease(connection, free, now) if free else []

    async def _lease(self, connection: Connection, free: int, now: datetime) -> list[DueDelivery]:
        return await deliveries.lease(
            connection,
            self.lane,
            now=now,
            limit=free,
            room=dict(self.host_limits.room(now, ahead=self.ahead)),
            at_once=self.host_limits.at_once * self.ahead,
            duration=timedelta(seconds=3 * self.timeout_seconds + 30),
        )

    async def _record(self, connection: Connection, ended: list[Attempt], now: datetime) -> None:
        """Alerts are locked before deliveries, as acknowledging does."""
        results = judge(ended, self.retry_policy, now=now, luck=random.random)
        await alerts.look_again(connection, results.failing_notices, now=now)
        await deliveries.retry(connection, results.later)
        delivered = await deliveries.delivered(connection, results.sent, now=now)
        given_up = await deliveries.give_up(connection, results.given_up)
        for attempt in results.sent:
            TOLD_SECONDS.labels(self.lane).observe((now - attempt.delivery.first_at).total_seconds())
        with trace.causes({one.delivery.referral_id: one.traceparent for one in ended}):
            await outbox.publish(connection, outgoing_events.of_deliveries(delivered, given_up, now=now))

    def _start(self, due: DueDelivery) -> None:
        about: trace.About = {"careroute.delivery_id": str(due.id), "careroute.attempt": due.attempts}
        step = trace.begin(f"tell {due.audience}", due.traceparent, kind=SpanKind.CLIENT, about=about)
        task = asyncio.create_task(self._in_its_place(due, step), name=f"deliver:{due.id}")
        self._leased[task] = due, step
        self.host_limits.leased(due.host)
        task.add_done_callback(self._end)

    async def _in_its_place(self, due: DueDelivery, step: Step) -> Outcome | None:
        """None when its place came too late, or not any more."""
        leased_at, host = time.monotonic(), due.host
        room = self._room_of.setdefault(host, asyncio.Semaphore(self.host_limits.at_once))
        async with room, self._room:
            late = time.monotonic() - leased_at > HELD_SECONDS
            if self._closing or late or self.host_limits.is_cooling(host, self.clock()):
                return None
            outcome = await self._send(due, step)
            if outcome.kind is Kind.UNWELL:
                self.host_limits.failed(host, self.clock(), outcome.retry_after)
            elif outcome.code.startswith("http_"):
                self.host_limits.succeeded(host)
            return outcome

    async def _send(self, due: DueDelivery, step: Step) -> Outcome:
        if not due.active or due.url is None or due.secret is None:
            return Outcome(Kind.REFUSED, "inactive")
        now = self.clock()
        content = request.body(due, self.links, now)
        headers = request.headers(due, self.sealer.open(due.secret), content, now)
        headers["traceparent"] = step.traceparent
        return await request.post(self.client, due.url, content, headers, seconds=self.timeout_seconds)

    def _end(self, task: asyncio.Task[Outcome | None]) -> None:
        due, step = self._leased.pop(task)
        self.host_limits.released(due.host)
        if task.cancelled():
            return
        outcome = _outcome(task)
        if outcome is None:
            step.end("put_back")
            self._unsent.append(due)
            self.wake()
            return
        step.end(None if outcome.kind is Kind.DELIVERED else outcome.code)
        self._ended.append(Attempt(due, outcome, step.traceparent))
        DELIVERIES.labels(self.lane, outcome.kind).inc()
        self.wake()


def _outcome(task: asyncio.Task[Outcome | None]) -> Outcome | None:
    """A fault of ours in one delivery is logged and counts as refused; the others go on."""
    error = task.exception()
    if error is None:
        return task.result()
    log.error("could not attempt a delivery", action="deliver", exc_info=error)
    return Outcome(Kind.REFUSED, "our_fault")
