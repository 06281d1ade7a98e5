"""From the image of an earlier commit to this one's, with referrals on their way.

The earlier one is the newest ancestor whose image is another than this one's and starts; or, by
CAREROUTE_UPGRADE_FROM, the commit or tag that you mean. The test says which it was.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compose.account import account
from tests.compose.conftest import Hosts
from tests.compose.host import ROOT, Failed, Host, engine
from tests.compose.test_host import under_load
from tests.compose.town import Town

pytestmark = pytest.mark.timeout(900)

BEFORE = "careroute:test-before"
IN_THE_IMAGE = ("services", "shared", "careroute", "examples", "requirements/operator.txt", "Dockerfile")
TRIES = 3


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def _differs(commit: str) -> bool:
    """From what is in the working tree, in what the image is made of."""
    return bool(_git("diff", "--name-only", commit, "--", *IN_THE_IMAGE))


def earlier_commits() -> Iterator[str]:
    """The newest first."""
    if named := os.environ.get("CAREROUTE_UPGRADE_FROM"):
        yield named
        return
    yield from filter(_differs, _git("rev-list", "--first-parent", "HEAD").decode().split())


@pytest.fixture(scope="module")
def host(
    hosts: Hosts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Host]:
    """A host that runs an earlier commit."""
    failed = []
    for commit, _ in zip(earlier_commits(), range(TRIES), strict=False):
        try:
            _build(commit, tmp_path_factory.mktemp("before"))
            host = hosts.up(image=BEFORE)
        except Failed as error:
            failed.append(f"{commit}: {error}")
            hosts.remove()
            continue
        _say(request, f"upgrading from {_git('show', '--no-patch', '--oneline', commit).decode().strip()}")
        host.image = "careroute:test"
        yield host
        print(host.complaints())
        return
    if failed:
        pytest.fail("No earlier commit can be started:\n" + "\n".join(failed))
    pytest.skip("this clone has no earlier commit")


def _say(request: pytest.FixtureRequest, line: str) -> None:
    """Whether the test passes or not."""
    manager: Any = request.config.pluginmanager
    with manager.get_plugin("capturemanager").global_and_fixture_disabled():
        manager.get_plugin("terminalreporter").write_line(f"\n{line}")


def _build(commit: str, folder: Path) -> None:
    subprocess.run(["tar", "-x", "-C", str(folder)], input=_git("archive", commit), check=True)
    if not (folder / "Dockerfile").exists():
        raise Failed("has no Dockerfile")
    argument = f"PYTHON_IMAGE={os.environ.get('PYTHON_IMAGE', 'python:3.13-slim')}"
    engine("build", "--quiet", "--build-arg", argument, "--tag", BEFORE, str(folder), seconds=900)


async def test_an_upgrade_with_referrals_on_their_way_loses_and_doubles_nothing(
    host: Host, town: Town
) -> None:
    load = asyncio.create_task(under_load(town, "upgrade"))
    await asyncio.to_thread(host.up)
    load.cancel()
    ids = await load
    running = {
        engine("inspect", "--format", "{{.Config.Image}}", one["ID"]).strip()
        for one in host.containers(
            "intake", "triage", "triage-express", "matching", "notify", "notify-express"
        )
    }
    assert running == {host.image}
    assert len(ids) > 20
    again = host.careroute("redecide", "--per-second", "20")
    assert again.returncode == 0, again.stdout + again.stderr
    await town.acknowledge_all()
    found = account(host)
    assert found.clean, found.text
    assert found.counts["accepted"] == len(ids)
    assert found.counts["open referrals decided by older rules"] == 0
