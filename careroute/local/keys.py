"""What a stack must keep to itself: made at the first start, kept in its folder."""

import base64
import hashlib
import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from careroute.local.folder import kept, make_folder, write_private


class Keys:
    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder / "keys")
        self.signing_key = self._folder / "signing-key.json"
        self.public_keys = self._folder / "public-keys.json"

    def ensure(self) -> None:
        """The pair that signs tokens: one private JWK, and a JWKS with its public half alone."""
        private = json.loads(kept(self.signing_key, _new_signing_key))
        public = {name: value for name, value in private.items() if name != "d"}
        write_private(self.public_keys, json.dumps({"keys": [public]}, indent=1))

    def password(self, role: str) -> str:
        return kept(self._folder / f"{role}.password", lambda: secrets.token_urlsafe(24))

    def encryption_keys(self, file: str = "encryption-keys") -> str:
        """`keyid:base64`, comma separated, the first one current: rotate by putting a new one in front."""
        return kept(self._folder / file, _new_encryption_key).strip()


def _new_encryption_key() -> str:
    return f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _new_signing_key() -> str:
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()), as_dict=True)
    return json.dumps({**key, "kid": _thumbprint(key), "alg": "ES384", "use": "sig"}, indent=1)


def _thumbprint(key: dict[str, str]) -> str:
    """RFC 7638."""
    members = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
