"""Notices as people see them, and the answer that stops an alert's ladder."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.notify.api import responses
from services.notify.api.requests import AcknowledgementForm, OutcomeForm, Result
from services.notify.db import alerts, notices, recipients, save_batch
from services.notify.db import deliveries as delivery_store
from services.notify.domain import call_state, crisis_outcomes
from services.notify.domain.call_state import PSYCHIATRIST
from services.notify.domain.ladder import Clocks
from services.notify.domain.wording import CLINIC, PRIMARY_CARE
from services.notify.jobs import missed_outcomes
from shared.db import outbox
from shared.db.postgres import Connection, Pool, Record, transaction
from shared.events import CrisisOutcomeRecorded, NotifyFact
from shared.ids import new_id
from shared.ids import now as present
from shared.vocabulary import Urgency
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.problems import Problem, not_found

State = Literal["open", "acknowledged", "awaiting_outcome", "no_recipient", "undeliverable"]

_STAFF: Final = (Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR, Role.OPS)
Reader = Annotated[Caller, Depends(allow(*_STAFF))]
ReaderOrClinic = Annotated[Caller, Depends(allow(*_STAFF, Role.CLINIC))]
Answerer = Annotated[Caller, Depends(allow(Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR))]

ACKNOWLEDGING: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    409: "This notice needs no acknowledgement, or answering it is a takeover.",
}
RECORDING: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    409: "Nobody has acknowledged it, it asks for no outcome, or another outcome is recorded.",
}

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


def routes(pool: Callable[[], Pool], wake: Callable[[], None], clocks: Clocks) -> APIRouter:
    router = APIRouter(prefix="/v1/notices", tags=["notices"])

    @router.get("", summary="Notices, newest first", responses=problems())
    async def page(
        caller: Reader,
        state: State | None = None,
        referral_id: UUID | None = None,
        after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> responses.Notices:
        """`state=open`: alerts that nobody has acknowledged yet; `awaiting_outcome`: acknowledged crises
        whose outcome nobody has recorded."""
        async with transaction(pool()) as connection:
            rows = await notices.page(
                connection, state=state, referral_id=referral_id, after=after, limit=limit
            )
        items = [responses.Seen(**responses.seen(row)) for row in rows]
        return responses.Notices(items=items, next=items[-1].id if len(items) == limit else None)

    @router.get(
        "/{notice_id}", summary="One notice, and every attempt to deliver it", responses=problems(404)
    )
    async def get(notice_id: UUID, caller: ReaderOrClinic) -> responses.Notice:
        """A clinic sees what was told to itself."""
        async with transaction(pool()) as connection:
            row = await _one(connection, notice_id, caller)
            deliveries = await delivery_store.of_notice(connection, notice_id)
        return responses.Notice(
            **responses.seen(row),
            deliveries=[responses.Attempts(**dict(delivery)) for delivery in deliveries],
        )

    @router.post(
        "/{notice_id}/acknowledgement",
        summary="I have this: stop calling others",
        responses=problems(404, 409, when=ACKNOWLEDGING),
    )
    async def acknowledge(
        notice_id: UUID, caller: Answerer, form: AcknowledgementForm | None = None
    ) -> responses.Acknowledgement:
        """The first to acknowledge counts; later ones are told who that was. An alarm passes it on. A
        psychiatrist's part ends by a psychiatrist, or by a clinician or coordinator who takes it over."""
        by, now, form = _code(caller), present(), form or AcknowledgementForm()
        async with transaction(pool()) as connection:
            row = await _one(connection, notice_id, caller)
            alert = row["answers"] or (row["id"] if row["is_alert"] else None)
            if alert is None:
                raise Problem(409, "nothing_to_acknowledge", "This notice needs no acknowledgement.")
            row = await _one(connection, alert, caller)
            taken_over = await _taken_over(connection, row, caller, form)
            answered = await alerts.acknowledge(
                connection,
                alert,
                by=by,
                urgencies=list(Urgency),
                now=now,
                taken_over=taken_over,
                outcome_due_at=crisis_outcomes.outcome_due_at(
                    row["audience"], _urgency(row), row["respond_by"], clocks, acknowledged_at=now
                ),
            )
            facts = save_batch.acknowledged(answered, now=now)
            await save_batch.show_others(connection, facts, now=now)
            await outbox.publish(connection, facts)
            row = await _one(connection, alert, caller)
        wake()
        return responses.Acknowledgement(
            notice_id=alert,
            referral_id=row["referral_id"],
            state=row["state"],
            acknowledged_by=row["acknowledged_by"],
            acknowledged_at=row["acknowledged_at"],
            taken_over=row["taken_over"],
            outcome_due_at=row["outcome_due_at"],
        )

    @router.post(
        "/{notice_id}/outcome",
        summary="What came of a crisis that was acknowledged",
        responses=problems(404, 409, when=RECORDING),
    )
    async def record(notice_id: UUID, form: OutcomeForm, caller: Answerer) -> responses.Outcome:
        """Once. `not_reached` starts the ladder again, as does an outcome that nobody records in time."""
        by, now = _code(caller), present()
        async with transaction(pool()) as connection:
            row = await _one(connection, notice_id, caller)
            alert = row["answers"] or row["id"]
            row = await _one(connection, alert, caller)
            if not crisis_outcomes.asks_for_outcome(row["audience"], _urgency(row)) or not row["is_alert"]:
                raise Problem(409, "no_outcome_asked", "No outcome is recorded of this notice.")
            if row["acknowledged_at"] is None:
                raise Problem(409, "not_acknowledged", "Acknowledge it first: whoever responds says so.")
            if await alerts.record_outcome(connection, alert, outcome=form.outcome, by=by, now=now):
                await outbox.publish(connection, await _recorded(connection, row, form.outcome, by, now))
            row = await _one(connection, alert, caller)
            if row["outcome"] != form.outcome:
                raise Problem(409, "another_outcome", _ANOTHER_OUTCOME)
        wake()
        return responses.Outcome(
            notice_id=alert,
            referral_id=row["referral_id"],
            outcome=row["outcome"],
            outcome_by=row["outcome_by"],
            outcome_at=row["outcome_at"],
            called_again=row["outcome"] in crisis_outcomes.CALLS_AGAIN,
        )

    async def _recorded(
        connection: Connection, row: Record, outcome: Result, by: str, now: datetime
    ) -> list[NotifyFact]:
        fact = _outcome_fact(row, outcome, by, now)
        if outcome not in crisis_outcomes.CALLS_AGAIN:
            return [fact]
        crisis = notices.from_row(row), fact.event_id
        again = await missed_outcomes.call_again(connection, [crisis], outcome, clocks, now=now)
        return [fact, *again]

    return router


