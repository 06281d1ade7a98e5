"""Only what the network signed, for us, in time, is let in."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import jwt
import pytest
from fastapi import APIRouter, Depends, FastAPI

from careroute.local.keys import Keys
from careroute.tokens import sign
from shared.errors import Misconfigured
from shared.network import Network
from shared.web import problems
from shared.web.auth import ALGORITHM, AUDIENCE, Caller, Role, Verifier, allow

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(tmp_path_factory.mktemp("network"))
    keys.ensure()
    return keys


@pytest.fixture(scope="module")
def client(keys: Keys) -> httpx.AsyncClient:
    router = APIRouter()

    @router.get("/mine")
    async def mine(caller: Annotated[Caller, Depends(allow(Role.CLINIC, Role.OPS))]) -> dict[str, Any]:
        return {"role": caller.role, "clinic": caller.clinic}

    app = FastAPI()
    app.state.verifier = Verifier.from_file(keys.public_keys)
    app.include_router(router)
    problems.install(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


def token(keys: Keys, role: Role = Role.OPS, *, clinic: str | None = None, hours: float = 1) -> str:
    return sign(keys.signing_key, role=role, subject="tester", clinic=clinic, now=NOW, hours=hours)


async def get(client: httpx.AsyncClient, token: str | None) -> httpx.Response:
    return await client.get("/mine", headers={"Authorization": f"Bearer {token}"} if token else {})


async def test_a_signed_token_opens_the_door(client: httpx.AsyncClient, keys: Keys) -> None:
    answer = await get(client, token(keys, Role.CLINIC, clinic="clinic-1"))
    assert answer.json() == {"role": "clinic", "clinic": "clinic-1"}


async def test_another_role_is_refused_and_told_which_would_do(client: httpx.AsyncClient, keys: Keys) -> None:
    answer = await get(client, token(keys, Role.ONCALL))
    assert answer.status_code == 403
    assert "clinic, ops" in answer.json()["detail"]


def private(keys: Keys) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(keys.signing_key.read_text())
    return found


def forged(keys: Keys, stranger: Keys, kind: str) -> str | None:
    """What an attacker, or an accident, would send."""
    claims = {"sub": "x", "role": "ops", "aud": AUDIENCE, "iat": NOW, "exp": NOW + timedelta(hours=1)}
    kid = {"kid": private(keys)["kid"]}
    key = jwt.PyJWK(private(keys)).key

    def unsigned(text: bytes) -> str:
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    match kind:
        case "nothing":
            return None
        case "not a token":
            return "a.b.c"
        case "expired":
            return token(keys, hours=-1)
        case "another network's key":
            return jwt.encode(claims, jwt.PyJWK(private(stranger)).key, algorithm=ALGORITHM, headers=kid)
        case "unknown kid":
            return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": "other"})
        case "no kid":
            return jwt.encode(claims, key, algorithm=ALGORITHM)
        case "algorithm none":
            header = unsigned(json.dumps({"alg": "none", **kid}).encode())
            body = unsigned(json.dumps({**claims, "iat": 1, "exp": 9999999999}).encode())
            return f"{header}.{body}."
        case "public key as secret":
            header = unsigned(json.dumps({"alg": "HS256", **kid}).encode())
            body = unsigned(json.dumps({**claims, "iat": 1, "exp": 9999999999}).encode())
            signed = f"{header}.{body}".encode()
            mac = hmac.digest(keys.public_keys.read_bytes(), signed, "sha256")
            return f"{signed.decode()}.{unsigned(mac)}"
        case "another audience":
            return jwt.encode({**claims, "aud": "elsewhere"}, key, algorithm=ALGORITHM, headers=kid)
        case "no expiry":
            return jwt.encode(
                {k: v for k, v in claims.items() if k != "exp"}, key, algorithm=ALGORITHM, headers=kid
            )
        case "unknown role":
            return jwt.encode({**claims, "role": "root"}, key, algorithm=ALGORITHM, headers=kid)
        case "clinic without clinic":
            return jwt.encode({**claims, "role": "clinic"}, key, algorithm=ALGORITHM, headers=kid)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "nothing",
        "not a token",
        "expired",
        "another network's key",
        "unknown kid",
        "no kid",
        "algorithm none",
        "public key as secret",
        "another audience",
        "no expiry",
        "unknown role",
        "clinic without clinic",
    ],
)
async def test_anything_else_is_401_with_what_to_do(
    client: httpx.AsyncClient, keys: Keys, tmp_path: Path, kind: str
) -> None:
    stranger = Keys(tmp_path)
    stranger.ensure()
    answer = await get(client, forged(keys, stranger, kind))
    assert answer.status_code == 401, kind
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"


def test_two_keys_hold_while_one_is_replaced(keys: Keys, tmp_path: Path) -> None:
    new = Keys(tmp_path / "new")
    new.ensure()
    both = tmp_path / "both.json"
    both.write_text(
        json.dumps(
            {
                "keys": [
                    *json.loads(keys.public_keys.read_text())["keys"],
                    *json.loads(new.public_keys.read_text())["keys"],
                ]
            }
        )
    )
    verifier = Verifier.from_file(both)
    assert verifier.caller(token(keys)).role is Role.OPS
    assert verifier.caller(token(new)).role is Role.OPS


def test_a_file_that_is_no_key_set_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("[]")
    with pytest.raises(Misconfigured, match="CAREROUTE_PUBLIC_KEYS"):
        Verifier.from_file(tmp_path / "keys.json")


async def test_a_clinic_that_the_network_does_not_have_is_refused(keys: Keys) -> None:
    network = Network.model_validate({"clinics": {"clinic-1": {"aliases": ["Clinic One"]}}})
    verifier = Verifier.from_file(keys.public_keys, network)
    assert verifier.caller(token(keys, Role.CLINIC, clinic="clinic-1")).clinic == "clinic-1"
    assert verifier.caller(token(keys, Role.OPS)).role is Role.OPS
    for clinic in ("clinic-2", "Clinic-1", "Clinic One"):
        for _ in range(2):
            with pytest.raises(problems.Problem) as refused:
                verifier.caller(token(keys, Role.CLINIC, clinic=clinic))
            assert (refused.value.status, refused.value.code) == (403, "unknown_clinic")
            assert clinic not in refused.value.detail
