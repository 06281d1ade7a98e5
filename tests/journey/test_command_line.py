"""The operator's commands against a running stack, as an operator types them."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

from tests.journey.conftest import Town
from tests.journey.town import referral
from tests.support import eventually

ROOT = Path(__file__).parents[2]


async def careroute(town: Town, *words: str) -> tuple[int, str]:
    """Exit code and everything it said."""
    environ = os.environ | {"CAREROUTE_FOLDER": str(town.stack.folder), "COLUMNS": "200"}

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "careroute", *words],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
        )

    done = await asyncio.to_thread(run)
    return done.returncode, done.stdout + done.stderr


async def test_help_teaches(town: Town) -> None:
    code, said = await careroute(town, "--help")
    assert code == 0
    for command in ("up", "demo", "submit", "roster", "watch", "token", "dead", "replay", "reconcile"):
        assert command in said
    assert "Exit codes" in said


async def test_a_file_submitted_twice_is_taken_once(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "referrals.ndjson"
    file.write_text("\n".join(json.dumps(referral(notes=f"number {n}")) for n in range(7)))
    before = (await town.account()).accepted
    for _ in range(2):
        code, said = await careroute(town, "submit", str(file), "--clinic", "clinic-1")
        assert code == 0, said
    assert (await town.account()).accepted == before + 7


async def test_a_bad_line_is_named_and_the_others_are_taken(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "referrals.ndjson"
    good = json.dumps(referral(notes="the good one"))
    file.write_text(f"{good}\n{json.dumps(referral(screenings='gloom'))}\n")
    code, said = await careroute(town, "submit", str(file), "--clinic", "clinic-1")
    assert code == 1
    assert "screenings" in said and "gloom" not in said
    code, said = await careroute(town, "submit", str(tmp_path / "no-such-file"), "--clinic", "clinic-1")
    assert code == 2 and "Traceback" not in said


async def test_what_is_parked_is_listed_shown_and_replayed(town: Town) -> None:
    assert (await careroute(town, "dead", "list"))[0] == 0
    producer = AIOKafkaProducer(bootstrap_servers=town.network.kafka)
    await producer.start()
    try:
        await producer.send_and_wait("intake.referrals.v1", b"{broken", key=b"k")
    finally:
        await producer.stop()

    async def parked() -> str | None:
        code, said = await careroute(town, "dead", "list")
        return said if code == 1 else None

    listed = await eventually(parked, seconds=40, what="parking")
    assert "not_json" in listed
    (id,) = [word for word in listed.split() if word.startswith("triage:intake.referrals.v1/")]
    code, said = await careroute(town, "reconcile")
    assert code == 1 and id in said
    code, said = await careroute(town, "dead", "show", id)
    assert code == 0 and "x-reason: not_json" in said and "{broken" in said
    code, said = await careroute(town, "dead", "replay", id)
    assert code == 0 and "1" in said

    async def parked_again() -> bool:
        """It is as broken as it was; what stood there before is gone."""
        code, said = await careroute(town, "dead", "list")
        return code == 1 and id not in said

    await eventually(parked_again, seconds=40, what="parking it again")
    code, said = await careroute(town, "dead", "show", "triage:no.such/0/0")
    assert code == 1 and "dead list" in said and "Traceback" not in said


async def test_wrong_words_are_exit_code_two(town: Town) -> None:
    for words in (
        ("replay", "--since", "yesterday-ish"),
        ("replay", "--since", "1h", "--service", "billing"),
    ):
        code, said = await careroute(town, *words)
        assert code == 2, said
        assert "Traceback" not in said


async def test_a_token_needs_its_clinic(town: Town) -> None:
    code, said = await careroute(town, "token", "--role", "clinic")
    assert code == 1 and "--clinic" in said
    code, said = await careroute(town, "token", "--role", "clinic", "--clinic", "clinic-1")
    assert code == 0 and said.count(".") == 2


async def test_watch_once_shows_where_a_referral_stands(town: Town) -> None:
    taken = await town.submit(referral())
    await town.is_in(taken["id"], "offered")
    code, said = await careroute(town, "watch", taken["id"], "--once")
    assert code == 0, said
    assert "offered" in said


async def test_replay_does_not_count_as_acted_on_what_is_still_to_be_sent(town: Town) -> None:
    await town.submit(referral())
    town.stack.processes.stop("intake")
    words = ("replay", "--since", "1h", "--service", "intake")
    code, said = await careroute(town, *words, "--wait", "0.1")
    assert code == 1 and "facts have not been acted on" in said
    town.stack.start_services("intake", seconds=90)
    code, said = await careroute(town, *words)
    assert code == 0 and "Everybody has acted on everything" in said, said
