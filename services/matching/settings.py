"""Settings of matching, from its environment."""

from dataclasses import fields
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from services.matching.domain.proposals import Policy
from services.matching.domain.scoring import Weights
from shared.settings import ServiceSettings
from shared.vocabulary import Urgency

OFFER_HOURS: Final = MappingProxyType(
    {
        Urgency.EMERGENCY: 0.5,
        Urgency.VERY_URGENT: 1.0,
        Urgency.URGENT: 4.0,
        Urgency.SOON: 24.0,
        Urgency.ROUTINE: 72.0,
        Urgency.PREVENTIVE: 120.0,
    }
)
"""Hours to respond to an offer (policy, to be confirmed by the network)."""

CRITERIA: Final = tuple(field.name for field in fields(Weights))


def _known_criteria(weights: dict[str, float]) -> dict[str, float]:
    if not weights.keys() <= set(CRITERIA):
        raise PydanticCustomError("unknown_criterion", f"only these can be weighed: {', '.join(CRITERIA)}")
    return weights


class MatchingSettings(ServiceSettings):
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_prefix="MATCHING_"
    )

    weights: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=1000)]],
        AfterValidator(_known_criteria),
    ] = Field(
        default_factory=dict,
        description='What a wish weighs, as JSON such as {"language": 4}; the rest keep their own.',
    )
    waiting_share: Annotated[
        float,
        Field(ge=0, le=0.9, description="What waiting counts beside fit, between clients equally urgent."),
    ] = 0.2
    offer_hours: dict[Urgency, Annotated[float, Field(gt=0, le=8760)]] = Field(
        default_factory=dict,
        description='Hours to respond to an offer, as JSON such as {"soon": 48}; the rest keep their own.',
    )
    round_size: Annotated[
        int, Field(ge=1, le=2000, description="Most clients matched at once; keep a round near 100 ms.")
    ] = 50
    retry_minutes: Annotated[
        float,
        Field(
            gt=0,
            description="Minutes between tries to match a waitlisted client, besides when a place frees.",
        ),
    ] = 15
    poll_seconds: Annotated[
        float, Field(gt=0, le=60, description="Seconds between looks for work, besides after each commit.")
    ] = 0.5
    import_limit_bytes: Annotated[
        int, Field(ge=1024, description="The largest CSV file that an import takes.")
    ] = 64 * 1024 * 1024

    @property
    def policy(self) -> Policy:
        return Policy(Weights(**self.weights), self.waiting_share)

    @property
    def hours_to_respond(self) -> dict[Urgency, float]:
        return {**OFFER_HOURS, **self.offer_hours}
