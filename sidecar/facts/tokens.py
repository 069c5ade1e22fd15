"""Consistency tokens: the name of a sequence that only this data folder can have given."""

import base64
import binascii
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from sidecar.errors import ConfigFault, InvalidRequest

_KEY_BYTES = 32
_NUMBER_BYTES = 8
_MAC_BYTES = 16
_TOKEN_BYTES = 2 * _NUMBER_BYTES + _MAC_BYTES


class Tokens:
    """Makes and reads tokens. A token names two numbers for one tenant and one use, and nobody else can make it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, use: str, tenant: str, first: int, second: int = 0) -> str:
        """The token of these numbers for this use."""
        numbers = first.to_bytes(_NUMBER_BYTES) + second.to_bytes(_NUMBER_BYTES)
        return base64.urlsafe_b64encode(numbers + self._mac(use, tenant, numbers)).rstrip(b"=").decode()

    def read(self, use: str, tenant: str, token: str, field: str) -> tuple[int, int]:
        """The numbers of a token. Raises InvalidRequest, naming `field`, for one not made for this use and tenant."""
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (UnicodeEncodeError, binascii.Error):
            raw = b""
        numbers, mac = raw[: 2 * _NUMBER_BYTES], raw[2 * _NUMBER_BYTES :]
        if len(raw) != _TOKEN_BYTES or not hmac.compare_digest(mac, self._mac(use, tenant, numbers)):
            raise InvalidRequest(field, "not a token this sidecar gave")
        return int.from_bytes(numbers[:_NUMBER_BYTES]), int.from_bytes(numbers[_NUMBER_BYTES:])

    def _mac(self, use: str, tenant: str, numbers: bytes) -> bytes:
        # The numbers have a fixed length and no use holds a NUL, so no two messages read alike.
        message = numbers + use.encode() + b"\0" + tenant.encode()
        return hmac.digest(self._key, message, "sha256")[:_MAC_BYTES]


def token_key(path: Path, random: Callable[[int], bytes]) -> bytes:
    """The key of a data folder, made when there is none. Raises ConfigFault for one that cannot be used."""
    try:
        if path.exists():
            key = path.read_bytes()
        else:
            key = random(_KEY_BYTES)
            _put(path, key)
    except OSError as fault:
        raise ConfigFault(f"`data`: {path} cannot be used: {fault.strerror}") from None
    if len(key) != _KEY_BYTES:
        raise ConfigFault(f"`data`: {path} holds {len(key)} bytes and not {_KEY_BYTES}: delete it to have another made")
    return key


def _put(path: Path, key: bytes) -> None:
    """Write a key whole or not at all, for its owner alone."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
