"""A real gRPC client that knows every method by its last name."""

import hashlib
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status

from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2

METHODS: dict[str, tuple[str, type[Message], type[Message]]] = {
    method.name: (
        f"/{service.full_name}/{method.name}",
        method.input_type._concrete_class,
        method.output_type._concrete_class,
    )
    for file in (access_pb2, admin_pb2, break_glass_pb2, facts_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
HEALTH = "/grpc.health.v1.Health/Check"
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
DEADLINE = 30.0
TOKEN = "jeton-de-"


def digest(name: str) -> str:
    """The SHA-256 of the token of a caller."""
    return hashlib.sha256((TOKEN + name).encode()).hexdigest()


class Client:
    """Somebody who calls a sidecar."""

    def __init__(self, channel: grpc.Channel, token: str = "") -> None:
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    @classmethod
    def local(cls, address: str, name: str) -> "Client":
        """Over a Unix socket or loopback, with the token of a caller."""
        return cls(grpc.insecure_channel(address, OPTIONS), TOKEN + name)

    @classmethod
    def tls(cls, address: str, ca: bytes, key: bytes | None, certificate: bytes | None) -> "Client":
        """Over TLS, with a certificate or without one."""
        port = address.rpartition(":")[2]
        credentials = grpc.ssl_channel_credentials(ca, key, certificate)
        return cls(grpc.secure_channel(f"localhost:{port}", credentials, OPTIONS))

    def call(self, name: str, message: Message | None = None, **fields: Any) -> Any:
        """The answer to a method, given its message or the message's fields. Raises grpc.RpcError."""
        path, asked, answered = METHODS[name]
        payload = (asked(**fields) if message is None else message).SerializeToString()
        return answered.FromString(self.raw(path, payload))

    def raw(self, path: str, payload: bytes) -> bytes:
        """Bytes for bytes."""
        method = self._channel.unary_unary(path, None, None)  # bytes are left as they are
        answer: bytes = method(payload, timeout=DEADLINE, metadata=self._metadata)
        return answer

    def serving(self) -> bool:
        """What the health service says."""
        answer = health_pb2.HealthCheckResponse.FromString(self.raw(HEALTH, b""))
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


def refusal(call: Any, *given: Any, **fields: Any) -> grpc.StatusCode:
    """The status a call ends with; OK when it was answered."""
    try:
        call(*given, **fields)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def violated(error: grpc.RpcError) -> tuple[str, str]:
    """Reason and field that the details of a refusal name; empty where they name none."""
    reason = field = ""
    for detail in getattr(rpc_status.from_call(cast(grpc.Call, error)), "details", ()):
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(request):
            field = request.field_violations[0].field
    return reason, field


def pem(folder: Path, name: str) -> tuple[bytes, bytes]:
    """Key and certificate of a name."""
    return (folder / f"{name}.key").read_bytes(), (folder / f"{name}.pem").read_bytes()
