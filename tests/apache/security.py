"""TLS with an authority of its own and SASL SCRAM, for the listener that clients come in by."""

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from careroute.local.environment import SERVICES
from careroute.local.folder import write_private
from careroute.local.ports import HOST
from tests.apache.node import CLIENT, protocols

_MECHANISM = "SCRAM-SHA-512"
_USER = "careroute"
_LOGIN_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class Security:
    ca_file: Path
    key_file: Path
    password: str

    @classmethod
    def make(cls, folder: Path) -> Self:
        """A new authority, which signs one certificate for the loopback address and forgets its own key."""
        made = cls(folder / "ca.pem", folder / "server.pem", secrets.token_urlsafe(24))
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "careroute tests")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        authority = (
            _certificate(issuer, issuer, authority_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(authority_key, hashes.SHA256())
        )
        certificate = (
            _certificate(issuer, subject, key.public_key())
            .add_extension(address, critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(made.ca_file, authority.public_bytes(Encoding.PEM).decode())
        write_private(made.key_file, (private + certificate.public_bytes(Encoding.PEM)).decode())
        return made

    @property
    def properties(self) -> dict[str, str]:
        """Of a node."""
        listener = f"listener.name.{CLIENT.lower()}"
        return {
            "listener.security.protocol.map": protocols(client="SASL_SSL"),
            f"{listener}.ssl.keystore.type": "PEM",
            f"{listener}.ssl.keystore.location": str(self.key_file),
            f"{listener}.sasl.enabled.mechanisms": _MECHANISM,
            f"{listener}.{_MECHANISM.lower()}.sasl.jaas.config": f"{_LOGIN_MODULE} required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{_USER}",  # nobody has a name on the other listeners
        }

    @property
    def format_options(self) -> tuple[str, ...]:
        """A superuser and one for each service are there from the first start on, with one password."""
        users = (f"{_MECHANISM}=[name={user},password={self.password}]" for user in (_USER, *SERVICES))
        return tuple(chain.from_iterable(("--add-scram", user) for user in users))

    @property
    def environment(self) -> dict[str, str]:
        """Of a service."""
        return {
            "KAFKA_SECURITY": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": _MECHANISM,
            "KAFKA_USERNAME": _USER,
            "KAFKA_PASSWORD": self.password,
            "KAFKA_CA_FILE": str(self.ca_file),
        }


def _certificate(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
    )
