"""POST /v1/referrals/batch: referrals line by line, answered line by line in the same order.

Three work at once, with bounded queues between them: one reads lines, one takes them in, some at a time in
one transaction, one sends the answers. Answers are held back up to a bound for a caller who sends everything
before reading anything.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from services.intake.api import openapi, refusals, request_examples, response_examples
from services.intake.api.context import ApiContext
from services.intake.api.dependencies import Submitter, check_type
from services.intake.api.ndjson import TOO_LONG, Line, lines
from services.intake.api.preparation import prepare
from services.intake.api.receiving import receive
from services.intake.api.requests import BatchLine
from services.intake.api.responses import BatchAnswer
from services.intake.db.records import NewReferral
from services.intake.domain.refusal import KeyUsed
from services.intake.handlers.submissions import StoredResponse
from shared.errors import Transient
from shared.ids import now
from shared.runtime.service import BODY_LIMIT
from shared.telemetry import logs, trace
from shared.web.problems import Problem, unavailable

log = logs.get(__name__)

PATH: Final = "/v1/referrals/batch"
LINES_TO_BREATHE: Final = 10
READ_AHEAD: Final = 4
HELD_BACK: Final = 100
"""Answered transactions that may wait for the caller to read: at 200 lines each about 5 MB."""
PAUSES: Final = (0.2, 1.0, 3.0)


def routes(context: ApiContext) -> APIRouter:
    router = APIRouter(tags=["referrals"])

    async def a_slot(request: Request, caller: Submitter) -> AsyncIterator[None]:
        """Held until the last answer is sent."""
        with context.request_limit.slot(caller):
            yield

    @router.post(
        PATH,
        summary="Refer many clients",
        dependencies=[Depends(a_slot)],
        response_class=Response,
        responses={
            **openapi.answer(
                200,
                "One line for each line, in order, as they are taken in.",
                openapi.ref(BatchAnswer),
                "\n".join(map(json.dumps, (response_examples.BATCH_TAKEN, response_examples.BATCH_REFUSED))),
                media=openapi.NDJSON,
            ),
            **openapi.problems(415),
        },
        openapi_extra=openapi.body(
            openapi.ref(BatchLine), json.dumps(request_examples.BATCH_LINE) + "\n", openapi.NDJSON
        ),
    )
    async def batch(request: Request, caller: Submitter) -> Response:
        """One referral a line, with its own `idempotency_key` so that the whole can be sent again. A line
        that cannot be taken is answered with its problem, and the rest go on. Read the answers while you
        send."""
        check_type(request, openapi.NDJSON)
        return BatchResponse(Batch(context, caller.clinic or "", request.stream()))

    return router


class Batch:
    """One request under way."""

    def __init__(self, context: ApiContext, clinic: str, chunks: AsyncIterator[bytes]) -> None:
        self.patience = context.settings.batch_patience_seconds
        self.answers: asyncio.Queue[bytes | None] = asyncio.Queue(HELD_BACK)
        self._context = context
        self._clinic = clinic
        self._chunks = chunks
        self._unread: asyncio.Queue[list[Line] | None] = asyncio.Queue(READ_AHEAD)
        self._read_all = False
        self._number = 0
        self._ended_by: Problem | None = None

    async def read(self) -> None:
        """Until the caller has sent the last line, has gone, or sends nothing for too long."""
        cut = lines(self._chunks, most=BODY_LIMIT)
        try:
            while True:
                async with asyncio.timeout(self.patience):
                    found = await anext(cut)
                await self._unread.put(found)
        except (StopAsyncIteration, ClientDisconnect):
            pass
        except TimeoutError:
            detail = f"No line came for {self.patience:g} s. The lines answered above are done."
            self._ended_by = Problem(408, "too_slow", detail)
        await self._unread.put(None)

    async def work(self) -> None:
        """Whatever has been read by now, up to so many lines, goes into one transaction."""
        while found := await self._read_by_now():
            for start in range(0, len(found), self._context.settings.batch_lines):
                await self.answers.put(await self._take(found[start:][: self._context.settings.batch_lines]))
        if self._ended_by:
            await self.answers.put(_answer(self._number + 1, self._ended_by))
        await self.answers.put(None)

    async def _read_by_now(self) -> list[Line]:
        """At least what the next chunk held; nothing when there is no more."""
        found: list[Line] = []
        while not self._read_all and (not found or not self._unread.empty()):
            more = await self._unread.get()
            self._read_all = more is None
            found += more or []
            if len(found) >= self._context.settings.batch_lines:
                break
        return found

    async def _take(self, found: Sequence[Line]) -> bytes:
        ready: dict[int, NewReferral] = {}
        refused: dict[int, Problem] = {}
        sent: dict[int, Line] = {}
        for line in found:
            self._number += 1
            if self._number % LINES_TO_BREATHE == 0:
                await asyncio.sleep(0)
            try:
                if line is TOO_LONG or line.strip():
                    sent[self._number] = line
                    ready[self._number] = self._prepare(line)
            except Problem as problem:
                refused[self._number] = problem
        stored = await submit_with_retries(self._context, list(ready.values()))
        answers = {
            number: self._refused(answer, sent[number]) if isinstance(answer, Problem) else answer
            for number, answer in (refused | dict(zip(ready, stored, strict=True))).items()
        }
        return b"".join(_answer(number, answers[number]) for number in sorted(answers))

    def _prepare(self, line: Line) -> NewReferral:
        if line is TOO_LONG:
            raise Problem(413, "too_large", f"A line may have at most {BODY_LIMIT} bytes. It was not taken.")
        moment, rules = now(), self._context.rules
        received = receive(BatchLine, line, rules=rules, now=moment)
        return prepare(
            received.form,
            rules=rules,
            clinic=self._clinic,
            key=received.form.idempotency_key,
            traceparent=trace.cause_of(None),
            now=moment,
            verdict=received.verdict,
            unread=received.unread,
        )

    def _refused(self, problem: Problem, line: Line) -> Problem:
        return problem if line is TOO_LONG else refusals.count(problem, line, rules=self._context.rules)


async def submit_with_retries(
    context: ApiContext, referrals: Sequence[NewReferral]
) -> list[StoredResponse | Problem]:
    """Tries again while the database is away, and each alone when all together will not go."""
    if not referrals:
        return []
    tries = 0
    while True:
        try:
            stored = await context.submit_all(referrals, again=tries > 0)
            return [refusals.problem_of(one) if isinstance(one, KeyUsed) else one for one in stored]
        except Transient:
            if tries == len(PAUSES):
                return [unavailable() for _ in referrals]
        except Exception as error:  # one line must not take the rest of the batch down
            if len(referrals) > 1:
                return [answer for each in referrals for answer in await submit_with_retries(context, [each])]
            log.error("line failed", action="batch", exc_info=error)
            return [Problem(500, "our_fault", "This is a fault of ours, not of your line. It was logged.")]
        await asyncio.sleep(PAUSES[tries])
        tries += 1


def _answer(number: int, answer: StoredResponse | Problem) -> bytes:
    if isinstance(answer, StoredResponse):
        return b'{"line":%d,"status":%d,"referral":%b}\n' % (number, answer.status, answer.body)
    return json.dumps({"line": number, "status": answer.status, "problem": answer.body()}).encode() + b"\n"


class BatchResponse(Response):
    """Sends while it still receives; Starlette's own streaming answer would throw the unread lines away."""

    media_type = openapi.NDJSON

    def __init__(self, batch: Batch) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(None)
        self.batch = batch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with asyncio.TaskGroup() as working:
                working.create_task(self.batch.read())
                working.create_task(self.batch.work())
                while (answers := await self.batch.answers.get()) is not None:
                    async with asyncio.timeout(self.batch.patience):
                        await send({"type": "http.response.body", "body": answers, "more_body": True})
        except* TimeoutError:
            log.warning("caller reads no answers", action="batch", seconds=self.batch.patience)
            raise
        await send({"type": "http.response.body", "body": b"", "more_body": False})
