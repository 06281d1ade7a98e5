"""A wrong setting names its variable, and never its value."""

import pytest

from shared.errors import Misconfigured
from shared.settings import ServiceSettings


def test_every_wrong_variable_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_SIZE", "s3cret-typed-here")
    monkeypatch.setenv("KAFKA_SECURITY", "s3cret-typed-there")
    with pytest.raises(Misconfigured) as found:
        ServiceSettings.load()
    text = str(found.value)
    assert "POOL_SIZE" in text and "KAFKA_SECURITY" in text
    assert "s3cret" not in text


def test_a_database_password_is_not_shown_by_accident() -> None:
    settings = ServiceSettings.model_validate({"database_url": "postgresql://u:hunter2@127.0.0.1/x"})
    assert "hunter2" not in repr(settings)
