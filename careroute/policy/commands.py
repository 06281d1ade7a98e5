"""`careroute policy`: is a policy sound, why was this decided, whom would another one answer differently?

Reads only. A replay asks both policies about the newest case of each referral, as if it came in now: what a
clinician decided and what was decided earlier do not enter, so that only the policies are compared.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from careroute.calling import calling, require
from careroute.local.errors import StackError
from careroute.network import Network
from careroute.row_chunks import row_chunks
from services.triage.case_mapping import chart_of
from services.triage.db.checks import DECIDED_CASES
from services.triage.domain.business_days import BusinessDays
from services.triage.domain.pathway import what_care
from services.triage.domain.policy import Policy
from services.triage.domain.urgency import assess_urgency
from services.triage.policy.checks import load
from services.triage.policy.load import PolicyRefused
from services.triage.settings import TriageSettings
from shared import network as network_file
from shared.events import Case
from shared.instruments import TO_CONFIRM
from shared.vocabulary import LevelOfCare, Urgency
from shared.web.auth import Role

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a policy says to one case."""

    urgency: Urgency
    respond_by: datetime
    review: bool
    holds: bool
    level_of_care: LevelOfCare
    team: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    referral_id: UUID
    now: Answer
    then: Answer


def check(path: Path, out: Console) -> int:
    """0 when the policy can be loaded; else every fault, and 1."""
    try:
        policy = load(path)
    except PolicyRefused as refused:
        out.print(f"{path.name} can not be loaded:", highlight=False)
        for fault in refused.faults:
            out.print(f"  - {escape(fault)}", highlight=False, soft_wrap=True)
        return 1
    open_ = sum(rule.status == TO_CONFIRM for rule in policy.rules)
    out.print(
        f"{path.name} is sound: {policy.name}, version {policy.version}; "
        f"{len(policy.rules)} rules of urgency ({open_} to be confirmed by a clinician), "
        f"{len(policy.levels)} of the level of care, {len(policy.team)} of the team.",
        highlight=False,
    )
    for clock in policy.clocks.values():
        if isinstance(clock, BusinessDays):
            until = clock.calendar.holidays_until
            out.print(f"Its holidays are listed until {until}; after that every working day counts.")
            break
    return 0


def explain(network: Network, referral: str, out: Console) -> None:
    """Everything triage has said about a referral, oldest first, with the rules and what they fired on."""
    try:
        referral_id = UUID(referral)
    except ValueError:
        raise StackError("That is not the id of a referral; `careroute watch` shows them.") from None
    with calling(network, "triage", Role.COORDINATOR) as client:
        said = require(client.get(f"/v1/referrals/{referral_id}/decisions"))["decisions"]
    for fact in said:
        for line in _story(fact):
            out.print(escape(line), highlight=False, soft_wrap=True)


def _story(fact: Json) -> Iterable[str]:
    head = f"{fact['decision']}. {fact['type']}, {fact['occurred_at']}, revision {fact['revision']}"
    did = f" ({fact['action']})" if fact.get("action") else ""
    yield head + (f", decided by {fact['decided_by']}{did}" if fact.get("decided_by") else "")
    if fact["type"] == "ReferralTriaged":
        yield f"   {fact['urgency']}: respond by {fact['respond_by']}; care {fact['level_of_care']}"
        yield f"   team: {', '.join(fact['team'])}; policy {fact['policy']}, version {fact['policy_version']}"
    if fact["type"] == "ReviewRequested":
        held = "; matching waits for it" if fact["holds"] else ""
        yield f"   a clinician looks by {fact['review_by']}{held}"
    if fact["type"] == "InformationRequested":
        yield f"   the referrer answers by {fact['answer_by']}; respond by {fact['respond_by']} as before"
        yield from (f"   ? {question['code']}: {question['text']}" for question in fact["questions"])
    if fact.get("reason"):
        yield f"   reason: {fact['reason']}"
    for rule in (*fact.get("rules", ()), *fact.get("reasons", ())):
        day = f", {rule['on']}" if rule.get("on") else ""
        yield f"   - {rule['rule']} ({rule['datum']}{day}): {rule['text']}"


