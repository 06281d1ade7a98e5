"""Notices as people see them, and the commands that stop an alert's ladder."""

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import TypeAdapter

from services.notify.api import responses
from services.notify.api.refusals import mapped
from services.notify.api.requests import AcknowledgementForm, OutcomeForm
from services.notify.db import deliveries, notices
from services.notify.domain.ladder import Clocks
from services.notify.domain.stored_notices import StoredNotice
from services.notify.domain.words import CLINIC, PRIMARY_CARE
from services.notify.handlers import acknowledgement, outcome
from services.notify.handlers.acknowledgement import Acknowledge
from services.notify.handlers.outcome import RecordOutcome
from shared.db.postgres import Pool, transaction
from shared.web.auth import Caller, Role, allow
from shared.web.openapi import problems
from shared.web.paging import PageQuery
from shared.web.problems import Problem, not_found

State = Literal["open", "acknowledged", "awaiting_outcome", "no_recipient", "undeliverable"]

_STAFF: Final = (Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR, Role.OPS)
Reader = Annotated[Caller, Depends(allow(*_STAFF))]
ReaderOrClinic = Annotated[Caller, Depends(allow(*_STAFF, Role.CLINIC))]
Responder = Annotated[Caller, Depends(allow(Role.ONCALL, Role.CLINICIAN, Role.COORDINATOR))]

ACKNOWLEDGING: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    409: "This notice needs no acknowledgement, or answering it is a takeover.",
}
RECORDING: Final = {
    403: "The token's role may not do this, or its subject is not a code.",
    409: "Nobody has acknowledged it, it asks for no outcome, or another outcome is recorded.",
}

PLACE: Final = TypeAdapter(tuple[UUID])
"""Of a cursor: the id of the last notice shown."""

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


def routes(pool: Callable[[], Pool], wake: Callable[[], None], clocks: Clocks) -> APIRouter:
    router = APIRouter(prefix="/v1/notices", tags=["notices"])

    @router.get("", summary="Notices, newest first", responses=problems())
    async def page(
        caller: Reader,
        page: PageQuery,
        state: State | None = None,
        referral_id: UUID | None = None,
    ) -> responses.Notices:
        """`state=open`: alerts that nobody has acknowledged yet; `awaiting_outcome`: acknowledged crises
        whose outcome nobody has recorded."""
        place = page.place(PLACE)
        async with transaction(pool()) as connection:
            rows = await notices.page(
                connection,
                state=state,
                referral_id=referral_id,
                before=place[0] if place else None,
                limit=page.limit + 1,
            )
        shown, next_cursor = page.cut(rows, lambda row: (row.notice.id,))
        return responses.Notices(
            notices=[responses.Seen(**responses.seen(one)) for one in shown], next_cursor=next_cursor
        )

    @router.get(
        "/{notice_id}", summary="One notice, and every attempt to deliver it", responses=problems(404)
    )
    async def get(notice_id: UUID, caller: ReaderOrClinic) -> responses.Notice:
        """A clinic sees what it was notified of itself."""
        with mapped():
            async with transaction(pool()) as connection:
                stored = await notices.load(connection, notice_id)
                attempts = await deliveries.of_notice(connection, notice_id)
        if not _may_see(stored, caller):
            raise not_found("notice")
        return responses.Notice(
            **responses.seen(stored), deliveries=[responses.attempts(one) for one in attempts]
        )

    @router.post(
        "/{notice_id}/acknowledgement",
        summary="I have this: stop calling others",
        responses=problems(404, 409, when=ACKNOWLEDGING),
    )
    async def acknowledge(
        notice_id: UUID, caller: Responder, form: AcknowledgementForm | None = None
    ) -> responses.Acknowledgement:
        """The first to acknowledge counts; later ones read who that was. An alarm passes it on. A
        psychiatrist's part ends by a psychiatrist, or by a clinician or coordinator who takes it over."""
        command = Acknowledge(
            notice_id=notice_id,
            by=_code(caller),
            on_call=caller.role is Role.ONCALL,
            reason=form.reason if form else None,
        )
        with mapped():
            async with transaction(pool()) as connection:
                alert = await acknowledgement.handle(connection, command, clocks=clocks)
        wake()
        return responses.acknowledgement(alert)

    @router.post(
        "/{notice_id}/outcome",
        summary="What came of a crisis that was acknowledged",
        responses=problems(404, 409, when=RECORDING),
    )
    async def record(notice_id: UUID, form: OutcomeForm, caller: Responder) -> responses.Outcome:
        """Once. `not_reached` starts the ladder again, as does an outcome that nobody records in time."""
        command = RecordOutcome(notice_id=notice_id, outcome=form.outcome, by=_code(caller))
        with mapped():
            async with transaction(pool()) as connection:
                alert = await outcome.handle(connection, command, clocks=clocks)
        wake()
        return responses.outcome(alert)

    return router


def _may_see(stored: StoredNotice, caller: Caller) -> bool:
    if caller.role is not Role.CLINIC:
        return True
    notice = stored.notice
    return notice.audience in (CLINIC, PRIMARY_CARE) and notice.clinic == caller.clinic


def _code(caller: Caller) -> str:
    """Who acknowledged is published, so it has to be a code."""
    if not _CODE.fullmatch(caller.subject):
        detail = "Who acknowledges is announced: your token's subject must be letters, digits, _ . or -."
        raise Problem(403, "subject_is_not_a_code", detail)
    return caller.subject
