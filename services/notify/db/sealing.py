"""Secrets of endpoints, sealed at rest. Each is stored with its key's id, so that keys can change."""

from typing import Final

from pydantic import SecretStr

from shared.db.sealing import Seals, Unsealable, parse_keys
from shared.errors import Misconfigured

OPEN: Final = b"open:"


class Sealer:
    """Seals with the first key and opens with any. Without keys it keeps secrets as they are."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._names = frozenset(keys)
        self._seals = Seals(keys) if keys else None

    @classmethod
    def from_setting(cls, setting: SecretStr | None) -> "Sealer":
        """From `keyid:base64,...`. Raises `Misconfigured`, which does not quote it."""
        try:
            return cls(dict(parse_keys(setting.get_secret_value())) if setting else {})
        except ValueError:
            raise Misconfigured(
                "NOTIFY_ENCRYPTION_KEYS: expected `keyid:base64`, comma separated, of 16, 24 or 32 bytes each"
            ) from None

    def seal(self, secret: str) -> bytes:
        if self._seals is None:
            return OPEN + secret.encode()
        name = self._seals.current.encode()
        return name + b":" + self._seals.seal(secret.encode(), context=name)

    def open(self, sealed: bytes) -> str:
        """Raises `Misconfigured` when the key it was sealed with is not among ours."""
        name, _, rest = sealed.partition(b":")
        if sealed.startswith(OPEN) and "open" not in self._names:
            return rest.decode()
        try:
            if self._seals is None:
                raise Unsealable("key_not_known")
            return self._seals.open(rest, key_id=name.decode(), context=name).decode()
        except Unsealable:
            raise Misconfigured(
                "NOTIFY_ENCRYPTION_KEYS: a stored secret was sealed with another key"
            ) from None
