"""SQL of the checks that operators run on outbox and inbox, and the shape of a service's own checks."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """A query whose every row is a case that breaks a promise; its first column is the case's id."""

    about: str
    query: str


UNSENT: Final = """
    select event_id from outbox where sent_at is null and occurred_at < now() - make_interval(secs => $1)
"""
"""Each event not sent $1 seconds after it occurred: event_id."""

PUBLISHED_TWICE: Final = "select event_id from outbox group by event_id having count(*) > 1"
"""Each event that is in the outbox more than once: event_id."""

SENT: Final = """
    select event_id from outbox
    where topic like $1 and sent_at <= now() - make_interval(secs => $2)
"""
"""Each event on a topic like $1, sent at least $2 seconds ago: event_id."""

UNCLAIMED: Final = """
    select id from unnest($1::uuid[]) as said (id)
    where not exists (select from inbox where consumer = any($2::text[]) and event_id = said.id)
"""
"""Of the events $1, each that none of the consumers $2 has claimed: id."""

COUNT_UNSENT: Final = "select count(*) from outbox where sent_at is null"

UNSEND_THESE: Final = "update outbox set sent_at = null where sent_at is not null and event_id = any($1)"
"""Marks the events $1 as unsent: the relays send them again."""
