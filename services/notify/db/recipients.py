"""SQL for recipients, their channels and the rota."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.domain.directory import Directory, Duty, Recipient
from shared.db.postgres import Connection, Record
from shared.vocabulary import NETWORK_ROTA

PUT: Final = """
    insert into recipient (id, audience, clinic, therapist, regions, active, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (id) do update
    set audience = excluded.audience, clinic = excluded.clinic, therapist = excluded.therapist,
        regions = excluded.regions, active = excluded.active, updated_at = excluded.updated_at
    returning xmax = 0 as is_new
"""

DROP_CHANNELS: Final = "delete from channel where recipient = $1"

PUT_CHANNELS: Final = """
    insert into channel (recipient, position, kind, url, line, secret)
    select $1, place - 1, kind, url, line, secret
    from unnest($2::text[], $3::text[], $4::text[], $5::bytea[])
         with ordinality as given (kind, url, line, secret, place)
"""

MOVE_WAITING: Final = """
    update delivery
    set channel = c.position, line = c.line,
        next_attempt_at = case when d.outcome is null then d.next_attempt_at
                               else least(d.next_attempt_at, $2) end
    from delivery d join channel c on c.recipient = d.recipient
    where d.recipient = $1 and starts_with(d.state, 'waiting') and delivery.id = d.id
      and c.position = least(d.channel, (select max(position) from channel where recipient = $1))
"""

SECRETS: Final = "select url, secret from channel where recipient = $1 order by position desc"

ALL: Final = """
    select recipient.*, channel.kinds, channel.urls, channel.lines
    from recipient cross join lateral (
        select array_agg(kind order by position) as kinds, array_agg(url order by position) as urls,
               array_agg(line order by position) as lines
        from channel where channel.recipient = recipient.id) as channel
"""

ONE: Final = f"{ALL} where recipient.id = $1"

LIST: Final = f"""
    {ALL} where ($1::text is null or recipient.audience = $1) and ($2::text is null or recipient.id > $2)
    order by recipient.id limit $3
"""

NEEDED: Final = f"""
    {ALL} where recipient.active and channel.lines is not null and (
        recipient.clinic = any($1::text[]) or recipient.therapist = any($2::uuid[])
        or (recipient.clinic is null and recipient.therapist is null
            and (recipient.regions = '{{}}' or recipient.regions && $3::text[]))
        or recipient.id in (select duty.recipient from duty where duty.region = any($3::text[])))
"""

OF_AUDIENCES: Final = f"""
    {ALL} where recipient.active and channel.lines is not null
      and recipient.clinic is null and recipient.therapist is null and recipient.audience = any($1::text[])
"""

ROTA: Final = "select region, recipient, place, starts_at, ends_at from duty where region = any($1::text[])"

STAFFED_REGIONS: Final = """
    select region from duty
    union select unnest(regions) from recipient where active and audience = 'psychiatrist'
    order by 1
"""

DROP_ROTA: Final = "delete from duty where region = $1"

PUT_ROTA: Final = """
    insert into duty (region, recipient, place, starts_at, ends_at)
    select $1, * from unnest($2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[])
"""

EXISTING: Final = "select id, audience from recipient where id = any($1::text[])"


@dataclass(frozen=True, slots=True)
class Channel:
    """`host` is what deliveries queue for; the secret is sealed."""

    kind: str
    url: str
    host: str
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecipient:
    """`channels`: kind and address of each, in the recipient's own order."""

    id: str
    audience: str
    clinic: str | None
    therapist: UUID | None
    regions: tuple[str, ...]
    channels: tuple[tuple[str, str], ...]
    active: bool
    updated_at: datetime


async def put(connection: Connection, recipient: Recipient, *, active: bool, now: datetime) -> bool:
    """True if this recipient is new."""
    is_new: bool = await connection.fetchval(
        PUT,
        recipient.id,
        recipient.audience,
        recipient.clinic,
        recipient.therapist,
        sorted(recipient.regions),
        active,
        now,
    )
    return is_new


async def put_channels(
    connection: Connection, recipient: str, channels: Sequence[Channel], *, now: datetime
) -> None:
    """In place of those it had; what waits for it goes by the new ones, and what had failed goes at once."""
    await connection.execute(DROP_CHANNELS, recipient)
    await connection.execute(
        PUT_CHANNELS,
        recipient,
        [channel.kind for channel in channels],
        [channel.url for channel in channels],
        [channel.host for channel in channels],
        [channel.secret for channel in channels],
    )
    await connection.execute(MOVE_WAITING, recipient, now)


async def secrets(connection: Connection, recipient: str) -> dict[str, bytes]:
    """The sealed secret of each address it has."""
    return {row["url"]: row["secret"] for row in await connection.fetch(SECRETS, recipient)}


async def find(connection: Connection, recipient: str) -> StoredRecipient | None:
    row = await connection.fetchrow(ONE, recipient)
    return _stored(row) if row else None


async def load(connection: Connection, recipient: str) -> StoredRecipient:
    """Of one that exists."""
    [row] = await connection.fetch(ONE, recipient)
    return _stored(row)


async def page(
    connection: Connection, *, audience: str | None, after: str | None, limit: int
) -> list[StoredRecipient]:
    return [_stored(row) for row in await connection.fetch(LIST, audience, after, limit)]


async def existing(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """The audience of each of these that exists."""
    return {row["id"]: row["audience"] for row in await connection.fetch(EXISTING, list(ids))}


async def directory(
    connection: Connection,
    *,
    regions: Collection[str],
    clinics: Collection[str] = (),
    therapists: Collection[UUID] = (),
) -> Directory:
    """Everyone who may have to be notified of something in these regions, their rota and the network's. Of an
    audience that has nobody in one of them, everyone."""
    wanted = {*regions, NETWORK_ROTA}
    rows = await connection.fetch(NEEDED, list(clinics), list(therapists), list(wanted))
    duties = await rota(connection, wanted)
    found = Directory([from_row(row) for row in rows], duties)
    missing = found.without_anyone(regions)
    if not missing:
        return found
    others = {row["id"]: row for row in await connection.fetch(OF_AUDIENCES, sorted(missing))}
    known = {row["id"]: row for row in rows}
    return Directory([from_row(row) for row in (known | others).values()], duties)


async def rota(connection: Connection, regions: Collection[str]) -> list[Duty]:
    rows = await connection.fetch(ROTA, list(regions))
    return [
        Duty(
            region=row["region"],
            recipient=row["recipient"],
            place=row["place"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
        )
        for row in rows
    ]


async def staffed_regions(connection: Connection) -> list[str]:
    """Every region that has a rota or a psychiatrist of its own."""
    return [row["region"] for row in await connection.fetch(STAFFED_REGIONS)]


async def put_rota(connection: Connection, region: str, duties: Sequence[Duty]) -> None:
    await connection.execute(DROP_ROTA, region)
    await connection.execute(
        PUT_ROTA,
        region,
        [duty.recipient for duty in duties],
        [duty.place for duty in duties],
        [duty.starts_at for duty in duties],
        [duty.ends_at for duty in duties],
    )


def from_row(row: Record) -> Recipient:
    return Recipient(
        id=row["id"],
        audience=row["audience"],
        hosts=tuple(row["lines"] or ()),
        regions=frozenset(row["regions"]),
        clinic=row["clinic"],
        therapist=row["therapist"],
    )


def _stored(row: Record) -> StoredRecipient:
    return StoredRecipient(
        id=row["id"],
        audience=row["audience"],
        clinic=row["clinic"],
        therapist=row["therapist"],
        regions=tuple(row["regions"]),
        channels=tuple(zip(row["kinds"] or (), row["urls"] or (), strict=True)),
        active=row["active"],
        updated_at=row["updated_at"],
    )
