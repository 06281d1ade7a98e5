"""A host is backed up at work, loses everything, and is put back with an empty Kafka."""

import asyncio
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.compose.account import account
from tests.compose.host import PATIENCE, ROOT, Failed, Host
from tests.compose.town import Town, crisis, referral

pytestmark = pytest.mark.timeout(600)


def script(host: Host, name: str, *arguments: str) -> str:
    answer = subprocess.run(
        [str(ROOT / "ops" / "compose" / name), *arguments],
        cwd=ROOT,
        env=host.environment | {"COMPOSE": shlex.join(host.command)},
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    if answer.returncode:
        raise Failed(f"{name}\n{answer.stdout}\n{answer.stderr}")
    return answer.stdout


async def test_what_was_backed_up_comes_back_and_the_account_is_clean(
    host: Host, town: Town, tmp_path: Path
) -> None:
    host.up("--no-recreate", "prometheus")  # what watches is no hindrance
    before = account(host).counts["accepted"]
    ids = await asyncio.gather(*(town.submit(f"early-{n}", referral()) for n in range(40)))
    alert = await town.submit("early-crisis", crisis())
    await town.is_called(alert)
    await town.acknowledge_all()
    under_way = asyncio.gather(*(town.submit(f"while-{n}", referral()) for n in range(60)))
    await asyncio.to_thread(script, host, "backup.sh", str(tmp_path / "backup"))
    await under_way
    (after,) = await asyncio.gather(town.submit("after", referral()))

    restored = await asyncio.to_thread(script, host, "restore.sh", str(tmp_path / "backup"), "--replace")
    assert "Everybody has acted on everything." in restored

    found = account(host)
    assert found.clean, found.text
    assert 41 <= found.counts["accepted"] - before <= 101
    for id in [*ids, alert]:
        assert (await town.referral(id))["state"] != "received"
    # What came after the backup is gone, as a backup's is; its clinic sends it again.
    assert await town.submit("after", referral()) != after
    # An answer given before is still the answer.
    assert await town.submit("early-0", referral()) == ids[0]


def test_a_restore_that_was_not_meant_does_nothing(host: Host, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="Say --replace"):
        script(host, "restore.sh", str(tmp_path))
    assert all(one["State"] == "running" for one in host.containers("postgres", "kafka", "intake"))


def test_a_backup_does_not_write_over_another(host: Host, tmp_path: Path) -> None:
    (tmp_path / "postgres.tar.gz").write_text("older")
    with pytest.raises(Failed, match="choose a new folder"):
        script(host, "backup.sh", str(tmp_path))
    assert os.listdir(tmp_path) == ["postgres.tar.gz"]
