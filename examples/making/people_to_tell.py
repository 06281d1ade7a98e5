"""Who is told: the clinics' own systems, and in each region a desk for those on call.

`{endpoints}` in an address stands for wherever webhooks are taken; whoever loads the files fills it in.
"""

from typing import Any, Final

from examples.making.places import CLINICS, REGIONS

Json = dict[str, Any]

ENDPOINTS: Final = "{endpoints}"


def clinics() -> list[Json]:
    """The content of `clinics.json`."""
    return [
        {
            "id": clinic.code,
            "name": clinic.name,
            "regions": list(clinic.regions),
            "webhook": f"{ENDPOINTS}/{clinic.code}",
        }
        for clinic in CLINICS
    ]


def on_call() -> Json:
    """The content of `oncall.json`: recipients and rotas as notify takes them."""
    recipients = [_desk("ops-network", "ops"), _desk("clinician-network", "clinician")]
    for region in REGIONS:
        recipients += [_desk(f"psychiatrist-{region.code}-{n}", "psychiatrist", region.code) for n in (1, 2)]
        recipients += [
            _desk(f"{audience}-{region.code}", audience, region.code)
            for audience in ("clinician", "coordinator", "therapist")
        ]
    rota = {region.code: _rota(region.code) for region in REGIONS}
    return {"recipients": recipients, "rota": rota | {"network": _rota_of_the_network()}}


def _desk(code: str, audience: str, *regions: str) -> Json:
    """Without regions: for all of them."""
    channels = [{"kind": "webhook", "url": f"{ENDPOINTS}/{code}"}]
    return {"id": code, "audience": audience, "regions": list(regions), "channels": channels}


def _rota(region: str) -> Json:
    """No shifts: this list is on call at every hour, in this order for each profession."""
    psychiatrists = [f"psychiatrist-{region}-1", f"psychiatrist-{region}-2"]
    return {"shifts": [], "fallback": [*psychiatrists, f"clinician-{region}", "clinician-network"]}


def _rota_of_the_network() -> Json:
    """For referrals of a region that nobody knows, and where a region has nobody on call."""
    psychiatrists = [f"psychiatrist-{region.code}-1" for region in REGIONS[:2]]
    return {"shifts": [], "fallback": [*psychiatrists, "clinician-network"]}
