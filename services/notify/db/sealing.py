"""The secrets of endpoints, sealed at rest with AES-GCM. A key's id is kept, so that keys can change."""

import base64
import binascii
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from shared.errors import Misconfigured

OPEN: Final = b"open:"
NONCE: Final = 12


class Sealer:
    """Seals with the first key and opens with any. Without keys it keeps secrets as they are."""

    def __init__(self, keys: dict[str, AESGCM]) -> None:
        self._keys = keys

    @classmethod
    def from_setting(cls, setting: SecretStr | None) -> "Sealer":
        """From `keyid:base64,...`. Raises `Misconfigured`, which does not quote it."""
        entries = setting.get_secret_value().split(",") if setting else []
        try:
            pairs = [entry.strip().split(":", 1) for entry in entries]
            return cls({name: AESGCM(base64.b64decode(key, validate=True)) for name, key in pairs})
        except (ValueError, binascii.Error):
            raise Misconfigured(
                "NOTIFY_ENCRYPTION_KEYS: expected `keyid:base64`, comma separated, of 16, 24 or 32 bytes each"
            ) from None

    def seal(self, secret: str) -> bytes:
        if not self._keys:
            return OPEN + secret.encode()
        name, key = next(iter(self._keys.items()))
        nonce = os.urandom(NONCE)
        return name.encode() + b":" + nonce + key.encrypt(nonce, secret.encode(), name.encode())

    def open(self, sealed: bytes) -> str:
        """Raises `Misconfigured` when the key it was sealed with is not among ours."""
        name, _, rest = sealed.partition(b":")
        if sealed.startswith(OPEN) and "open" not in self._keys:
            return rest.decode()
        try:
            return self._keys[name.decode()].decrypt(rest[:NONCE], rest[NONCE:], name).decode()
        except (KeyError, InvalidTag):
            raise Misconfigured(
                "NOTIFY_ENCRYPTION_KEYS: a stored secret was sealed with another key"
            ) from None
