"""Bearer tokens, signed with the network's private key."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import jwt

from careroute.local.errors import StackError
from shared.ids import new_id
from shared.web.auth import ALGORITHM, AUDIENCE, Role


def sign(key_file: Path, *, role: Role, subject: str, clinic: str | None, now: datetime, hours: float) -> str:
    """A JWT for one role; a clinic's names its clinic. Raises `StackError` for an unusable key."""
    if role is Role.CLINIC and not clinic:
        raise StackError("A token of the role clinic needs --clinic.")
    try:
        material = json.loads(key_file.read_text())
        key = jwt.PyJWK(material).key
    except (OSError, ValueError, jwt.PyJWTError) as error:
        raise StackError(f"{key_file} is not a private JWK ({type(error).__name__}).") from None
    claims = {
        "iss": "careroute",
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "iat": now,
        "exp": now + timedelta(hours=hours),
        "jti": str(new_id()),
        **({"clinic": clinic} if clinic else {}),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": material["kid"]})
