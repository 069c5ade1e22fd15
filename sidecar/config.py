"""The settings: a TOML file, then SIDECAR_* environment variables, read once.

A variable names its setting by path, with two underscores for each dot: SIDECAR_LISTEN__ADMIN is `listen.admin`.
Its value is TOML (`true`, `50`, `["a", "b"]`); what is no TOML value is taken as text.
docs/settings.md describes every setting.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field

from sidecar.core.checkpoint import is_name
from sidecar.core.model import KINDS
from sidecar.errors import ConfigFault

PREFIX = "SIDECAR_"

Positive = Annotated[int, Meta(ge=1)]
Size = Annotated[int, Meta(ge=0)]


class Tls(Struct, frozen=True, forbid_unknown_fields=True):
    """[listen.tls]: PEM files; read again when they change, so a renewal needs no restart."""

    certificate: str
    key: str
    client_ca: str


class Listen(Struct, frozen=True, forbid_unknown_fields=True):
    """[listen]: where the sidecar answers. An empty address is not served."""

    native: str = ""
    grpc: str = ""
    admin: str = "127.0.0.1:9464"
    tls: Tls | None = None
    one_processor: bool = True


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """[limits]: what one sidecar takes before it sheds."""

    in_flight: Positive = 1024
    check_bytes: Positive = 65_536
    write_bytes: Positive = 4_194_304
    metadata_bytes: Positive = 16_384
    streams: Positive = 1024
    drain_seconds: Annotated[float, Meta(ge=0)] = 10.0


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[policy]: which pack decides, and what building its successor may take."""

    pack: str
    verdicts: str = ""
    watch_seconds: Annotated[float, Meta(ge=0)] = 2.0
    build_seconds: Annotated[float, Meta(gt=0)] = 300.0
    build_bytes: Size = 2_147_483_648
    idle_seconds: Annotated[float, Meta(ge=0)] = 20.0


class FactsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[facts]: which sources must report each kind, and how many patients stay in memory."""

    required: dict[str, tuple[str, ...]]
    patients: Positive = 50_000


class LedgerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[ledger]: what the record is called, when it is on disk, and when it is signed."""

    origin: str = "dpi-sidecar"
    mode: Literal["written", "strict", "batch"] = "written"
    segment_bytes: Positive = 64 * 1024 * 1024
    min_free_bytes: Size = 16 * 1024 * 1024
    flush_ms: Positive = 100
    deadline_ms: Positive = 5000
    checkpoint_ms: Positive = 1000
    idle_seconds: Positive = 60
    unsigned_seconds: Positive = 60


class CallerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[[callers]]: one system, how it is proven, and what it may do."""

    name: Annotated[str, Meta(min_length=1)]
    san_uri: str = ""
    token_sha256: str = ""
    channel: Literal["dpi", "portal", "platform", "support", "service"] = "dpi"
    roles: tuple[Literal["dpi", "feed", "reviewer", "administrator", "auditor", "metrics"], ...] = ()
    tenant: str = "default"
    controllers: tuple[str, ...] = ()
    hds: Literal["certified", "not_needed", "missing"] = "missing"
    may_assert: tuple[Literal["identity", "facts"], ...] = ()


class AddressSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[[notices.addresses]]: who is told of notices, and of which; nothing named is all of the tenant's."""

    name: Annotated[str, Meta(min_length=1)]
    url: str
    secret_file: Annotated[str, Meta(min_length=1)]
    tenant: str = "default"
    controllers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    ca: str = ""
    seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0


class NoticesSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[notices]: where notices of emergencies are delivered, and what their counts are grouped by."""

    addresses: tuple[AddressSettings, ...] = ()
    unit_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[log]: structured lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting."""

    data: str
    policy: PolicySettings
    facts: FactsSettings
    callers: tuple[CallerSettings, ...]
    listen: Listen = Listen()
    limits: Limits = Limits()
    ledger: LedgerSettings = LedgerSettings()
    notices: NoticesSettings = field(default_factory=NoticesSettings)
    log: LogSettings = field(default_factory=LogSettings)


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The settings of a TOML file with the environment over them.

    Relative paths in the file are taken from its folder. Raises ConfigFault naming the setting.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigFault(f"{path}: cannot be read: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigFault(f"{path}: not TOML: {fault}") from None
    _overlay(raw, os.environ if environment is None else environment)
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as fault:
        raise ConfigFault(f"{path}: {fault}; docs/settings.md describes every setting") from None
    _check(path, config)
    return _absolute(config, path.resolve().parent)


def _overlay(raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        *tables, last = name.removeprefix(PREFIX).lower().split("__")
        at = raw
        for table in tables:
            at = at.setdefault(table, {})
            if not isinstance(at, dict):
                raise ConfigFault(f"{name}: `{table}` is not a table of settings")
        at[last] = _value(environment[name])


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check(path: Path, config: Config) -> None:
    """What the types cannot say. Raises ConfigFault."""
    if not config.callers:
        raise ConfigFault(f"{path}: `callers` is empty: nobody could ask; add a [[callers]] table")
    if not config.listen.native and not config.listen.grpc:
        raise ConfigFault(f"{path}: neither `listen.native` nor `listen.grpc` is set: nobody could ask")
    names: set[str] = set()
    for caller in config.callers:
        if caller.name in names:
            raise ConfigFault(f"{path}: two callers are named `{caller.name}`")
        names.add(caller.name)
        if not caller.san_uri and not caller.token_sha256:
            raise ConfigFault(f"{path}: caller `{caller.name}` has neither `san_uri` nor `token_sha256`: no proof")
        if caller.token_sha256 and not _is_sha256(caller.token_sha256):
            raise ConfigFault(f"{path}: caller `{caller.name}`: `token_sha256` is 64 hexadecimal digits")
    _check_addresses(path, config.notices.addresses)
    if not is_name(config.ledger.origin):
        raise ConfigFault(f"{path}: `ledger.origin` names a key too: not empty, no spaces, no `+`")
    if not config.facts.required:
        raise ConfigFault(f"{path}: `facts.required` is empty: no restriction could ever be known absent")
    for kind, sources in config.facts.required.items():
        if kind not in KINDS:
            raise ConfigFault(f"{path}: `facts.required.{kind}` is no kind of fact; kinds: {', '.join(KINDS)}")
        if not sources:
            raise ConfigFault(
                f"{path}: `facts.required.{kind}` names no source: leave the kind out, or say who reports it"
            )


def _check_addresses(path: Path, addresses: tuple[AddressSettings, ...]) -> None:
    """Each address can be reached safely, and each notice has one address at most. Raises ConfigFault."""
    names: set[str] = set()
    for n, address in enumerate(addresses):
        at = f"{path}: `notices.addresses` `{address.name}`"
        if address.name in names:
            raise ConfigFault(f"{path}: two of `notices.addresses` are named `{address.name}`")
        names.add(address.name)
        if not _is_safe(address.url):
            raise ConfigFault(f"{at}: `url` is https://…, or http:// of this machine; no user, no fragment, ASCII")
        for other in addresses[:n]:
            if _overlap(address, other):
                raise ConfigFault(
                    f"{at}: `{other.name}` gets the same; part them by `tenant`, `controllers` or `audiences`"
                )


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isascii() or not url.isprintable() or " " in url or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in ("127.0.0.1", "::1", "localhost"))


def _overlap(one: AddressSettings, other: AddressSettings) -> bool:
    def shared(these: tuple[str, ...], those: tuple[str, ...]) -> bool:
        return not these or not those or not set(these).isdisjoint(those)

    return (
        one.tenant == other.tenant
        and shared(one.controllers, other.controllers)
        and shared(one.audiences, other.audiences)
    )


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)


def _absolute(config: Config, base: Path) -> Config:
    def at(text: str) -> str:
        return str(base / text) if text else text

    tls = config.listen.tls
    if tls is not None:
        tls = Tls(at(tls.certificate), at(tls.key), at(tls.client_ca))

    def address(text: str) -> str:
        return "unix:" + at(text.removeprefix("unix:")) if text.startswith("unix:") else text

    listen, notices = config.listen, config.notices
    addresses = tuple(
        msgspec.structs.replace(each, secret_file=at(each.secret_file), ca=at(each.ca)) for each in notices.addresses
    )
    return msgspec.structs.replace(
        config,
        data=at(config.data),
        policy=msgspec.structs.replace(config.policy, pack=at(config.policy.pack), verdicts=at(config.policy.verdicts)),
        notices=msgspec.structs.replace(notices, addresses=addresses),
        listen=msgspec.structs.replace(listen, tls=tls, native=address(listen.native), grpc=address(listen.grpc)),
    )
