"""From the image of the commit before to this one's, with referrals on their way."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.account import account
from tests.compose.host import ROOT, Host, engine
from tests.compose.test_host import under_load
from tests.compose.town import Town

pytestmark = pytest.mark.timeout(600)

BEFORE = "careroute:test-before"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def commit_before() -> str:
    """Of what is in the working tree; CAREROUTE_UPGRADE_FROM may name another."""
    if named := os.environ.get("CAREROUTE_UPGRADE_FROM"):
        return named
    changed = _git("status", "--porcelain", "--untracked-files=no", "services", "shared", "requirements")
    return "HEAD" if changed else "HEAD~1"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that runs the commit before."""
    context = tmp_path_factory.mktemp("before")
    _unpack(commit_before(), context)
    host = Host(f"careroute-test-{os.getpid()}", tmp_path_factory.mktemp("host"))
    host.build()
    argument = f"PYTHON_IMAGE={os.environ.get('PYTHON_IMAGE', 'python:3.13-slim')}"
    engine("build", "--quiet", "--build-arg", argument, "--tag", BEFORE, str(context))
    now, host.image = host.image, BEFORE
    try:
        host.up()
        host.image = now
        yield host
    finally:
        print(host.complaints())
        host.remove()


def _unpack(commit: str, folder: Path) -> None:
    try:
        archive = _git("archive", commit)
    except subprocess.CalledProcessError:
        pytest.skip(f"{commit} is not in this clone")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    if not (folder / "Dockerfile").exists():
        pytest.skip(f"{commit} has no Dockerfile")


async def test_an_upgrade_with_referrals_on_their_way_loses_and_doubles_nothing(
    host: Host, town: Town
) -> None:
    load = asyncio.create_task(under_load(town, "upgrade"))
    await asyncio.to_thread(host.up)
    load.cancel()
    ids = await load
    running = {
        engine("inspect", "--format", "{{.Config.Image}}", one["ID"]).strip()
        for one in host.containers("intake", "triage", "matching", "notify")
    }
    assert running == {host.image}
    assert len(ids) > 20
    found = account(host)
    assert found.clean, found.text
    assert found.counts["accepted"] == len(ids)
