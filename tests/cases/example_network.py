"""The example network for cases: its file, and who is told and on call in it."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from services.notify.api.requests import RecipientForm, RotaForm
from services.notify.domain.directory import Directory
from shared.network import load
from tests.cases.pipeline import RULES

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
NETWORK: Final = load(EXAMPLES / "network.toml")
RULES_THERE: Final = dataclasses.replace(RULES, network=NETWORK)


def _directory() -> Directory:
    text = (EXAMPLES / "oncall.json").read_text().replace("{endpoints}", "http://127.0.0.1:9")
    known: dict[str, Any] = json.loads(text)
    recipients = [
        RecipientForm.model_validate({k: v for k, v in each.items() if k != "id"}).recipient(each["id"])
        for each in known["recipients"]
    ]
    rotas = known["rota"].items()
    duties = [duty for region, rota in rotas for duty in RotaForm.model_validate(rota).duties(region)]
    return Directory(recipients, duties)


DIRECTORY: Final = _directory()
