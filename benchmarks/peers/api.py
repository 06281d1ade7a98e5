"""The front door: check the form, store the referral, queue the first task."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from benchmarks.peers import models, tasks
from services.intake.api.form_mapping import case_of, filled_of, identity_of
from services.intake.api.requests import ReferralForm
from services.intake.db.cipher import Keyring
from services.intake.domain.acceptance import accept
from shared.ids import new_id, now

keyring = Keyring.parse(os.environ["PEER_ENCRYPTION_KEYS"])


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    models.Base.metadata.create_all(models.engine)
    yield


app = FastAPI(lifespan=lifespan)


def session() -> Iterator[Session]:
    with models.Session() as open_session:
        yield open_session


async def read(request: Request) -> ReferralForm:
    try:
        return ReferralForm.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_input=False, include_context=False)) from None


@app.get("/health/ready")
def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/referrals", status_code=202)
def submit(
    form: Annotated[ReferralForm, Depends(read)],
    session: Annotated[Session, Depends(session)],
    clinic: Annotated[str, Header()],
    idempotency_key: Annotated[str, Header()],
) -> dict[str, str]:
    """A key that came before gets the referral it made, queued once more if nobody has worked on it."""
    at = now()
    verdict = accept(filled_of(form), age_of_majority=18, today=at.date())
    if verdict.faults:
        raise HTTPException(422, [fault.what for fault in verdict.faults])
    new = new_id()
    sealed = keyring.seal_all(identity_of(form), referral_id=new)
    row = {
        "id": new,
        "clinic": clinic,
        "idempotency_key": idempotency_key,
        "region": form.client.region,
        "state": "received",
        "case": case_of(form, verdict).model_dump(mode="json"),
        "sealed": {name: value.hex() for name, value in sealed.items() if value},
        "created_at": at,
    }
    session.execute(insert(models.Referral).values(row).on_conflict_do_nothing())
    session.commit()
    mine = models.Referral.clinic == clinic, models.Referral.idempotency_key == idempotency_key
    found, state = session.execute(select(models.Referral.id, models.Referral.state).where(*mine)).one()
    if state == "received":
        tasks.score.delay(str(found))
    return {"id": str(found), "state": state}
