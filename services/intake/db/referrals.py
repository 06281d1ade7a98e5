"""Intake's statements, run. It neither opens nor ends a transaction; the connection is the first argument."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.db import queries
from services.intake.db.records import NewReferral, Referral, Remembered
from services.intake.db.timeline import kept_json
from services.intake.domain.identity import SEALED
from services.intake.domain.progress import Progress
from services.intake.domain.status import FINAL, State
from shared.db.postgres import Connection, Record
from shared.events import Case, ReferralFact
from shared.web.auth import Caller


async def accept(connection: Connection, referrals: Sequence[NewReferral], *, now: datetime) -> set[UUID]:
    """Store those whose key is new or who have none; the ids of the stored. Waits for whoever is at the
    same key in another transaction."""
    facts = [referral.submitted for referral in referrals]
    rows = await connection.fetch(
        queries.ACCEPT,
        [fact.referral_id for fact in facts],
        [fact.clinic for fact in facts],
        [fact.region for fact in facts],
        [fact.express for fact in facts],
        [fact.case.model_dump_json() for fact in facts],
        [fact.event_id for fact in facts],
        [kept_json(fact) for fact in facts],
        [referral.owner for referral in referrals],
        [referral.key for referral in referrals],
        [referral.fingerprint for referral in referrals],
        [referral.answer for referral in referrals],
        [referral.key_id for referral in referrals],
        *([referral.sealed[column] for referral in referrals] for column in SEALED),
        now,
    )
    return {row["id"] for row in rows}


async def remembered(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Remembered]:
    """What these keys, each with its owner, were answered."""
    rows = await connection.fetch(queries.REMEMBERED, [owner for owner, _ in keys], [key for _, key in keys])
    return {(row["owner"], row["key"]): _remembered(row) for row in rows}


def _remembered(row: Record) -> Remembered:
    return Remembered(**{name: value for name, value in row.items() if name not in ("owner", "key")})


async def claim_key(
    connection: Connection, owner: str, key: str, *, fingerprint: bytes, key_id: str, referral_id: UUID
) -> bool:
    """True for the first; whoever comes at the same time waits, and then learns that it was not first."""
    return bool(await connection.fetchval(queries.CLAIM_KEY, owner, key, fingerprint, key_id, referral_id))


async def answer_key(connection: Connection, owner: str, key: str, *, status: int, answer: bytes) -> None:
    await connection.execute(queries.ANSWER_KEY, owner, key, status, answer)


async def forget_keys(connection: Connection, *, days: int) -> None:
    await connection.execute(queries.FORGET_KEYS, days)


async def read(connection: Connection, referral_id: UUID) -> Referral | None:
    row = await connection.fetchrow(queries.READ, referral_id)
    return Referral.of(row) if row else None


async def lock(connection: Connection, referral_ids: Sequence[UUID]) -> set[UUID]:
    """Those that there are, locked in the order of their ids, so that no two can wait for each other."""
    rows = await connection.fetch(queries.LOCK, sorted(set(referral_ids)))
    return {row["id"] for row in rows}


async def timelines(
    connection: Connection, referral_ids: Sequence[UUID]
) -> dict[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = {referral_id: [] for referral_id in referral_ids}
    for row in await connection.fetch(queries.TIMELINES, list(found)) if found else ():
        found[row["referral_id"]].append(row["fact"])
    return found


async def tell(connection: Connection, facts: Sequence[ReferralFact]) -> None:
    """Add to the timelines."""
    ids = [fact.referral_id for fact in facts], [fact.event_id for fact in facts]
    await connection.execute(queries.TELL, *ids, [kept_json(fact) for fact in facts])


async def save_progress(
    connection: Connection, progresses: Mapping[UUID, Progress], *, now: datetime
) -> None:
    told = list(progresses.values())
    if not told:
        return
    await connection.execute(
        queries.SAVE_PROGRESS,
        list(progresses),
        [progress.state for progress in told],
        [progress.urgency for progress in told],
        [progress.by for progress in told],
        [progress.reason for progress in told],
        [progress.next_step for progress in told],
        now,
    )


async def change(
    connection: Connection,
    referral_id: UUID,
    *,
    revision: int,
    region: str,
    express: bool,
    case: Case,
    sealed: Mapping[str, bytes | None],
    key_id: str,
) -> None:
    columns = [sealed[column] for column in SEALED]
    routing = case.model_dump_json()
    await connection.execute(
        queries.CHANGE, referral_id, revision, region, express, routing, key_id, *columns
    )


async def note_access(connection: Connection, referral_id: UUID, caller: Caller) -> None:
    await connection.execute(queries.NOTE_ACCESS, referral_id, caller.subject, caller.role, caller.clinic)


News = tuple[list[tuple[int, Mapping[str, Any]]], Mapping[str, Any]]


async def news(connection: Connection, listening: Sequence[tuple[UUID, int]]) -> dict[int, News]:
    """By place in `listening`: the facts past each position, and where the referral stands."""
    ids, positions = [referral_id for referral_id, _ in listening], [after for _, after in listening]
    found: dict[int, News] = {}
    for row in await connection.fetch(queries.NEWS, ids, positions, sorted(FINAL)):
        facts, _ = found.setdefault(row["place"], ([], _stands(row)))
        if row["position"] is not None:
            facts.append((row["position"], row["fact"]))
    return found


def _stands(row: Record) -> Mapping[str, Any]:
    names = ("state", "urgency", "due_by", "reason", "next_step", "revision", "express")
    return {name: row[name] for name in names}


async def page(
    connection: Connection,
    *,
    clinic: str | None,
    state: State | None,
    updated_since: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Record]:
    """The oldest change first, past `after`."""
    moment, last = after or (None, None)
    return await connection.fetch(queries.LIST, clinic, state, updated_since, moment, last, limit)


async def sealed_under_others(connection: Connection, key_id: str, *, limit: int) -> list[Record]:
    """Locked, in the order of their ids."""
    return await connection.fetch(queries.SEALED_UNDER_OTHERS, key_id, limit)


async def seal_again(
    connection: Connection, key_id: str, sealed: Mapping[UUID, Mapping[str, bytes | None]]
) -> None:
    columns = ([each[column] for each in sealed.values()] for column in SEALED)
    await connection.execute(queries.SEAL_AGAIN, key_id, list(sealed), *columns)
