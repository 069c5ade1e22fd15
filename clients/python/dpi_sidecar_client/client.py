"""One obvious call, a deadline always, and nothing permitted without a whole answer."""

import ipaddress
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Self, TypeVar

import grpc
from google.protobuf.message import Message

from dpi_sidecar_client import reading
from dpi_sidecar_client.emergency import EmergencyOutcome, described
from dpi_sidecar_client.outcomes import Closed, CloseOutcome, Opened, OpenOutcome, Outcome, Unavailable
from dpi_sidecar_client.texts import sentence
from sidecar.v1 import access_pb2, break_glass_pb2

DEADLINE = 2.0  # seconds
_GRANTS = 4096  # grants that are remembered, with their consistency token
EMERGENCY = "bris_de_glace"
_EMERGENCIES = frozenset({EMERGENCY, "centre_15"})  # access modes
# No proxy of the environment stands between an application and its sidecar; nothing is retried unseen.
_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0))
_PASSING = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"})

_Told = TypeVar("_Told")
_Key = TypeVar("_Key")


class Sidecar:
    """A connection to a sidecar, for any number of threads.

    `implements` names the obligations the application carries out; a permit with another one is a refusal.
    `deadline` is in seconds, for each call that states none. `language` (fr or en) is the user's, for each call
    that states none.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        implements: Collection[str],
        *,
        token: str = "",
        language: str = "fr",
        deadline: float = DEADLINE,
    ) -> None:
        """Over a channel of your own; `over_tls` and `nearby` make the usual ones."""
        self._channel = channel
        self._implements = frozenset(implements)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._language = language
        self._deadline = _seconds(deadline)
        self._tokens: OrderedDict[str, str] = OrderedDict()  # grant → token
        self._open: OrderedDict[tuple[str, str], str] = OrderedDict()  # (subject, patient) → grant
        self._lock = threading.Lock()

    @classmethod
    def over_tls(
        cls,
        address: str,
        implements: Collection[str],
        *,
        ca: bytes,
        certificate: bytes,
        key: bytes,
        language: str = "fr",
        deadline: float = DEADLINE,
    ) -> Self:
        """Over TLS to `host:port`; the certificate (PEM) names the application, `ca` (PEM) vouches for the sidecar."""
        credentials = grpc.ssl_channel_credentials(ca, key, certificate)
        channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        return cls(channel, implements, language=language, deadline=deadline)

    @classmethod
    def nearby(
        cls,
        address: str,
        implements: Collection[str],
        *,
        token: str,
        language: str = "fr",
        deadline: float = DEADLINE,
    ) -> Self:
        """To the sidecar of this machine, at `unix:/path` or a loopback `host:port`, with a caller token.

        Raises ValueError for any other address: without TLS the token would travel in clear.
        """
        if not _is_near(address):
            raise ValueError(f"`{address}` is neither unix: nor loopback; use over_tls")
        channel = grpc.insecure_channel(address, options=(*_OPTIONS, ("grpc.default_authority", "localhost")))
        return cls(channel, implements, token=token, language=language, deadline=deadline)

    def check(self, request: access_pb2.CheckAccessRequest, *, deadline: float | None = None) -> Outcome:
        """Whether the subject may do this: ask before every read or write of a patient record."""
        asked = access_pb2.CheckAccessRequest()
        asked.CopyFrom(request)
        language = self._complete(asked.context, asked.subject.id, asked.resource.patient_id)
        response = self._call(
            "AccessService/CheckAccess", asked, access_pb2.CheckAccessResponse.FromString, language, deadline
        )
        if isinstance(response, Unavailable):
            return response
        if response.grant.id:
            self._remember(response.grant.id, response.consistency_token, asked.subject.id, asked.resource.patient_id)
        return reading.outcome(response, self._implements, language)

    def emergency(self, profile: str, *, language: str = "", deadline: float | None = None) -> EmergencyOutcome:
        """What breaking the glass asks of this profile and brings about, for the screen that offers it."""
        asked = break_glass_pb2.DescribeRequest(profile=profile, language=language or self._language)
        decode = break_glass_pb2.DescribeResponse.FromString
        response = self._call("BreakGlassService/Describe", asked, decode, asked.language, deadline)
        return response if isinstance(response, Unavailable) else described(response, profile)

    def break_glass(
        self,
        request: access_pb2.CheckAccessRequest,
        motive: str,
        justification: str,
        *,
        mode: str = EMERGENCY,
        second_confirmation: bool | None = None,
        deadline: float | None = None,
    ) -> Outcome:
        """Break the glass for an access that was refused, and ask for it again, in one call.

        `outcome.grant` says what was opened, also where this very access stays refused. Later checks of the subject for
        this patient in this mode carry the grant by themselves. The answer to a call that was Unavailable may be asked
        for again with the same `context.request_id`: it is one grant.
        """
        asked = access_pb2.CheckAccessRequest()
        asked.CopyFrom(request)
        context = asked.context
        context.access_mode, context.motive, context.justification = mode, motive, justification
        context.grant = ""
        context.request_id = context.request_id or str(uuid.uuid4())
        if second_confirmation is not None:
            context.second_confirmation = second_confirmation
        return self.check(asked, deadline=deadline)

    def check_batch(
        self, request: access_pb2.CheckAccessBatchRequest, *, deadline: float | None = None
    ) -> tuple[Outcome, ...]:
        """One outcome for each item, in order: always as many as were asked."""
        asked = access_pb2.CheckAccessBatchRequest()
        asked.CopyFrom(request)
        language = self._complete(asked.context, asked.subject.id, asked.patient_id)
        decode = access_pb2.CheckAccessBatchResponse.FromString
        response = self._call("AccessService/CheckAccessBatch", asked, decode, language, deadline)
        if isinstance(response, Unavailable):
            return (response,) * len(asked.items)
        return reading.outcomes(response, len(asked.items), self._implements, language)

    def open(self, request: break_glass_pb2.OpenRequest, *, deadline: float | None = None) -> OpenOutcome:
        """Break the glass: open one patient's record in an emergency.

        When the outcome is Unavailable the grant may be open all the same: asked again with the same `request_id`
        it is one grant. Without a `request_id` each call is an opening of its own.
        """
        asked = break_glass_pb2.OpenRequest()
        asked.CopyFrom(request)
        asked.request_id = asked.request_id or str(uuid.uuid4())
        language = asked.language = asked.language or self._language
        response = self._call(
            "BreakGlassService/Open", asked, break_glass_pb2.OpenResponse.FromString, language, deadline
        )
        if isinstance(response, Unavailable):
            return response
        told = reading.opened(response, self._implements, language)
        if isinstance(told, Opened):
            self._remember(told.grant, told.answer.consistency_token, asked.subject.id, asked.patient_id)
        return told

    def close(self, request: break_glass_pb2.CloseRequest, *, deadline: float | None = None) -> CloseOutcome:
        """End a grant of the subject before its time."""
        decode = break_glass_pb2.CloseResponse.FromString
        response = self._call("BreakGlassService/Close", request, decode, self._language, deadline)
        if isinstance(response, Unavailable):
            return response
        told = reading.closed(response, self._language)
        if isinstance(told, Closed):
            self._remember(told.grant, response.consistency_token)
            self._forget(told.grant)
        return told

    def disconnect(self) -> None:
        """Close the connection; calls after it are Unavailable."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def _complete(self, context: access_pb2.Context, subject: str, patient: str) -> str:
        """Fill in the language, the grant of an emergency, and the token that lets any sidecar of a fleet know it."""
        context.language = context.language or self._language
        with self._lock:
            # With a motive the check asks for a grant of its own; else it is under the one that this client opened.
            if context.access_mode in _EMERGENCIES and not context.grant and not context.motive:
                context.grant = self._open.get((subject, patient), "")
            if context.grant and not context.consistency_token:
                context.consistency_token = self._tokens.get(context.grant, "")
        return context.language

    def _remember(self, grant: str, token: str, subject: str = "", patient: str = "") -> None:
        with self._lock:
            _keep(self._tokens, grant, token)
            if subject:
                _keep(self._open, (subject, patient), grant)

    def _forget(self, grant: str) -> None:
        with self._lock:
            for whose in [whose for whose, held in self._open.items() if held == grant]:
                del self._open[whose]

    def _call(
        self, method: str, asked: Message, decode: Callable[[bytes], _Told], language: str, deadline: float | None
    ) -> _Told | Unavailable:
        """The response, or why there is none."""
        seconds = self._deadline if deadline is None else _seconds(deadline)
        try:
            unary = self._channel.unary_unary(f"/sidecar.v1.{method}", bytes, decode)
            told: _Told = unary(asked.SerializeToString(), timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            return _unavailable(error, language)
        except ValueError as error:
            # A channel that was closed raises this, and so does a message that cannot be encoded.
            return reading.fault("UNREADABLE", str(error), language)
        return told


def _unavailable(error: grpc.RpcError, language: str) -> Unavailable:
    """No answer, with the status and the sidecar's own words for the log."""
    status = error.code().name if isinstance(error, grpc.Call) else "UNKNOWN"
    detail = (error.details() or "") if isinstance(error, grpc.Call) else str(error)
    if status in _PASSING:
        return Unavailable(status, sentence("UNAVAILABLE", language), detail, worth_retrying=True)
    return reading.fault(status, detail, language)


def _keep(held: OrderedDict[_Key, str], key: _Key, value: str) -> None:
    held[key] = value
    held.move_to_end(key)
    if len(held) > _GRANTS:
        held.popitem(last=False)


def _seconds(deadline: float) -> float:
    """A deadline that ends. Raises ValueError."""
    if not 0 < deadline < float("inf"):
        raise ValueError("a deadline is a positive number of seconds")
    return deadline


def _is_near(address: str) -> bool:
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
