"""The signature of a message, as Standard Webhooks 1.0 lays it down: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from sidecar.errors import ConfigFault

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret, as the standard has it


def secrets_of(text: str) -> tuple[bytes, ...]:
    """The secrets of a file, one a line, each `whsec_` and base64. All of them sign, so that one can be replaced.

    Raises ConfigFault, which never quotes a secret.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ConfigFault("holds no secret")
    return tuple(map(_secret, lines))


def headers(secrets: Sequence[bytes], id_: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message sent at `at`, in seconds since the epoch: one signature for each secret."""
    signed = f"{id_}.{at}.".encode() + body
    signatures = ["v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def _secret(line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not line.startswith(PREFIX) or not SHORTEST <= len(secret) <= LONGEST:
        raise ConfigFault(f"a secret is `{PREFIX}` and {SHORTEST} to {LONGEST} bytes in base64, one a line")
    return secret
