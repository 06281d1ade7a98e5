"""A certificate authority of this network's own, and the certificate that Kafka shows its clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from careroute.local.folder import kept, write_private

AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 825
RENEW_DAYS: Final = 30
"""A server certificate with less time left is made anew, at the next start."""


@dataclass(frozen=True)
class Made:
    """As PEM: the authority's certificate; the server's private key and certificate in one."""

    certificate: str
    server: str


def ensure(folder: Path, server_name: str) -> Made:
    """The authority's key never leaves `folder`."""
    authority_key = _key(kept(folder / "authority-key.pem", _new_key))
    certificate = kept(folder / "authority.pem", lambda: _authority(authority_key))
    server = folder / f"{server_name}.pem"
    if not server.exists() or _ends(server) - datetime.now(UTC) < timedelta(days=RENEW_DAYS):
        write_private(server, _server(server_name, authority_key, certificate))
    return Made(certificate, server.read_text())


def _ends(server: Path) -> datetime:
    return x509.load_pem_x509_certificate(server.read_bytes()).not_valid_after_utc


def _new_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("careroute authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> str:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder("careroute authority", key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return _pem(builder.sign(key, hashes.SHA256()))


def _server(name: str, authority_key: ec.EllipticCurvePrivateKey, authority: str) -> str:
    pem = _new_key()
    issuer = x509.load_pem_x509_certificate(authority.encode())
    builder = (
        _builder(name, _key(pem), SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),  # type: ignore[arg-type]  # ours is EC
            critical=False,
        )
    )
    return pem + _pem(builder.sign(authority_key, hashes.SHA256())) + authority


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
