"""Who calls: from the proof a connection carries to the caller the configuration describes."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from sidecar.core.model import Caller
from sidecar.errors import ConfigFault, PermissionDenied, Unauthenticated

Role = Literal["dpi", "feed", "reviewer", "administrator", "auditor", "metrics"]
BEARER = b"bearer "

NOBODY = Caller(id="")


class CallerConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One system: its name, how it is proven (at least one way), and what it may do."""

    name: str
    channel: Literal["dpi", "portal", "platform", "support", "service"] = "dpi"
    roles: tuple[Role, ...] = ()
    tenant: str = "default"
    controllers: tuple[str, ...] = ()
    hds: Literal["certified", "not_needed", "missing"] = "missing"
    may_assert: tuple[Literal["identity", "facts"], ...] = ()
    san_uri: str = ""
    token_sha256: str = ""


class Callers:
    """The callers of the configuration, by SAN URI and by bearer token. Tokens are known by their SHA-256 alone."""

    def __init__(self, configured: Sequence[CallerConfig]) -> None:
        """Raises ConfigFault for two callers of one name or one proof, and for a caller without any proof."""
        self._by_uri: dict[str, Caller] = {}
        self._by_token: dict[bytes, Caller] = {}
        names: set[str] = set()
        for config in configured:
            caller = _caller(config)
            if config.name in names:
                raise ConfigFault(f"callers: two are named `{config.name}`")
            names.add(config.name)
            if not config.san_uri and not config.token_sha256:
                raise ConfigFault(f"caller `{config.name}`: neither `san_uri` nor `token_sha256`: no proof")
            if config.san_uri and self._by_uri.setdefault(config.san_uri, caller) is not caller:
                raise ConfigFault(f"caller `{config.name}`: another caller has its `san_uri`")
            if config.token_sha256 and self._by_token.setdefault(_digest(config), caller) is not caller:
                raise ConfigFault(f"caller `{config.name}`: another caller has its `token_sha256`")

    @property
    def token_digests(self) -> list[bytes]:
        """SHA-256 of every token that is somebody's."""
        return list(self._by_token)

    def by_san(self, uris: Sequence[str]) -> Caller:
        """The caller that a verified client certificate names.

        Raises PermissionDenied when it names none, or more than one: the authority is right, the name is not ours.
        """
        named = [self._by_uri[uri] for uri in uris if uri in self._by_uri]
        if len(named) != 1:
            raise PermissionDenied("the certificate names no caller of the configuration")
        return named[0]

    def by_token(self, authorization: str | bytes | None) -> Caller:
        """The caller whose token an `authorization: Bearer …` header carries. Raises Unauthenticated."""
        header = authorization.encode() if isinstance(authorization, str) else authorization or b""
        if header[: len(BEARER)].lower() == BEARER:
            digest = hashlib.sha256(header[len(BEARER) :]).digest()
            for known, caller in self._by_token.items():
                if hmac.compare_digest(known, digest):
                    return caller
        raise Unauthenticated("no caller has this token")


def _caller(config: CallerConfig) -> Caller:
    return Caller(
        config.name,
        config.channel,
        frozenset(config.roles),
        config.tenant,
        config.controllers,
        config.hds,
        frozenset(config.may_assert),
    )


def _digest(config: CallerConfig) -> bytes:
    try:
        digest = bytes.fromhex(config.token_sha256)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise ConfigFault(f"caller `{config.name}`: `token_sha256` is 64 hexadecimal digits")
    return digest
