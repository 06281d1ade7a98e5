"""Settings of triage, from its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.triage.policy.checks import POLICIES
from shared.settings import ServiceSettings


class TriageSettings(ServiceSettings):
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_prefix="TRIAGE_"
    )

    policy: Annotated[
        Path, Field(description="The policy file: clocks, rules, levels of care, team, reasons.")
    ] = POLICIES / "network-default.toml"
    indications: Annotated[Path, Field(description="Which modality guidance names for which problem.")] = (
        POLICIES / "indications.toml"
    )
