"""One task a step, one commit a step. Each may run twice and then does nothing twice but call an endpoint."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from celery import Task
from celery.signals import worker_process_init
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from benchmarks.peers import rules, webhook
from benchmarks.peers.celery_app import app
from benchmarks.peers.models import Notice, Offer, Recipient, Referral, Therapist, engine
from benchmarks.peers.models import Session as open_session
from services.notify.domain import wording
from services.notify.domain.words import Words
from shared.ids import new_id, now
from shared.vocabulary import Urgency

TRIAGED, PROPOSED = "ReferralTriaged", "MatchProposed"
RETRY: Final[dict[str, Any]] = {"retry_backoff": 2, "retry_backoff_max": 30, "max_retries": None}


class PlaceGone(Exception):
    """Somebody else took the last place between the choice and the taking."""


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    """A connection must not be shared by two processes."""
    engine.dispose(close=False)


@app.task(autoretry_for=(Exception,), **RETRY)
def score(referral_id: str) -> None:
    """How soon, and what kind of care; the clinic and primary care are told."""
    with open_session.begin() as session:
        referral = session.get_one(Referral, UUID(referral_id), with_for_update=True)
        if referral.state == "received":
            scored = rules.score(referral.case, asked_at=referral.created_at)
            referral.state, referral.urgency = "triaged", scored.urgency
            referral.respond_by, referral.decision = scored.respond_by, scored.decision
            said = wording.triaged(scored.urgency, scored.respond_by, calls=False, in_review=False)
            _note(session, referral, TRIAGED, said)
        waiting = _waiting(session, referral.id)
    for notice_id in waiting:
        tell.delay(notice_id)
    assign.delay(referral_id)


@app.task(autoretry_for=(Exception,), **RETRY)
def assign(referral_id: str) -> None:
    """The best therapist who has a place, taken if it is still there; they and the referrer are told."""
    with open_session.begin() as session:
        referral = session.get_one(Referral, UUID(referral_id), with_for_update=True)
        if referral.state == "triaged":
            choice = rules.choose(session, referral, now())
            take = (
                update(Therapist)
                .where(Therapist.id == choice.therapist_id, Therapist.places_taken < Therapist.places_total)
                .values(places_taken=Therapist.places_taken + 1)
                .returning(Therapist.id)
            )
            if session.scalar(take) is None:
                raise PlaceGone
            session.add(
                Offer(
                    id=new_id(),
                    referral_id=referral.id,
                    therapist_id=choice.therapist_id,
                    expires_at=choice.expires_at,
                    score=choice.score,
                    why=choice.why,
                )
            )
            referral.state = "offered"
            _note(session, referral, PROPOSED, wording.proposed(choice.expires_at))
        waiting = _waiting(session, referral.id)
    for notice_id in waiting:
        tell.delay(notice_id)


@app.task(bind=True, autoretry_for=(Exception,), **RETRY)
def tell(self: Task, notice_id: str) -> None:
    """One webhook; that it was sent is noted once it was taken, so a crash in between sends it again."""
    with open_session() as session:
        wanted = select(Notice, Recipient).join(Recipient, Recipient.id == Notice.recipient_id)
        notice, recipient = session.execute(wanted.where(Notice.id == UUID(notice_id))).one()
    if notice.sent_at is not None:
        return
    webhook.post(notice, recipient, attempt=self.request.retries + 1)
    with open_session.begin() as session:
        session.execute(update(Notice).where(Notice.id == notice.id).values(sent_at=now()))


def _note(session: Session, referral: Referral, about: str, said: Iterable[Words]) -> None:
    """A row for each recipient of each audience, once however often the task runs."""
    recipients = session.scalars(
        select(Recipient).where(
            (Recipient.clinic == referral.clinic)
            | (Recipient.clinic.is_(None) & Recipient.regions.contains([referral.region]))
        )
    ).all()
    rows = [
        {
            "id": new_id(),
            "referral_id": referral.id,
            "about": about,
            "recipient_id": recipient.id,
            "title": words.title,
            "text": words.text,
            "urgency": Urgency(referral.urgency) if referral.urgency else None,
            "respond_by": words.respond_by,
            "created_at": now(),
        }
        for words in said
        for recipient in recipients
        if recipient.audience == words.audience
    ]
    session.execute(insert(Notice).values(rows).on_conflict_do_nothing())


def _waiting(session: Session, referral_id: UUID) -> list[str]:
    session.flush()
    unsent = select(Notice.id).where(Notice.referral_id == referral_id, Notice.sent_at.is_(None))
    return [str(found) for found in session.scalars(unsent)]
