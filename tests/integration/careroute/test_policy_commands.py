"""`careroute policy`: what it says of a file, of a referral, and of everybody under another policy."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from careroute.cli import app
from careroute.local.errors import StackError
from careroute.network import Network
from careroute.policy import commands
from services.triage.db import referrals
from services.triage.policy.checks import POLICIES
from shared.db.postgres import open_pool, transaction
from shared.events import Screening
from shared.vocabulary import Priority
from tests.integration.triage.support import fact, take
from tests.unit.careroute.http_stand_in import Asked, answering, console, network
from tests.unit.triage.samples import CALM, DAY

UK = POLICIES / "uk-response-times.toml"
US = POLICIES / "us-access-standards.toml"
AGO = datetime.now(UTC) - timedelta(hours=1)
ITEM9 = Screening(instrument="phq9", taken_on=DAY, answers=(*CALM[:8], 1))


@pytest.mark.parametrize("name", ["network-default", "uk-response-times", "us-access-standards"])
def test_a_sound_policy_is_exit_code_0(name: str) -> None:
    done = CliRunner().invoke(app, ["policy", "check", str(POLICIES / f"{name}.toml")])
    assert done.exit_code == 0
    assert name in done.output and "to be confirmed by a clinician" in done.output


def test_every_fault_is_named_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = (POLICIES / "network-default.toml").read_text()
    file.write_text(
        text.replace('"F29", "F30", "F31"] }]', '"F29", "F30", "attempt"] }]').replace(
            'kind = "age", below = 12', 'kind = "age", at_least = 131'
        )
    )
    out, said = console()
    assert commands.check(file, out) == 1
    lines = said.getvalue().splitlines()
    rule = "perinatal-bipolar-or-psychosis-diagnosis"
    assert f"  - {rule}: diagnosis attempt can never fire" in lines
    assert "  - child: can never fire" in lines


async def test_a_decision_is_explained_rule_by_rule(
    tmp_path: Path, database_url: Callable[[str], Awaitable[str]]
) -> None:
    pool = await open_pool(await database_url("triage"), size=2)
    referral_id = uuid4()
    await take(pool, fact(referral_id, screenings=(ITEM9,)))
    async with transaction(pool) as connection:
        decisions = await referrals.history(connection, referral_id)
    await pool.close()
    asked: list[Asked] = []

    def answer(request: Asked) -> tuple[int, str]:
        asked.append(request)
        return 200, json.dumps({"referral_id": str(referral_id), "decisions": decisions})

    out, said = console()
    with answering(answer) as url:
        commands.explain(network(tmp_path, triage=url), str(referral_id), out)
    assert asked[0].path == f"/v1/referrals/{referral_id}/decisions"
    text = said.getvalue()
    assert "ReferralTriaged" in text and "policy network-default, version" in text
    assert f"phq9-item9 (phq9.item9=1, {DAY}): PHQ-9 item 9 is above 0." in text
    with pytest.raises(StackError, match="not the id"):
        commands.explain(network(tmp_path, triage=url), "somebody", out)


async def test_who_would_have_been_triaged_differently(
    database_url: Callable[[str], Awaitable[str]],
) -> None:
    url = await database_url("triage")
    pool = await open_pool(url, size=2)
    calm, urgent, psychosis = uuid4(), uuid4(), uuid4()
    await take(pool, fact(calm))
    await take(pool, fact(urgent, requested_priority=Priority.URGENT))
    await take(pool, fact(psychosis, problems=("psychosis",)))
    rows = await pool.fetch("select * from referral order by referral_id")
    here = Network({}, {"TRIAGE_DATABASE_URL": url}, None)

    out, said = console()
    await commands.replay(here, UK, AGO, out)
    text = said.getvalue()
    assert "3 referrals asked again: network-default 2026-11-27, then uk-response-times 2026-11-27." in text
    assert "1 would be triaged differently." in text
    assert f"{psychosis}  answered sooner; a clinician looks" in text
    assert str(calm) not in text and str(urgent) not in text

    out, said = console()
    await commands.replay(here, US, AGO, out)
    assert f"{urgent}  answered later" in said.getvalue()

    out, said = console()
    await commands.replay(here, POLICIES / "network-default.toml", AGO, out)
    assert "0 would be triaged differently." in said.getvalue()

    out, said = console()
    await commands.replay(here, UK, datetime.now(UTC) + timedelta(hours=1), out)
    assert "0 referrals asked again" in said.getvalue()

    assert await pool.fetch("select * from referral order by referral_id") == rows
    await pool.close()


async def test_a_replay_can_not_write(database_url: Callable[[str], Awaitable[str]]) -> None:
    url = await database_url("triage")
    async with commands._reading(url) as database:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await database.execute("delete from referral")


async def test_a_database_that_is_away_is_a_sentence() -> None:
    here = Network({}, {"TRIAGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, None)
    with pytest.raises(StackError, match="can not be read"):
        await commands.replay(here, UK, AGO, console()[0])