async def replay(network: Network, path: Path, since: datetime, out: Console) -> None:
    """Prints how many would be answered differently under the policy of this file, and which."""
    who = _who_diagnosis_codes(network)
    present, proposed = in_force(network), load(path, who_diagnosis_codes=who)
    asked, found = 0, list[Difference]()
    async with _reading(network.database("triage")) as database:
        async for rows in row_chunks(database, DECIDED_CASES, since):
            asked += len(rows)
            found += [difference for row in rows if (difference := _compared(row, present, proposed))]
    _print(found, asked, present, proposed, out)


def in_force(network: Network) -> Policy:
    """The policy by which triage decides, by the same settings."""
    return load(
        _file(network, "policy"),
        _file(network, "indications"),
        who_diagnosis_codes=_who_diagnosis_codes(network),
    )


def _file(network: Network, setting: str) -> Path:
    given = network.variables.get(f"TRIAGE_{setting.upper()}")
    default: Path = TriageSettings.model_fields[setting].default
    return Path(given) if given else default


def _who_diagnosis_codes(network: Network) -> bool:
    given = network.variables.get("CAREROUTE_NETWORK_FILE")
    return network_file.load(Path(given) if given else None).who_diagnosis_codes


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[Any]:
    """A connection in one transaction that Postgres itself keeps from writing."""
    try:
        database: Any = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise StackError(f"Triage's database can not be read ({type(error).__name__}).") from None
    try:
        async with database.transaction(isolation="repeatable_read", readonly=True):
            yield database
    finally:
        await database.close()


def _compared(row: asyncpg.Record, present: Policy, proposed: Policy) -> Difference | None:
    case = Case.model_validate_json(row["case"])
    now, then = (answer(case, policy, asked_at=row["changed_at"]) for policy in (present, proposed))
    return Difference(row["referral_id"], now, then) if now != then else None


def answer(case: Case, policy: Policy, *, asked_at: datetime) -> Answer:
    chart = chart_of(case)
    verdict = assess_urgency(chart, policy, asked_at=asked_at)
    pathway = what_care(chart, policy, verdict.urgency)
    return Answer(
        urgency=verdict.urgency,
        respond_by=verdict.respond_by,
        review=bool(verdict.reviews),
        holds=verdict.holds,
        level_of_care=pathway.level_of_care,
        team=pathway.team,
    )


def _print(found: list[Difference], asked: int, present: Policy, proposed: Policy, out: Console) -> None:
    names = [f"{policy.name} {policy.version}" for policy in (present, proposed)]
    out.print(f"{asked} referrals asked again: {names[0]}, then {names[1]}.", highlight=False)
    out.print(f"{len(found)} would be triaged differently.", highlight=False)
    if not found:
        return
    counts = Counter(what for difference in found for what in differs(difference))
    table = Table("what would differ", "referrals")
    for what, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        table.add_row(what, str(count))
    out.print(table)
    for difference in found:
        what = "; ".join(differs(difference))
        out.print(f"{difference.referral_id}  {what}", highlight=False, soft_wrap=True)


def differs(difference: Difference) -> list[str]:
    """In words, each difference once."""
    now, then = difference.now, difference.then
    said = []
    if now.urgency != then.urgency:
        said.append(f"urgency {now.urgency} -> {then.urgency}")
    if now.respond_by != then.respond_by:
        said.append("answered sooner" if then.respond_by < now.respond_by else "answered later")
    if now.review != then.review:
        said.append("a clinician looks" if then.review else "no clinician looks")
    if now.holds != then.holds:
        said.append("matching waits" if then.holds else "matching does not wait")
    if now.level_of_care != then.level_of_care:
        said.append(f"care {now.level_of_care} -> {then.level_of_care}")
    if now.team != then.team:
        said.append(f"team {', '.join(now.team)} -> {', '.join(then.team)}")
    return said
