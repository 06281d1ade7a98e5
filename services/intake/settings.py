"""What intake is told by its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from services.intake import policy
from services.intake.db.cipher import Keyring
from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    encryption_keys: Annotated[
        SecretStr,
        Field(
            description="Keys that seal who the clients are, as `keyid:base64 of 32 bytes`, comma separated. "
            "The first seals what is new; keep the others until `careroute rekey` has run."
        ),
    ]
    policy_file: Annotated[
        Path, Field(description="What senders are told when something cannot wait, and who is a minor.")
    ] = policy.DEFAULT
    public_url: Annotated[
        str, Field(description="Under which callers reach this service; links in answers begin with it.")
    ] = ""
    max_under_way: Annotated[
        int, Field(ge=1, description="Requests of one clinic at one time; one more gets 429.")
    ] = 200
    max_streams: Annotated[
        int, Field(ge=1, description="Open event streams of this process; one more gets 429.")
    ] = 1000
    stream_seconds: Annotated[
        float, Field(gt=0, description="An event stream ends after this time; the caller takes it up again.")
    ] = 3600
    heartbeat_seconds: Annotated[
        float, Field(gt=0, description="How often a quiet event stream shows that it is alive.")
    ] = 15
    gather_most: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Maximum of waiting referrals that share one transaction (group commit).",
        ),
    ] = 100
    batch_lines: Annotated[
        int, Field(ge=1, le=1000, description="Lines of an NDJSON batch in one transaction.")
    ] = 200
    batch_patience_seconds: Annotated[
        float, Field(gt=0, description="How long a batch waits for its caller to read answers or send lines.")
    ] = 120
    idempotency_days: Annotated[
        int, Field(ge=1, description="How long an Idempotency-Key is remembered with its answer.")
    ] = 30

    @field_validator("encryption_keys")
    @classmethod
    def _readable(cls, keys: SecretStr) -> SecretStr:
        Keyring.parse(keys.get_secret_value())
        return keys
