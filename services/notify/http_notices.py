"""Notices as people see them, and the answer that stops an alert's ladder."""

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.notify import alert_store, answers, delivery_store, notice_store, saving
from services.notify.wording import CLINIC, PRIMARY_CARE
from shared import outbox
from shared.auth import Caller, Role, allow
from shared.ids import now as present
from shared.openapi import problems
from shared.postgres import Connection, Pool, Record, transaction
from shared.problems import Problem, not_found
from shared.vocabulary import Urgency

State = Literal["open", "acknowledged", "no_recipient", "undeliverable"]

_STAFF: Final = (Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR, Role.OPS)
Reader = Annotated[Caller, Depends(allow(*_STAFF))]
ReaderOrClinic = Annotated[Caller, Depends(allow(*_STAFF, Role.CLINIC))]
Answerer = Annotated[Caller, Depends(allow(Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR))]

ACKNOWLEDGING: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    409: "This notice needs no acknowledgement.",
}

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


def routes(pool: Callable[[], Pool], wake: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix="/v1/notices", tags=["notices"])

    @router.get("", summary="Notices, newest first", responses=problems())
    async def page(
        caller: Reader,
        state: State | None = None,
        referral_id: UUID | None = None,
        after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> answers.Notices:
        """`state=open`: alerts that nobody has acknowledged yet."""
        async with transaction(pool()) as connection:
            rows = await notice_store.page(
                connection, state=state, referral_id=referral_id, after=after, limit=limit
            )
        items = [answers.Seen(**answers.seen(row)) for row in rows]
        return answers.Notices(items=items, next=items[-1].id if len(items) == limit else None)

    @router.get(
        "/{notice_id}", summary="One notice, and every attempt to deliver it", responses=problems(404)
    )
    async def get(notice_id: UUID, caller: ReaderOrClinic) -> answers.Notice:
        """A clinic sees what was told to itself."""
        async with transaction(pool()) as connection:
            row = await _one(connection, notice_id, caller)
            deliveries = await delivery_store.of_notice(connection, notice_id)
        return answers.Notice(
            **answers.seen(row), deliveries=[answers.Attempts(**dict(delivery)) for delivery in deliveries]
        )

    @router.post(
        "/{notice_id}/acknowledgement",
        summary="I have this: stop calling others",
        responses=problems(404, 409, when=ACKNOWLEDGING),
    )
    async def acknowledge(notice_id: UUID, caller: Answerer) -> answers.Acknowledgement:
        """The first to acknowledge counts; later ones are told who that was. An alarm passes it on."""
        by, now = _code(caller), present()
        async with transaction(pool()) as connection:
            row = await _one(connection, notice_id, caller)
            alert = row["answers"] or (row["id"] if row["is_alert"] else None)
            if alert is None:
                raise Problem(409, "nothing_to_acknowledge", "This notice needs no acknowledgement.")
            answered = await alert_store.acknowledge(
                connection, alert, by=by, urgencies=list(Urgency), now=now
            )
            await outbox.announce(connection, saving.acknowledged(answered, now=now))
            row = await _one(connection, alert, caller)
        wake()
        return answers.Acknowledgement(
            notice_id=alert,
            referral_id=row["referral_id"],
            state=row["state"],
            acknowledged_by=row["acknowledged_by"],
            acknowledged_at=row["acknowledged_at"],
        )

    return router


async def _one(connection: Connection, notice_id: UUID, caller: Caller) -> Record:
    row = await notice_store.one(connection, notice_id)
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
