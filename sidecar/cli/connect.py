"""How a command reaches the running sidecar: address, proof, deadline."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import grpc

from sidecar.errors import InputFault

ADDRESS = "unix:/run/dpi-sidecar/sidecar.sock"
# What a decision was taken from may be long: a patient of many years, a large staff.
OPTIONS = [("grpc.max_receive_message_length", 256 << 20)]
F = TypeVar("F", bound=Callable[..., Any])


class Connection:
    """A channel to a sidecar and the proof that goes with each call."""

    def __init__(self, channel: grpc.Channel, metadata: tuple[tuple[str, str], ...], deadline: float) -> None:
        self.channel, self._metadata, self._deadline = channel, metadata, deadline

    def call(self, method: Callable[..., Any], message: object) -> Any:
        """The answer of one method. Raises grpc.RpcError."""
        return method(message, metadata=self._metadata, timeout=self._deadline)

    def begin(self, method: Callable[..., Any], message: object) -> Any:
        """The same without waiting: `result()` of what this gives is the answer, or raises grpc.RpcError."""
        return method.future(message, metadata=self._metadata, timeout=self._deadline)  # type: ignore[attr-defined]


Reach = Callable[[], AbstractContextManager[Connection]]


def connected(command: F) -> F:
    """Give a command the options that say how to reach the sidecar; it gets `connection` first."""

    @wraps(command)
    def run(reach: Reach, **rest: Any) -> Any:
        with reach() as connection:
            return command(connection, **rest)

    return reaching(run)  # type: ignore[return-value]


def reaching(command: F) -> F:
    """Give a command these options; it gets what opens a connection first, for when it needs one."""

    @click.option(
        "--address",
        envvar="DPI_SIDECAR_ADDRESS",
        default=ADDRESS,
        show_default=True,
        help="Where it answers: unix:PATH or host:port.",
    )
    @click.option("--token-file", envvar="DPI_SIDECAR_TOKEN_FILE", help="File that holds the caller's bearer token.")
    @click.option("--ca", envvar="DPI_SIDECAR_CA", help="Authority of the server's certificate (TLS).")
    @click.option("--certificate", envvar="DPI_SIDECAR_CERTIFICATE", help="The caller's certificate (TLS).")
    @click.option("--key", envvar="DPI_SIDECAR_KEY", help="The key of the caller's certificate (TLS).")
    @click.option("--deadline", default=10.0, show_default=True, help="Seconds to wait for an answer.")
    @wraps(command)
    def run(
        address: str,
        token_file: str | None,
        ca: str | None,
        certificate: str | None,
        key: str | None,
        deadline: float,
        **rest: Any,
    ) -> Any:
        @contextmanager
        def reach() -> Iterator[Connection]:
            channel, metadata = open_channel(address, token_file, ca, certificate, key)
            with channel:
                yield Connection(channel, metadata, deadline)

        return command(reach, **rest)

    return run  # type: ignore[return-value]


def open_channel(
    address: str, token_file: str | None, ca: str | None, certificate: str | None, key: str | None
) -> tuple[grpc.Channel, tuple[tuple[str, str], ...]]:
    """A channel, and the metadata of each call. Raises InputFault, and UsageError when it is not said who calls."""
    if ca or certificate or key:
        if not (ca and certificate and key):
            raise click.UsageError("--ca, --certificate and --key go together")
        _check_pair(ca, certificate, key)
        credentials = grpc.ssl_channel_credentials(_read(ca), _read(key), _read(certificate))
        return grpc.secure_channel(address, credentials, OPTIONS), ()
    if not token_file:
        raise click.UsageError(
            "say who calls: --token-file (Unix socket, loopback), or --ca, --certificate and --key (TLS)"
        )
    token = _read(token_file).decode("utf-8", "replace").strip()
    return grpc.insecure_channel(address, OPTIONS), (("authorization", f"Bearer {token}"),)


def _check_pair(ca: str, certificate: str, key: str) -> None:
    """Try the files together: gRPC would only say that there was no handshake. Raises InputFault."""
    for path in (ca, certificate, key):
        _read(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(Path(ca).expanduser())
    except ssl.SSLError:
        raise InputFault(f"{ca}: holds no certificate in PEM") from None
    try:
        context.load_cert_chain(Path(certificate).expanduser(), Path(key).expanduser(), lambda: "")
    except ssl.SSLError as fault:
        why = "not its key" if fault.reason == "KEY_VALUES_MISMATCH" else "one of them is no unencrypted PEM"
        raise InputFault(f"{certificate} and {key} are no pair: {why}") from None


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as fault:
        raise InputFault(f"{path}: cannot be read: {fault.strerror}") from None
