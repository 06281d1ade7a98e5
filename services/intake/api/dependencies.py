"""What every route does before its own work: who may come in, and in which shape."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response

from services.intake.api import openapi
from services.intake.api.fields import KEY_SHAPE
from services.intake.handlers.desk import Desk
from services.intake.handlers.submissions import Taken
from shared.web.auth import Caller, Role, allow
from shared.web.problems import Problem

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


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


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


def accepted(desk: Desk, taken: Taken) -> Response:
    """The same bytes for the same request, however often it comes."""
    where = desk.rules.links(taken.referral_id).self
    return Response(
        taken.body, status_code=taken.status, media_type=openapi.JSON, headers={"Location": where}
    )
