"""The secrets of endpoints are sealed."""

import pytest
from pydantic import SecretStr

from services.notify.db.sealing import Sealer
from shared.errors import Misconfigured

KEY_1, KEY_2 = "k1:" + "A" * 43 + "=", "k2:" + "B" * 42 + "A="


def test_a_secret_is_sealed_and_opened_with_whichever_key_it_was_sealed_with() -> None:
    old = Sealer.from_setting(SecretStr(KEY_1))
    sealed = old.seal("a-shared-secret")
    assert b"a-shared-secret" not in sealed
    assert sealed != old.seal("a-shared-secret"), "never the same twice"
    both = Sealer.from_setting(SecretStr(f"{KEY_2},{KEY_1}"))
    assert both.open(sealed) == "a-shared-secret"
    assert both.seal("x").startswith(b"k2:")
    with pytest.raises(Misconfigured):
        Sealer.from_setting(SecretStr(KEY_2)).open(sealed)


def test_a_wrong_key_setting_is_named_and_not_quoted() -> None:
    for wrong in ("secretvalue", "k1:secretvalue", "k1:c2hvcnQ="):
        with pytest.raises(Misconfigured, match="NOTIFY_ENCRYPTION_KEYS") as raised:
            Sealer.from_setting(SecretStr(wrong))
        assert wrong not in str(raised.value)
