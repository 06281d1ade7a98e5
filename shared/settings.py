"""What every service is told by its environment: typed, frozen, each with a default that works locally."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Misconfigured
from shared.network import TimeZone

SECRETS: Final = "CAREROUTE_SECRETS"


def _shared(name: str, about: str) -> object:
    """A setting without the service's prefix: the same variable for all four."""
    return Field(validation_alias=name, description=about)


class ServiceSettings(BaseSettings):
    """Each service adds its own, under its own prefix such as `TRIAGE_`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: Annotated[SecretStr, Field(description="This service's own Postgres database.")] = (
        SecretStr("postgresql://127.0.0.1:5432/careroute")
    )
    pool_size: Annotated[int, Field(ge=2, le=200, description="Maximum of connections to Postgres.")] = 12
    batch_size: Annotated[
        int,
        Field(
            ge=1,
            le=5000,
            description="Maximum of routine events in one transaction; keep a batch near 100 ms.",
        ),
    ] = 100
    express_batch_size: Annotated[
        int, Field(ge=1, le=1000, description="Maximum of express events in one transaction.")
    ] = 50
    stuck_after_seconds: Annotated[
        float, Field(gt=0, description="A batch that takes longer turns /health/live to 503.")
    ] = 120
    standstill_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="A consumer that has stalled for this long, though Kafka answers and has events for "
            "it, ends its process; docker compose starts another.",
        ),
    ] = 60
    max_parked_in_a_row: Annotated[
        int,
        Field(
            ge=1, description="After this many dead letters with no good message between, the consumer stops."
        ),
    ] = 100

    lanes: Annotated[
        Literal["both", "express", "routine"],
        _shared(
            "CAREROUTE_LANES",
            "Which lanes this process works on. With `routine`, some other process of the service must have "
            "`express`; the alert NoRelay tells when none has.",
        ),
    ] = "both"

    kafka_bootstrap_servers: Annotated[
        str, _shared("KAFKA_BOOTSTRAP_SERVERS", "host:port of the Kafka brokers, comma separated.")
    ] = "127.0.0.1:9092"
    kafka_idempotence: Annotated[
        bool, _shared("KAFKA_IDEMPOTENCE", "Idempotent producer. Off only for the embedded broker.")
    ] = True
    kafka_partitions: Annotated[
        int, _shared("KAFKA_PARTITIONS", "Partitions of a topic when it is created.")
    ] = 6
    kafka_replication: Annotated[
        int, _shared("KAFKA_REPLICATION", "Replicas of a topic when it is created; 3 on a cluster.")
    ] = 1
    kafka_retention_hours: Annotated[
        int, _shared("KAFKA_RETENTION_HOURS", "How long Kafka keeps facts; Postgres keeps them longer.")
    ] = 168
    kafka_security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        _shared("KAFKA_SECURITY", "How to talk to Kafka."),
    ] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], _shared("KAFKA_SASL_MECHANISM", "With SASL only.")
    ] = "SCRAM-SHA-512"
    kafka_username: Annotated[str | None, _shared("KAFKA_USERNAME", "With SASL only.")] = None
    kafka_password: Annotated[SecretStr | None, _shared("KAFKA_PASSWORD", "With SASL only.")] = None
    kafka_ca_file: Annotated[
        Path | None, _shared("KAFKA_CA_FILE", "The certificate authority of the brokers, with SSL.")
    ] = None
    public_keys: Annotated[
        Path | None,
        _shared(
            "CAREROUTE_PUBLIC_KEYS",
            "File with the network's public keys (JWK set). Without it nobody may enter.",
        ),
    ] = None
    network_file: Annotated[
        Path | None,
        _shared(
            "CAREROUTE_NETWORK_FILE",
            "TOML file with the network's regions, payers, communities, clinics and its own words for "
            "urgency. Without it every code counts as known.",
        ),
    ] = None
    time_zone: Annotated[
        TimeZone,
        _shared(
            "CAREROUTE_TIME_ZONE",
            "The network's time zone (IANA): ages and days turn at its midnight. A region of the network "
            "file may have its own.",
        ),
    ] = "UTC"
    outbox_retention_days: Annotated[
        int, _shared("OUTBOX_RETENTION_DAYS", "Sent facts stay in Postgres so long, for replay.")
    ] = 14
    inbox_retention_days: Annotated[
        int, _shared("INBOX_RETENTION_DAYS", "How long a fact is remembered as done; beyond any replay.")
    ] = 35
    shutdown_seconds: Annotated[
        float, _shared("SHUTDOWN_SECONDS", "After SIGTERM, time for work under way to finish.")
    ] = 25
    otel_traces_exporter: Annotated[
        Literal["none", "console", "otlp"],
        _shared(
            "OTEL_TRACES_EXPORTER",
            "Where spans go; nowhere by default. The SDK's other OTEL_* variables hold as well.",
        ),
    ] = "none"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], _shared("LOG_LEVEL", "How much to log.")
    ] = "INFO"

    @classmethod
    def load(cls) -> Self:
        """From the environment, and from the folder CAREROUTE_SECRETS: one file for each variable.

        Raises `Misconfigured` naming every wrong variable, never its value.
        """
        try:
            return cls(_secrets_dir=os.environ.get(SECRETS) or None)  # type: ignore[call-arg]  # its base takes it
        except ValidationError as error:
            lines = (
                f"{cls.variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors(include_input=False)
            )
            raise Misconfigured("Wrong settings. " + "; ".join(lines)) from None

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable of a field."""
        info = cls.model_fields.get(field)
        if info is None:
            return field if field in os.environ else field.upper()
        alias = info.validation_alias
        return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{field}".upper()
