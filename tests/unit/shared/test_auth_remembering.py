"""A token found good is remembered only for as long as it is good."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from careroute.local.keys import Keys
from careroute.tokens import sign
from shared.web.auth import LEEWAY_SECONDS, Role, Verifier
from shared.web.problems import Problem
from tests.support import eventually


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(Path(tmp_path_factory.mktemp("network")))
    keys.ensure()
    return keys


async def test_a_remembered_token_runs_out(keys: Keys) -> None:
    verifier = Verifier.from_file(keys.public_keys)
    made = datetime.now(UTC) - timedelta(hours=1, seconds=LEEWAY_SECONDS - 1.5)
    token = sign(keys.signing_key, role=Role.OPS, subject="somebody", clinic=None, now=made, hours=1)
    assert verifier.caller(token) == verifier.caller(token)

    async def refused() -> bool:
        try:
            verifier.caller(token)
        except Problem as problem:
            return problem.status == 401
        return False

    await eventually(refused, seconds=10, what="refusing the token that has run out")


def test_a_forged_token_is_not_remembered_as_good(keys: Keys) -> None:
    verifier = Verifier.from_file(keys.public_keys)
    token = sign(
        keys.signing_key, role=Role.OPS, subject="somebody", clinic=None, now=datetime.now(UTC), hours=1
    )
    verifier.caller(token)
    head, body, signature = token.split(".")
    for _ in range(2):
        with pytest.raises(Problem):
            verifier.caller(f"{head}.{body}.{'A' * len(signature)}")
