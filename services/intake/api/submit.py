"""POST /v1/referrals, and what may be said about a referral later."""

import json
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.intake.api import changes, openapi, refusals, request_examples, response_examples
from services.intake.api.context import ApiContext
from services.intake.api.dependencies import (
    Changer,
    IfMatch,
    KeyHeader,
    Submitter,
    accepted,
    body_of,
    change_of,
)
from services.intake.api.parsing import read
from services.intake.api.preparation import canonical, prepare
from services.intake.api.receiving import read_patch, receive, receive_sheets
from services.intake.api.requests import ReferralForm, ScreeningsForm, WithdrawalForm
from services.intake.api.responses import Accepted
from shared.ids import now
from shared.telemetry import trace

TAKEN = openapi.answer(
    202, "Stored; from here on it is not lost.", openapi.ref(Accepted), response_examples.ACCEPTED
)
OF_SUBMITTING = {**TAKEN, **openapi.problems(400, 409, 413, 415)}
OF_CHANGING = {**OF_SUBMITTING, **openapi.problems(404, 412)}


def routes(context: ApiContext) -> APIRouter:
    router = APIRouter(prefix="/v1/referrals", tags=["referrals"])

    @router.post(
        "",
        status_code=202,
        summary="Refer a client",
        responses=OF_SUBMITTING,
        openapi_extra=openapi.body(openapi.ref(ReferralForm), request_examples.REFERRAL, openapi.JSON),
    )
    async def submit(request: Request, caller: Submitter, key: KeyHeader = None) -> Response:
        """Only the client's name and region and the consent are needed; what else is missing is said back as
        a warning. Where an answer or an observation cannot wait, `safety_advice` says what to do now, and
        whatever else cannot be read is a warning too: it is kept, and a clinician reads it."""
        with context.request_limit.slot(caller):
            body = await body_of(request, openapi.JSON)
            moment = now()
            with refusals.counted(body, rules=context.rules):
                received = receive(ReferralForm, body, rules=context.rules, now=moment)
                referral = prepare(
                    received.form,
                    rules=context.rules,
                    clinic=caller.clinic or "",
                    key=refusals.key_of(key, body, rules=context.rules),
                    traceparent=trace.cause_of(None),
                    now=moment,
                    verdict=received.verdict,
                    unread=received.unread,
                )
                return accepted(context, await context.submit(referral))

    @router.post(
        "/{referral_id}/amendments",
        status_code=202,
        summary="Amend a referral",
        responses=OF_CHANGING,
        openapi_extra=openapi.body(
            openapi.AMENDMENT_REF, request_examples.AMENDMENT, openapi.JSON, openapi.MERGE_PATCH
        ),
    )
    async def amend(
        referral_id: UUID,
        request: Request,
        caller: Changer,
        key: KeyHeader = None,
        if_match: IfMatch = None,
    ) -> Response:
        """A JSON Merge Patch of the referral. Triage looks at the whole again. Where something in the patch
        cannot wait, a part of it that cannot be read leaves what is stored as it is."""
        with context.request_limit.slot(caller):
            body = await body_of(request, openapi.JSON, openapi.MERGE_PATCH)
            with refusals.counted(body, rules=context.rules):
                patch = read_patch(body, rules=context.rules, now=now())
                said = f"amend {referral_id}\n{json.dumps(patch, sort_keys=True)}".encode()
                asked = change_of(
                    referral_id,
                    caller,
                    said=said,
                    key=refusals.key_of(key, body, rules=context.rules),
                    if_match=if_match,
                )
                decide = changes.amend(patch, rules=context.rules, now=now())
                return accepted(context, await context.change(asked, decide))

    @router.post(
        "/{referral_id}/screenings",
        status_code=202,
        summary="Record screenings taken since",
        responses=OF_CHANGING,
        openapi_extra=openapi.body(openapi.ref(ScreeningsForm), request_examples.SCREENINGS, openapi.JSON),
    )
    async def screen(
        referral_id: UUID,
        request: Request,
        caller: Changer,
        key: KeyHeader = None,
        if_match: IfMatch = None,
    ) -> Response:
        """One or several answer sheets beside those already there. Triage runs again."""
        with context.request_limit.slot(caller):
            body = await body_of(request, openapi.JSON)
            with refusals.counted(body, rules=context.rules):
                received = receive_sheets(body, rules=context.rules, now=now())
                asked = change_of(
                    referral_id,
                    caller,
                    said=canonical(f"screen {referral_id}", received.form, received.unread),
                    key=refusals.key_of(key, body, rules=context.rules),
                    if_match=if_match,
                )
                decide = changes.record(received.form, rules=context.rules, now=now(), received=received)
                return accepted(context, await context.change(asked, decide))

    @router.post(
        "/{referral_id}/withdrawal",
        status_code=202,
        summary="Withdraw a referral",
        responses=OF_CHANGING,
        openapi_extra=openapi.body(openapi.ref(WithdrawalForm), request_examples.WITHDRAWAL, openapi.JSON),
    )
    async def withdraw(
        referral_id: UUID,
        request: Request,
        caller: Changer,
        key: KeyHeader = None,
        if_match: IfMatch = None,
    ) -> Response:
        """Frees the place that is held, if one is. It cannot be taken back: submit anew instead."""
        with context.request_limit.slot(caller):
            body = await body_of(request, openapi.JSON)
            with refusals.counted(body, rules=context.rules):
                form = read(WithdrawalForm, body, now=now())
                asked = change_of(
                    referral_id,
                    caller,
                    said=canonical(f"withdraw {referral_id}", form),
                    key=refusals.key_of(key, body, rules=context.rules),
                    if_match=if_match,
                )
                return accepted(context, await context.change(asked, changes.withdraw(form, now=now())))

    return router
