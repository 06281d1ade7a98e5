"""Sealing of columns: AES-GCM under keys that have ids, each sealed value bound to its context.

A sealed value is 12 random bytes and what AES-GCM made of the plain bytes. With another context, such as
another row or another column, it does not open.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import Permanent

NONCE_BYTES: Final = 12


class Unsealable(Permanent):
    """A sealed value does not open: its key is not among ours, or it was changed."""


def parse_keys(text: str) -> list[tuple[str, bytes]]:
    """From `keyid:base64,...`. Raises `ValueError`, which quotes nothing."""
    return [
        (name, _decoded(encoded))
        for name, _, encoded in (each.strip().partition(":") for each in text.split(","))
    ]


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a key is not base64") from None


class Seals:
    """All keys that stored rows may still need; the first seals what is new. Raises `ValueError` for a key
    that is none of AES."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.current = next(iter(keys))
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys[self.current].encrypt(nonce, plain, context)

    def open(self, sealed: bytes, *, key_id: str, context: bytes) -> bytes:
        """Raises `Unsealable`."""
        key = self._keys.get(key_id)
        if key is None:
            raise Unsealable("key_not_known")
        try:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except InvalidTag:
            raise Unsealable("seal_broken") from None
