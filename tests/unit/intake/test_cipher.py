"""Sealed values open with their key, in their place, and nowhere else."""

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.db.cipher import Keyring, Unsealable
from services.intake.settings import IntakeSettings
from shared.errors import Misconfigured

HERE = UUID(int=1)


def key(name: str, byte: bytes = b"1") -> str:
    return f"{name}:{base64.b64encode(byte * 32).decode()}"


OLD = Keyring.parse(key("old"))
BOTH = Keyring.parse(f"{key('new', b'2')}, {key('old')}")

said = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(said, st.sampled_from(["name", "words"]))
def test_what_was_sealed_opens_as_it_was(value: object, column: str) -> None:
    sealed = OLD.seal(value, referral_id=HERE, column=column)
    assert OLD.open(sealed, key_id="old", referral_id=HERE, column=column) == value


def test_nothing_stays_nothing_and_nothing_is_sealed_the_same_twice() -> None:
    assert OLD.seal(None, referral_id=HERE, column="name") is None
    one, other = (OLD.seal("Alex", referral_id=HERE, column="name") for _ in range(2))
    assert one != other and one and b"Alex" not in one


@pytest.mark.parametrize(
    ("referral_id", "column"), [(uuid4(), "name"), (HERE, "words")], ids=["another row", "another column"]
)
def test_a_value_moved_elsewhere_does_not_open(referral_id: UUID, column: str) -> None:
    sealed = OLD.seal("Alex", referral_id=HERE, column="name")
    with pytest.raises(Unsealable) as refused:
        OLD.open(sealed, key_id="old", referral_id=referral_id, column=column)
    assert refused.value.reason == "seal_broken"


@given(st.data())
def test_a_value_changed_anywhere_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(OLD.seal("Alex", referral_id=HERE, column="name") or b"")
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unsealable):
        OLD.open(bytes(sealed), key_id="old", referral_id=HERE, column="name")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    assert BOTH.current == "new"
    old = OLD.seal("Alex", referral_id=HERE, column="name")
    assert BOTH.open(old, key_id="old", referral_id=HERE, column="name") == "Alex"
    new = BOTH.seal("Alex", referral_id=HERE, column="name")
    with pytest.raises(Unsealable) as refused:
        OLD.open(new, key_id="new", referral_id=HERE, column="name")
    assert refused.value.reason == "key_not_known"


def test_a_fingerprint_tells_bodies_apart_also_after_a_new_key() -> None:
    fingerprint = OLD.fingerprint(b"one")
    assert BOTH.is_fingerprint(fingerprint, b"one", key_id="old")
    assert not BOTH.is_fingerprint(fingerprint, b"other", key_id="old")
    assert not OLD.is_fingerprint(BOTH.fingerprint(b"one"), b"one", key_id="new")
    assert fingerprint != BOTH.fingerprint(b"one")


WRONG = {
    "no name": base64.b64encode(b"1" * 32).decode(),
    "too short": "k1:" + base64.b64encode(b"1" * 16).decode(),
    "no base64": "k1:not base64 at all",
    "one name twice": f"{key('k1')},{key('k1', b'2')}",
    "a space in the name": key("k 1"),
    "an empty entry": key("k1") + ",",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_wrong_keys_are_named_by_their_setting_and_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTAKE_ENCRYPTION_KEYS", text)
    with pytest.raises(Misconfigured) as refused:
        IntakeSettings.load()
    assert "INTAKE_ENCRYPTION_KEYS" in str(refused.value) and "keyid:base64" in str(refused.value)
    assert text not in str(refused.value) and text.rpartition(":")[2] not in str(refused.value)


def test_missing_keys_are_named_by_their_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTAKE_ENCRYPTION_KEYS", raising=False)
    with pytest.raises(Misconfigured, match="INTAKE_ENCRYPTION_KEYS"):
        IntakeSettings.load()
