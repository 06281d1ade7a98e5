"""Why Kafka did not let us in. aiokafka says KafkaConnectionError to all; one more try tells them apart.

The names of these classes stand in the log lines of a service that waits for Kafka; docs/operations.md says
what to do about each.
"""

import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest


class KafkaGivesNoAnswer(KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """Nobody there, or no way to it: KAFKA_BOOTSTRAP_SERVERS, or Kafka is away."""


class KafkaHangsUp(KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """Somebody is there and ends the conversation: another KAFKA_SECURITY, or Kafka is starting."""


class KafkaIsNotTrusted(KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """Its certificate is of another authority or for another name: KAFKA_CA_FILE."""


class KafkaRefusesUs(KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """User, password or mechanism: KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM."""


async def refusal(options: dict[str, Any], *, seconds: float = 5) -> KafkaConnectionError:
    """Of the last server that is asked, which are all unless one lets us in."""
    found: type[KafkaConnectionError] = KafkaGivesNoAnswer
    given = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    for server in options["bootstrap_servers"]:
        host, _, port = server.strip().rpartition(":")
        try:
            connection = await create_conn(host, int(port), request_timeout_ms=int(seconds * 1000), **given)
            try:
                await connection.send(MetadataRequest([]))  # until then nobody had to say who they are
            finally:
                connection.close()
            return KafkaConnectionError()  # this time it does
        except (KafkaError, OSError, ValueError) as error:
            found = _kind(error)
    return found()


def _kind(error: Exception) -> type[KafkaConnectionError]:
    match error:
        case ssl.SSLCertVerificationError():
            return KafkaIsNotTrusted
        case (
            AuthenticationFailedError()
            | SaslAuthenticationFailed()
            | UnsupportedSaslMechanismError()
            | IllegalSaslStateError()
        ):
            return KafkaRefusesUs
        case ssl.SSLError() | ConnectionResetError() | KafkaConnectionError():
            return KafkaHangsUp
    return KafkaGivesNoAnswer
