"""Who the clients are, sealed: each value bound to its referral and its column."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from shared.db.sealing import Seals, Unsealable, parse_keys

__all__ = ["Keyring", "Unsealable"]

KEY_BYTES: Final = 32
SHAPE: Final = "must be `keyid:base64 of 32 bytes`, several comma separated, the current one first"


class Keyring:
    """Seals JSON values, and makes fingerprints by which the same request is known again."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._seals = Seals(keys)
        self._fingerprints = {key_id: _derived(key) for key_id, key in keys.items()}

    @property
    def current(self) -> str:
        """The id of the key that seals what is new."""
        return self._seals.current

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Raises `ValueError` that says the shape and quotes nothing."""
        try:
            entries = parse_keys(text)
        except ValueError:
            raise ValueError(SHAPE) from None
        keys = dict(entries)
        sound = all(_is_key_id(key_id) and len(key) == KEY_BYTES for key_id, key in entries)
        if not sound or len(keys) < len(entries):
            raise ValueError(SHAPE)
        return cls(keys)

    def seal(self, value: Any, *, referral_id: UUID, column: str) -> bytes | None:
        """Under the current key; nothing stays nothing."""
        if value is None:
            return None
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return self._seals.seal(plain, context=_place(referral_id, column))

    def open(self, sealed: bytes | None, *, key_id: str, referral_id: UUID, column: str) -> Any:
        """Raises `Unsealable`."""
        if sealed is None:
            return None
        return json.loads(self._seals.open(sealed, key_id=key_id, context=_place(referral_id, column)))

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
        return hmac.digest(self._fingerprints[self.current], body, "sha256")

    def is_fingerprint(self, fingerprint: bytes, body: bytes, *, key_id: str) -> bool:
        """False also when the key has been taken out: better a conflict named than a referral lost."""
        key = self._fingerprints.get(key_id)
        return key is not None and hmac.compare_digest(fingerprint, hmac.digest(key, body, "sha256"))


def _place(referral_id: UUID, column: str) -> bytes:
    return f"{referral_id}:{column}".encode()


def _derived(key: bytes) -> bytes:
    return hashlib.sha256(b"careroute:fingerprint:" + key).digest()


def _is_key_id(text: str) -> bool:
    return 0 < len(text) <= 40 and all(
        letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in text
    )
