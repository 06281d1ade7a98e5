"""What every route does before its own work: who may come in, and in which shape."""

import re
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from services.intake.api import openapi
from services.intake.api.context import ApiContext
from services.intake.api.fields import KEY_SHAPE
from services.intake.db.records import Referral
from services.intake.handlers import amendments
from services.intake.handlers.submissions import StoredResponse
from shared.web.auth import Caller, Role, allow
from shared.web.problems import Problem, not_found

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Send one, and send it again when you try again: however often and in parallel, the "
        "request is done once and answered the same. Without one, a retry may be done twice.",
        examples=["ehr-2025-0001"],
        json_schema_extra={"pattern": f"^{KEY_SHAPE.pattern}$"},
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The ETag of the revision that you know, such as `"1"`. If it is an older one: 412.',
        examples=['"1"'],
    ),
]


Submitter = Annotated[Caller, Depends(allow(Role.CLINIC))]
Changer = Annotated[Caller, Depends(allow(Role.CLINIC, Role.COORDINATOR, Role.CLINICIAN))]
Reader = Annotated[Caller, Depends(allow(*Role))]
Reacher = Annotated[Caller, Depends(allow(Role.CLINIC, Role.COORDINATOR, Role.CLINICIAN, Role.ONCALL))]
"""Whoever must reach the person."""


def check_type(request: Request, *accepted: str) -> None:
    """Raises `Problem` 415 for anything but these content types, unencoded."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if given not in accepted or encoding != "identity":
        detail = f"Send the body as {' or '.join(accepted)}, without a content encoding."
        raise Problem(415, "wrong_content_type", detail, headers={"Accept-Post": ", ".join(accepted)})


async def body_of(request: Request, *accepted: str) -> bytes:
    """Raises `Problem` 415."""
    check_type(request, *accepted)
    return await request.body()


def accepted(context: ApiContext, taken: StoredResponse) -> Response:
    """The same bytes for the same request, however often it comes."""
    where = context.rules.links(taken.referral_id).self
    return Response(
        taken.body, status_code=taken.status, media_type=openapi.JSON, headers={"Location": where}
    )


def visible(referral: Referral | None, caller: Caller) -> Referral:
    """Raises the same `Problem` 404 for what is not there and for what is another clinic's."""
    if referral is None or (caller.role is Role.CLINIC and referral.clinic != caller.clinic):
        raise not_found("referral")
    return referral


def change_of(
    referral_id: UUID, caller: Caller, *, said: bytes, key: str | None, if_match: str | None
) -> amendments.Request:
    """Keys belong to a clinic; staff have theirs to themselves."""
    return amendments.Request(
        owner=caller.clinic or f"~{caller.subject}",
        clinic=caller.clinic if caller.role is Role.CLINIC else None,
        referral_id=referral_id,
        said=said,
        key=key,
        revisions=_revisions(if_match) if if_match else None,
    )


def etag(revision: int) -> str:
    return f'"{revision}"'


def _revisions(if_match: str) -> frozenset[int] | None:
    """Of an If-Match header; None where any revision will do. A tag that is none of ours matches nothing."""
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if "*" in tags:
        return None
    found = (_ETAG.fullmatch(tag) for tag in tags)
    return frozenset(int(match[1]) for match in found if match)


_ETAG: Final = re.compile(r'"([1-9][0-9]{0,9})"')
