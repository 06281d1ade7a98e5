"""GET: where referrals stand, and who they are for whoever must reach the person."""

import json
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.intake.api import openapi, response_examples
from services.intake.api.context import ApiContext
from services.intake.api.dependencies import Reacher, Reader, etag, visible
from services.intake.api.form_mapping import form_of
from services.intake.api.responses import IdentityAnswer, NotUnderstood, ReferralAnswer, ReferralPage
from services.intake.api.status_mapping import referral_answer, standing
from services.intake.db import referrals
from services.intake.domain.status import State
from shared.db.postgres import transaction
from shared.moments import StrictMoment
from shared.web.paging import PageQuery

PLACE: Final[TypeAdapter[tuple[datetime, UUID]]] = TypeAdapter(tuple[StrictMoment, UUID])

NOT_UNDERSTOOD = tuple(NotUnderstood.model_fields)


def routes(context: ApiContext) -> APIRouter:
    router = APIRouter(prefix="/v1/referrals", tags=["referrals"])

    @router.get(
        "",
        summary="Referrals by state and time of change",
        responses={
            **openapi.answer(200, "A page.", openapi.ref(ReferralPage), response_examples.PAGE),
            **openapi.problems(),
        },
    )
    async def list_referrals(
        caller: Reader,
        page: PageQuery,
        state: Annotated[State | None, Query(examples=["in_review"])] = None,
        updated_since: Annotated[StrictMoment | None, Query(examples=["2025-03-03T09:00:00Z"])] = None,
    ) -> Response:
        """The oldest change first. To follow all referrals, ask with the `updated_at` of the last one you
        saw, a minute earlier; to read on within one answer, with `next_cursor`. A delivered notice is no
        change; the timeline tells it."""
        after = page.place(PLACE)
        with context.request_limit.slot(caller):
            async with transaction(context.pool) as connection:
                rows = await referrals.page(
                    connection,
                    clinic=caller.clinic,
                    state=state,
                    updated_since=updated_since,
                    after=after,
                    limit=page.limit + 1,
                )
        shown, next_cursor = page.cut(rows, lambda row: (row["updated_at"], row["id"]))
        answer = ReferralPage(
            referrals=tuple(standing(context.rules, dict(row)) for row in shown), next_cursor=next_cursor
        )
        return _json(answer.model_dump_json())

    @router.get(
        "/{referral_id}",
        summary="Where a referral stands",
        responses={
            **openapi.answer(200, "As it stands.", openapi.ref(ReferralAnswer), response_examples.REFERRAL),
            **openapi.problems(404),
        },
    )
    async def read(referral_id: UUID, caller: Reader) -> Response:
        """Its state, by when somebody must have responded, what may be done next, and all that became known
        of it, with reasons."""
        with context.request_limit.slot(caller):
            async with transaction(context.pool) as connection:
                referral = visible(await referrals.read(connection, referral_id), caller)
        answer = referral_answer(context.rules, referral)
        return _json(answer.model_dump_json(), ETag=etag(referral.revision))

    @router.get(
        "/{referral_id}/identity",
        summary="Who it is",
        responses={
            **openapi.answer(
                200, "The form as it now stands.", openapi.ref(IdentityAnswer), response_examples.IDENTITY
            ),
            **openapi.problems(404),
        },
    )
    async def identity(referral_id: UUID, caller: Reacher) -> Response:
        """For the referral's own clinic, clinicians, whoever is on call and coordinators. Every reading is
        noted."""
        with context.request_limit.slot(caller):
            async with transaction(context.pool) as connection:
                referral = visible(await referrals.read(connection, referral_id), caller)
                await referrals.note_access(connection, referral_id, caller)
        opened = context.rules.keyring.open_all(
            referral.sealed, key_id=referral.key_id, referral_id=referral.id
        )
        body = {
            "id": str(referral.id),
            "revision": referral.revision,
            "age": referral.case.age,
            "referral": form_of(referral.case, referral.region, opened),
            "not_understood": [
                {name: each[name] for name in NOT_UNDERSTOOD} for each in opened["not_understood"] or ()
            ],
        }
        return _json(json.dumps(body, ensure_ascii=False), **{"Cache-Control": "no-store"})

    return router


def _json(body: str, **headers: str) -> Response:
    return Response(body, media_type=openapi.JSON, headers=headers)
