"""Kafka, with the defaults that lose messages overridden: see docs/decisions/0002."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import aiokafka.client
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.metadata import MetadataRequest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.events import Topic
from shared.kafka.connect_errors import refusal
from shared.settings import ServiceSettings

aiokafka.client.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)
"""Who asks about a topic must not make it, with the partitions of a broker's liking; aiokafka always does."""

COMPACTED: Final = frozenset({Topic.MATCHING_ROSTER})


def ssl_context(settings: ServiceSettings) -> ssl.SSLContext | None:
    """The network's own authority if one is set, else the system's."""
    if not settings.kafka_security.endswith("SSL"):
        return None
    return ssl.create_default_context(cafile=settings.kafka_ca_file)


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """What every aiokafka client of this system is made with."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "security_protocol": settings.kafka_security,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


def _security(settings: ServiceSettings) -> BaseSecurity | None:
    context = ssl_context(settings)
    if not settings.kafka_security.startswith("SASL"):
        return BaseSecurity(ssl_context=context) if context else None
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return kinds[settings.kafka_sasl_mechanism](
        username=settings.kafka_username or "", password=password, ssl_context=context
    )


def make_broker(service: str, settings: ServiceSettings) -> KafkaBroker:
    """For consuming; the relays and the parking have producers of their own."""
    return KafkaBroker(
        settings.kafka_bootstrap_servers.split(","),
        client_id=service,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        allow_auto_create_topics=False,
        graceful_timeout=settings.shutdown_seconds,
        metadata_max_age_ms=10_000,  # a topic made anew, or with more partitions, is read that soon
        acks="all",
        security=_security(settings),
        logger=None,
    )


@asynccontextmanager
async def explained(settings: ServiceSettings) -> AsyncIterator[None]:
    """Whoever is not let in raises why: see `kafka_refusals`."""
    try:
        yield
    except KafkaConnectionError as error:
        raise await refusal(client_options(settings)) from error


async def start_producer(service: str, settings: ServiceSettings) -> AIOKafkaProducer:
    """Acknowledged by all in-sync replicas; idempotent unless the broker cannot."""
    producer = AIOKafkaProducer(
        **client_options(settings),
        client_id=service,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        max_batch_size=131_072,
        compression_type="gzip",
        request_timeout_ms=15_000,
    )
    try:
        async with explained(settings):
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def create_topics(settings: ServiceSettings, names: set[str]) -> None:
    """Those that are missing, with this system's partitions, replication and retention."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    async with explained(settings):
        await admin.start()
    try:
        missing = sorted(names - set(await admin.list_topics()))
        if not missing:
            return
        answer = await admin.create_topics([_new_topic(name, settings) for name in missing])
        for _, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error()
    finally:
        await admin.close()


def _new_topic(name: str, settings: ServiceSettings) -> NewTopic:
    config = {"retention.ms": str(settings.kafka_retention_hours * 3_600_000)}
    if name in COMPACTED:
        config = {"cleanup.policy": "compact"}
    elif name.endswith(".dead"):
        config = {"retention.ms": "-1"}
    return NewTopic(
        name=name,
        num_partitions=1 if name.endswith(".dead") else settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        topic_configs=config,
    )
