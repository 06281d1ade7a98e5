"""Whoever integrates with any of the four APIs reads what each route answers when something is wrong."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from services.intake.app import create_app as intake
from services.matching.app import create_app as matching
from services.notify.app import create_app as notify
from services.triage.app import create_app as triage

APPS: dict[str, Callable[[], FastAPI]] = {
    "intake": intake,
    "triage": triage,
    "matching": matching,
    "notify": notify,
}


def operations(app: FastAPI) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in app.openapi()["paths"].items()
        if path.startswith("/v1/")
        for method, operation in item.items()
    }


@pytest.mark.parametrize("name", APPS)
def test_every_route_says_what_can_go_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTAKE_ENCRYPTION_KEYS", f"k1:{b64encode(bytes(32)).decode()}")
    found = operations(APPS[name]())
    assert found
    for route, operation in found.items():
        answers = operation["responses"]
        assert {"401", "403", "422", "503"} <= set(answers), route
        for status, answer in answers.items():
            if status >= "400":
                assert answer["content"]["application/problem+json"]["schema"], route
        if "{" in route and not route.startswith("put ") and "rota" not in route:
            assert "404" in answers, route
