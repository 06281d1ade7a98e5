"""Loads the made-up network of `examples/`: therapists, postal areas, who is told, who is on call."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from careroute import roster
from careroute.client import Api
from careroute.demo.endpoints import Endpoints
from careroute.local.errors import StackError
from careroute.network import Network
from shared.ids import now
from shared.web.auth import Role

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"


def read(name: str) -> Any:
    """One of the example files, as JSON. Raises `StackError` when the folder is not there."""
    try:
        return json.loads((EXAMPLES / name).read_text())
    except OSError:
        raise StackError(f"{EXAMPLES / name} is missing: run this from a full checkout.") from None


def referrals() -> list[dict[str, Any]]:
    """The example referrals: their key, clinic, scenario and body, with answer sheets of these days."""
    scenarios = read("scenarios.json")
    lines = (EXAMPLES / "referrals.ndjson").read_text().splitlines()
    bodies = up_to_date([json.loads(line) for line in lines if line.strip()], today=now().date())
    return [
        {
            "key": (key := body.pop("idempotency_key")),
            "clinic": scenarios[key]["clinic"],
            "scenario": scenarios[key],
            "body": body,
        }
        for body in bodies
    ]


def up_to_date(bodies: list[dict[str, Any]], *, today: date) -> list[dict[str, Any]]:
    """The same referrals, their newest answer sheet filled in yesterday: an old one would be asked about."""
    days = [date.fromisoformat(sheet["taken_on"]) for body in bodies for sheet in body.get("screenings", ())]
    later = today - timedelta(days=1) - max(days)
    return [body | _moved(body, later) for body in bodies]


def _moved(body: dict[str, Any], later: timedelta) -> dict[str, Any]:
    if "screenings" not in body:
        return {}
    moved = [
        sheet | {"taken_on": (date.fromisoformat(sheet["taken_on"]) + later).isoformat()}
        for sheet in body["screenings"]
    ]
    return {"screenings": moved}


def load_roster(network: Network, out: Console) -> None:
    """Therapists and areas, by the same command an operator uses."""
    if roster.run(network, EXAMPLES / "therapists.csv", EXAMPLES / "areas.csv", out):
        raise StackError("The example roster was not taken whole; see above.")


async def load_people(api: Api, endpoints: Endpoints) -> None:
    """Every clinic, everyone on call, each with an endpoint of their own here; then the rotas."""
    oncall = read("oncall.json")
    for person in [*_clinics(), *oncall["recipients"]]:
        body = {name: value for name, value in person.items() if name != "id"}
        body["channels"] = [
            {"kind": "webhook", "url": endpoints.url(person["id"]), "secret": endpoints.secret}
        ]
        await api.put("notify", f"/v1/recipients/{person['id']}", body, role=Role.OPS)
    for region, rota in oncall["rota"].items():
        await api.put("notify", f"/v1/rota/{region}", rota, role=Role.OPS)


def _clinics() -> list[dict[str, Any]]:
    return [
        {"id": f"{clinic['id']}-{audience}".replace("_", "-"), "audience": audience, "clinic": clinic["id"]}
        for clinic in read("clinics.json")
        for audience in ("clinic", "primary_care")
    ]
