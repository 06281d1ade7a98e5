"""Who may be on a rota? When are fewer than two on call, so that nobody is next when one is silent?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notify.domain.call_state import CLINICIAN, PSYCHIATRIST
from services.notify.domain.directory import Directory, Duty
from services.notify.domain.refusals import NotForTheRota

ENOUGH: Final = 2
LOOKED_AT: Final = 200
"""Changes of the rota; what is further ahead is looked at later."""
LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Gap:
    """Holds until the next change of the rota."""

    since: datetime
    people: int


def is_gap(directory: Directory, audience: str, region: str, now: datetime) -> bool:
    return len(directory.on_call(audience, region, now)) < ENOUGH


def gaps(directory: Directory, audience: str, region: str, now: datetime) -> list[Gap]:
    """From now to the end of the last shift."""
    duties = [duty for duty in directory.rota if duty.region == region]
    changes = {moment for d in duties for moment in (d.starts_at, d.ends_at) if moment and moment > now}
    last = max(changes, default=None)
    moments = [now, *sorted(changes - {last})][:LOOKED_AT]
    counted = [Gap(moment, len(directory.on_call(audience, region, moment))) for moment in moments]
    return [gap for gap in counted if gap.people < ENOUGH][:LISTED]


def check(duties: Iterable[Duty], audiences: Mapping[str, str]) -> None:
    """Raises `NotForTheRota`; `audiences` are those of the recipients that exist."""
    named = {duty.recipient for duty in duties}
    wrong = {name for name in named & audiences.keys() if audiences[name] not in (PSYCHIATRIST, CLINICIAN)}
    if wrong or not named <= audiences.keys():
        raise NotForTheRota(unknown=frozenset(named - audiences.keys()), wrong_audience=frozenset(wrong))
