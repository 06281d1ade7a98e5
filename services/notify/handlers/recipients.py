"""A recipient is added or changed: what waits for somebody like them is delivered to them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notify.db import alerts, deliveries, notices, recipients
from services.notify.db.recipients import Channel, StoredRecipient
from services.notify.db.sealing import Sealer
from services.notify.domain.directory import Recipient
from services.notify.domain.notices import notify_newcomer
from shared.db.postgres import Connection
from shared.ids import new_id
from shared.ids import now as present
from shared.vocabulary import NETWORK_ROTA


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenChannel:
    kind: str
    url: str
    host: str
    secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRecipient:
    recipient: Recipient
    channels: Sequence[GivenChannel]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """`made`: the secrets made just now, by address; they are shown this once."""

    stored: StoredRecipient
    is_new: bool
    made: Mapping[str, str]


async def handle(
    connection: Connection, command: PutRecipient, *, sealer: Sealer, waits: timedelta
) -> PutResult:
    """`waits`: a notice that found nobody is delivered to a recipient who comes within this time."""
    now, recipient = present(), command.recipient
    is_new = await recipients.put(connection, recipient, active=command.active, now=now)
    known = await recipients.secrets(connection, recipient.id)
    channels, made = _sealed(command.channels, known, sealer)
    await recipients.put_channels(connection, recipient.id, channels, now=now)
    if command.active:
        waiting = await notices.unaddressed(connection, recipient.audience, since=now - waits)
        verdict = notify_newcomer(recipient, waiting, now=now, new_id=new_id)
        await deliveries.insert(connection, verdict.deliveries)
        await notices.addressed(connection, [delivery.notice_id for delivery in verdict.deliveries])
    regions = [*sorted(recipient.regions), NETWORK_ROTA] if recipient.regions else []
    await alerts.look_again_in(connection, regions, now=now)
    return PutResult(stored=await recipients.load(connection, recipient.id), is_new=is_new, made=made)


def _sealed(
    given: Sequence[GivenChannel], known: Mapping[str, bytes], sealer: Sealer
) -> tuple[list[Channel], dict[str, str]]:
    """A given secret counts; else the address keeps the one it has; else one is made."""
    made = {
        one.url: secrets.token_urlsafe(32) for one in given if one.secret is None and one.url not in known
    }
    channels = []
    for one in given:
        secret = one.secret or made.get(one.url)
        sealed = sealer.seal(secret) if secret else known[one.url]
        channels.append(Channel(one.kind, one.url, one.host, sealed))
    return channels, made
