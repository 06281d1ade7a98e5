"""The endpoints that callers give."""

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from services.notify.api.requests import RecipientForm


def form(url: str, **changes: Any) -> RecipientForm:
    given = {"audience": "ops", "channels": [{"kind": "webhook", "url": url}]}
    return RecipientForm.model_validate(given | changes)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://clinic.example/hook",
        "file:///etc/passwd",
        "http://",
        "clinic.example/hook",
        "https://user:pass@clinic.example/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "https://clinic.example/hook#x",
        "http://clinic.example:99999999/",
        "http://\x00/",
    ],
)
def test_only_http_endpoints_of_somebody_are_taken(url: str) -> None:
    with pytest.raises(ValidationError):
        form(url)


@pytest.mark.parametrize(
    "url", ["https://clinic.example/hook?x=1", "http://127.0.0.1:9000/", "http://bücher.example/"]
)
def test_an_endpoint_queues_by_its_host(url: str) -> None:
    assert form(url).channels[0].host == httpx.URL(url).netloc.decode()
