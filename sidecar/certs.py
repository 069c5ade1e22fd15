"""A throw-away certificate authority with server and caller certificates, for trying the product."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from sidecar.errors import InputFault

CALLERS = ("dpi", "feed", "auditor")
LIFE = timedelta(days=30)
LEEWAY = timedelta(hours=1)  # clocks differ

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


class Identity(Struct, frozen=True):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as unencrypted PKCS #8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make_demo(folder: Path, now: datetime) -> None:
    """Write ca.pem, and certificate and key of the server and of the callers dpi, feed and auditor.

    A caller's name is the SAN URI spiffe://demo/NAME. Everything is good for thirty days from `now`.
    The authority's key is not kept. Raises InputFault when the folder holds anything already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputFault(f"{folder}: not empty; name a folder that does not exist yet")
    folder.mkdir(parents=True, exist_ok=True)
    ca = authority("dpi-sidecar demo", now)
    (folder / "ca.pem").write_bytes(ca.certificate_pem)
    local = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1"))]
    _write(folder, "server", issued(ca, "server", local, SERVER, now - LEEWAY, now + LIFE))
    for name in CALLERS:
        _write(folder, name, issued(ca, name, [caller_name(name)], CLIENT, now - LEEWAY, now + LIFE))


def caller_name(name: str) -> x509.UniformResourceIdentifier:
    """The SAN URI of a demo caller."""
    return x509.UniformResourceIdentifier(f"spiffe://demo/{name}")


def authority(name: str, now: datetime) -> Identity:
    """A certificate authority, good for thirty days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _builder(subject, subject, key, now - LEEWAY, now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(certificate, key)


def issued(
    ca: Identity,
    name: str,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    start: datetime,
    end: datetime,
) -> Identity:
    """A certificate of `ca` for these alternative names and this extended key usage, valid in [start, end]."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_named(name), ca.certificate.subject, key, start, end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .sign(ca.key, hashes.SHA256())
    )
    return Identity(certificate, key)


def _write(folder: Path, name: str, identity: Identity) -> None:
    (folder / f"{name}.pem").write_bytes(identity.certificate_pem)
    key = folder / f"{name}.key"
    key.touch(mode=0o600)
    key.write_bytes(identity.key_pem)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
