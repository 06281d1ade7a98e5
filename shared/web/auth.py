"""Who is calling: bearer tokens signed by the network, verified with its public keys alone."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.errors import Misconfigured
from shared.network import NOTHING_CHECKED, Network
from shared.web.problems import Problem

ALGORITHM: Final = "ES384"
AUDIENCE: Final = "careroute"
LEEWAY_SECONDS: Final = 30
REMEMBERED: Final = 10_000


class Role(StrEnum):
    CLINIC = "clinic"
    COORDINATOR = "coordinator"
    CLINICIAN = "clinician"
    ONCALL = "oncall"
    OPS = "ops"


@dataclass(frozen=True)
class Caller:
    """`clinic` is set for the role clinic, and only then."""

    subject: str
    role: Role
    clinic: str | None = None


class Verifier:
    """Holds the network's public keys by `kid`, so that a key can be replaced while old tokens run out."""

    def __init__(self, keys: dict[str, Any], network: Network = NOTHING_CHECKED) -> None:
        self._keys = keys
        self._network = network
        self._seen: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    @classmethod
    def from_file(cls, path: Path | None, network: Network = NOTHING_CHECKED) -> "Verifier":
        """Raises `Misconfigured` when the file is not a JWK set."""
        if path is None:
            return cls({}, network)
        try:
            keyset = jwt.PyJWKSet.from_json(path.read_text())
        except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
            raise Misconfigured(
                f"CAREROUTE_PUBLIC_KEYS: {path} is not a JWK set ({type(error).__name__})"
            ) from None
        return cls({str(key.key_id): key.key for key in keyset.keys}, network)

    def caller(self, token: str) -> Caller:
        """Raises `Problem` 401 for a token that is forged, expired, for another audience or incomplete, 403
        for one of a clinic that the network does not have.

        A signature takes longer to verify than most requests to serve, so a token found good is remembered
        until it expires.
        """
        seen = self._seen.get(token)
        if seen is None or seen[1] <= time.time():
            self._seen.pop(token, None)
            seen = self._seen[token] = self._verified(token)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return seen[0]

    def _verified(self, token: str) -> tuple[Caller, float]:
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise jwt.InvalidKeyError
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud", "iat"]},
            )
            caller = Caller(str(claims["sub"]), Role(str(claims.get("role"))), claims.get("clinic"))
        except jwt.ExpiredSignatureError:
            raise _unknown("The token has expired. Ask for a new one.") from None
        except (jwt.PyJWTError, ValueError):
            raise _unknown("The token is not one this network signed for this system.") from None
        if caller.role is Role.CLINIC and not caller.clinic:
            raise _unknown("A token of the role clinic must name its clinic.")
        if caller.clinic is not None and not self._network.knows("clinics", caller.clinic):
            raise Problem(
                403,
                "unknown_clinic",
                "The token's clinic is none of this network's. Ask for one that names your clinic's code.",
            )
        return caller, float(claims["exp"]) + LEEWAY_SECONDS


def _unknown(detail: str) -> Problem:
    return Problem(401, "not_authenticated", detail, headers={"WWW-Authenticate": "Bearer"})


_bearer = HTTPBearer(auto_error=False, description="A token made by `careroute token`.")


def allow(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets these roles in: `caller: Annotated[Caller, Depends(allow(Role.OPS))]`."""

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        if credentials is None:
            raise _unknown("Send `Authorization: Bearer <token>`.")
        verifier: Verifier = request.app.state.verifier
        found = verifier.caller(credentials.credentials)
        if found.role not in roles:
            allowed = ", ".join(sorted(roles))
            raise Problem(403, "not_allowed", f"This needs one of the roles: {allowed}.")
        return found

    return caller
