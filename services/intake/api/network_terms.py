"""A form in the network's own words. A region, payer or community that the network does not have is set
aside: the sender is warned, a coordinator is asked, and what was written stays sealed in intake."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.intake.api.fields import CODE
from services.intake.api.requests import PreferenceForm, ReferralForm
from services.intake.domain.acceptance import Verdict
from services.intake.domain.screening_notes import Note
from shared.network import Kind, Network
from shared.vocabulary import NETWORK_ROTA, Criterion

COMMUNITY_CRITERIA: Final = frozenset({Criterion.CULTURE, Criterion.CULTURE_FAMILIARITY, Criterion.FAITH})

UNMET: Final = "not_understood"
"""In place of a must that nobody understood: no therapist states it, so the limit holds."""

REGION_UNKNOWN: Final = (
    "The referral is taken: the network's own on-call answers for it and a coordinator is asked. No "
    "therapist can be found until the region is corrected."
)
PAYER_UNKNOWN: Final = (
    "The referral is taken and a coordinator is asked. Until it is corrected, therapists are looked for as "
    "if no payer were named."
)
WISH_UNKNOWN: Final = "A coordinator is asked. Until it is corrected, this wish does not count."
MUST_UNKNOWN: Final = "A coordinator is asked. Until it is corrected, no therapist is taken to meet it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`form` is what may travel, `not_understood` what a case says of the rest; `unknown` is what was written
    there, None where everything is known."""

    form: ReferralForm
    warnings: tuple[Note, ...] = ()
    not_understood: tuple[str, ...] = ()
    unknown: Mapping[str, Any] | None = None

    def added_to(self, verdict: Verdict) -> Verdict:
        return replace(verdict, warnings=(*verdict.warnings, *self.warnings))


@dataclass(slots=True)
class _Reading:
    network: Network
    warnings: list[Note] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)
    unknown: dict[str, Any] = field(default_factory=dict)

    def find(self, kind: Kind, said: str, *, where: str, name: str, then: str) -> str | None:
        """The network's code. None for what it does not know, of which the sender is warned."""
        found = self.network.find(kind, said)
        if found is not None and re.fullmatch(CODE, found):
            return found
        self.warnings.append(Note(where, f"{self.network.unknown(kind, said)} {then}", f"unknown_{name}"))
        self.not_understood.append(name)
        return None

    def region(self, said: str) -> str:
        found = self.find("regions", said, where="/client/region", name="region", then=REGION_UNKNOWN)
        if found is None:
            self.unknown["region"] = said
        return found or NETWORK_ROTA

    def payer(self, said: str | None) -> str | None:
        if said is None:
            return None
        found = self.find("payers", said, where="/payer", name="payer", then=PAYER_UNKNOWN)
        if found is None:
            self.unknown["payer"] = said
        return found

    def preferences(self, said: tuple[PreferenceForm, ...]) -> tuple[PreferenceForm, ...]:
        before = len(self.warnings)
        found = [self._preference(f"/preferences/{place}", wish) for place, wish in enumerate(said)]
        if len(self.warnings) > before:
            self.unknown["preferences"] = [wish.model_dump(mode="json") for wish in said]
        return tuple(wish for wish in found if wish.values)

    def _preference(self, where: str, wish: PreferenceForm) -> PreferenceForm:
        if wish.criterion not in COMMUNITY_CRITERIA:
            return wish
        must = wish.strength == "must"
        then = MUST_UNKNOWN if must else WISH_UNKNOWN
        found = [
            self.find("communities", value, where=f"{where}/values/{place}", name="community", then=then)
            for place, value in enumerate(wish.values)
        ]
        values = tuple(dict.fromkeys(value for value in found if value is not None))
        return wish.model_copy(update={"values": values or ((UNMET,) if must else ())})


def terms_of(form: ReferralForm, network: Network) -> Terms:
    reading = _Reading(network)
    client = form.client.model_copy(update={"region": reading.region(form.client.region)})
    payer = reading.payer(form.payer)
    preferences = reading.preferences(form.preferences)
    return Terms(
        form=form.model_copy(update={"client": client, "payer": payer, "preferences": preferences}),
        warnings=tuple(reading.warnings),
        not_understood=tuple(dict.fromkeys(reading.not_understood)),
        unknown=reading.unknown or None,
    )
