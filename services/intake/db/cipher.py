"""Sealing: AES-256-GCM, each value bound to its referral and its column, under a key that has a name.

A sealed value is 12 random bytes and what AES-GCM made of the JSON. Moved to another row or another column,
it does not open.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import Permanent

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
SHAPE: Final = "must be `keyid:base64 of 32 bytes`, several comma separated, the current one first"


class Unsealable(Permanent):
    """A sealed value does not open: its key is not among ours, or it was changed."""


@dataclass(frozen=True)
class _Key:
    aead: AESGCM
    fingerprints: bytes


class Keyring:
    """All keys that old rows may still need; the first seals what is new."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.current = next(iter(keys))
        self._keys = {key_id: _Key(AESGCM(key), _derived(key)) for key_id, key in keys.items()}

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Raises `ValueError` that says the shape and quotes nothing."""
        keys: dict[str, bytes] = {}
        for entry in text.split(","):
            key_id, _, encoded = entry.strip().partition(":")
            if not _is_key_id(key_id) or key_id in keys:
                raise ValueError(SHAPE)
            keys[key_id] = _decoded(encoded)
        return cls(keys)

    def seal(self, value: Any, *, referral_id: UUID, column: str) -> bytes | None:
        """Under the current key; nothing stays nothing."""
        if value is None:
            return None
        nonce = os.urandom(NONCE_BYTES)
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return nonce + self._keys[self.current].aead.encrypt(nonce, plain, _place(referral_id, column))

    def open(self, sealed: bytes | None, *, key_id: str, referral_id: UUID, column: str) -> Any:
        """Raises `Unsealable`."""
        if sealed is None:
            return None
        key = self._keys.get(key_id)
        if key is None:
            raise Unsealable("key_not_known")
        try:
            nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            return json.loads(key.aead.decrypt(nonce, body, _place(referral_id, column)))
        except InvalidTag:
            raise Unsealable("seal_broken") from None

    def seal_all(self, values: Mapping[str, Any], *, referral_id: UUID) -> dict[str, bytes | None]:
        return {
            column: self.seal(value, referral_id=referral_id, column=column)
            for column, value in values.items()
        }

    def open_all(
        self, sealed: Mapping[str, bytes | None], *, key_id: str, referral_id: UUID
    ) -> dict[str, Any]:
        return {
            column: self.open(value, key_id=key_id, referral_id=referral_id, column=column)
            for column, value in sealed.items()
        }

    def fingerprint(self, body: bytes) -> bytes:
        """By which the same body is known again, and from which nobody without the key can guess it."""
        return hmac.digest(self._keys[self.current].fingerprints, body, "sha256")

    def is_fingerprint(self, fingerprint: bytes, body: bytes, *, key_id: str) -> bool:
        """False also when the key has been taken out: better a conflict named than a referral lost."""
        key = self._keys.get(key_id)
        return key is not None and hmac.compare_digest(
            fingerprint, hmac.digest(key.fingerprints, body, "sha256")
        )


def _place(referral_id: UUID, column: str) -> bytes:
    return f"{referral_id}:{column}".encode()


def _derived(key: bytes) -> bytes:
    return hashlib.sha256(b"careroute:fingerprint:" + key).digest()


def _is_key_id(text: str) -> bool:
    return 0 < len(text) <= 40 and all(
        letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in text
    )


def _decoded(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(SHAPE) from None
    if len(key) != KEY_BYTES:
        raise ValueError(SHAPE)
    return key