_ANOTHER_OUTCOME: Final = (
    "Another outcome is recorded, or its time was over. Where the crisis was called again, acknowledge the "
    "newest alert of this referral and record the outcome there."
)


def _outcome_fact(row: Record, outcome: Result, by: str, now: datetime) -> CrisisOutcomeRecorded:
    same = ("region", "referral_id", "revision", "clinic", "about", "audience")
    values: dict[str, Any] = {name: row[name] for name in same}
    return CrisisOutcomeRecorded(
        event_id=new_id(),
        occurred_at=now,
        notice_id=row["id"],
        recipient=row["acknowledged_by"],
        outcome=outcome,
        by=by,
        **values,
    )


def _urgency(row: Record) -> Urgency | None:
    return Urgency(row["urgency"]) if row["urgency"] else None


async def _taken_over(
    connection: Connection, row: Record, caller: Caller, form: AcknowledgementForm
) -> str | None:
    """The reason, where the caller answers for a psychiatrist. Raises a problem without one."""
    if row["audience"] != PSYCHIATRIST or row["acknowledged_at"] is not None:
        return None
    known = await recipients.existing(connection, [caller.subject])
    if call_state.is_psychiatrist(on_call=caller.role is Role.ONCALL, recipient_of=known.get(caller.subject)):
        return None
    if not form.takeover:
        raise Problem(409, "takeover_needed", _TAKEOVER_NEEDED)
    return form.reason


_TAKEOVER_NEEDED: Final = (
    "This is the part of a psychiatrist on call. To answer it in their place, send `takeover` with a "
    "`reason`; it is recorded with your token's subject."
)


async def _one(connection: Connection, notice_id: UUID, caller: Caller) -> Record:
    row = await notices.one(connection, notice_id)
    if row is None:
        raise not_found("notice")
    told_to = row["clinic"] if row["audience"] in (CLINIC, PRIMARY_CARE) else None
    if caller.role is Role.CLINIC and told_to != caller.clinic:
        raise not_found("notice")
    return row


def _code(caller: Caller) -> str:
    """Who acknowledged is announced, so it has to be a code."""
    if not _CODE.fullmatch(caller.subject):
        detail = "Who acknowledges is announced: your token's subject must be letters, digits, _ . or -."
        raise Problem(403, "subject_is_not_a_code", detail)
    return caller.subject
