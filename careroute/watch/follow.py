"""`careroute watch`: referrals as they move, or the story of one."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from rich.console import Console, RenderableType
from rich.live import Live

from careroute.calling import calling, refusal, require, unreachable
from careroute.local.errors import StackError
from careroute.network import Network
from careroute.watch.tables import moment, standings, story
from shared.web.auth import Role

Json = dict[str, Any]

EVERY_SECONDS: Final = 1.0
WIDE: Final = 120
FROM: Final = timedelta(days=1)
LOOK_BACK: Final = timedelta(minutes=1)
"""A change can become visible a little after its time, so intake asks its readers to look back so far."""
SILENCE: Final = httpx.Timeout(connect=5, read=60, write=5, pool=5)
"""A stream sends a sign of life far more often."""


def run(network: Network, referral: str | None, out: Console, *, once: bool) -> None:
    """Until Ctrl-C, or for one referral until nothing more can happen to it."""
    with calling(network, "intake", Role.COORDINATOR) as client:
        if once:
            out.print(_now(client, referral, wide=_wide(out)))
        elif referral is None:
            _live(out, _all(client, out))
        else:
            _live(out, _one(client, _id(referral)))


def _live(out: Console, pictures: Iterator[RenderableType]) -> None:
    with Live(console=out, auto_refresh=False) as live:
        for picture in pictures:
            live.update(picture, refresh=True)


def _wide(out: Console) -> bool:
    return out.size.width >= WIDE


def _now(client: httpx.Client, referral: str | None, *, wide: bool) -> RenderableType:
    if referral is None:
        known = {one["id"]: one for one in _changed(client, datetime.now(UTC) - FROM)}
        return standings(known.values(), most=len(known), wide=wide)
    found = require(client.get(f"/v1/referrals/{_id(referral)}"))
    return story(found["id"], found, found["timeline"])


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise StackError("That is not the id of a referral; `careroute watch` shows them.") from None


def _all(client: httpx.Client, out: Console) -> Iterator[RenderableType]:
    known: dict[str, Json] = {}
    since = datetime.now(UTC) - FROM
    while True:
        note = ""
        try:
            for one in _changed(client, since):
                known[one["id"]] = one
                since = max(since, moment(one["updated_at"]) - LOOK_BACK)
        except (httpx.TransportError, _Busy) as error:
            note = _why(client, error)
        yield standings(known.values(), most=max(5, out.size.height - 5), wide=_wide(out), note=note)
        time.sleep(EVERY_SECONDS)


def _changed(client: httpx.Client, since: datetime) -> Iterator[Json]:
    """Every page of what has changed since, the oldest change first."""
    query = {"updated_since": since.isoformat(), "limit": "500"}
    while True:
        page = require(_calm(client.get("/v1/referrals", params=query)))
        yield from page["referrals"]
        if not page["next_cursor"]:
            return
        query["cursor"] = page["next_cursor"]


@dataclass
class _Story:
    """What a stream of events has told so far; `last` is from where to take it up again."""

    stands: Json = field(default_factory=dict)
    entries: dict[str, Json] = field(default_factory=dict)
    last: str = "0"
    ended: bool = False

    def hear(self, name: str, data: Json) -> None:
        if name == "state":
            self.stands = data
        elif name == "end":
            self.ended = True
        elif "event_id" in data:
            self.entries[data["event_id"]] = data


def _one(client: httpx.Client, referral_id: str) -> Iterator[RenderableType]:
    told = _Story()

    def picture(note: str = "") -> RenderableType:
        return story(referral_id, told.stands, list(told.entries.values()), note=note)

    while not told.ended:
        try:
            for _ in _listen(client, referral_id, told):
                yield picture()
        except (httpx.TransportError, _Busy) as error:
            yield picture(_why(client, error))
        if not told.ended:
            time.sleep(EVERY_SECONDS)


def _listen(client: httpx.Client, referral_id: str, told: _Story) -> Iterator[None]:
    """Yields whenever something was heard, until the stream ends."""
    path, headers = f"/v1/referrals/{referral_id}/events", {"Last-Event-ID": told.last}
    with client.stream("GET", path, headers=headers, timeout=SILENCE) as response:
        if not response.is_success:
            response.read()
            raise StackError(refusal(_calm(response)))
        for number, name, data in events(response.iter_lines()):
            told.last = number or told.last
            told.hear(name, data)
            yield


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, Json]]:
    """Server-sent events: id (empty if it has none), name, data."""
    found: dict[str, str] = {}
    for line in lines:
        if not line and "data" in found:
            yield found.get("id", ""), found.get("event", "message"), json.loads(found["data"])
        if not line:
            found = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            found[name] = value.removeprefix(" ")


class _Busy(StackError):
    """The service will answer later, as it says."""


def _calm(response: httpx.Response) -> httpx.Response:
    if response.status_code == 429 or response.status_code >= 500:
        raise _Busy(refusal(response))
    return response


def _why(client: httpx.Client, error: Exception) -> str:
    said = unreachable(client.base_url, error) if isinstance(error, httpx.HTTPError) else str(error)
    return f"{said} Trying again ..."
