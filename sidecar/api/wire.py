"""An error as a gRPC status: the one place where one becomes the other.

Codes are google.rpc.Code numbers. Details travel as a google.rpc.Status in the trailing metadata
`grpc-status-details-bin` (gRPC's richer error model): an ErrorInfo with the stable reason, and for a malformed
message a BadRequest that names the field.
"""

from functools import lru_cache

from google.rpc import code_pb2, error_details_pb2, status_pb2
from msgspec import Struct

from sidecar.errors import (
    FactsTooOld,
    FactsUnavailable,
    InvalidRequest,
    LedgerUnavailable,
    MessageTooLarge,
    NotFound,
    Overloaded,
    PermissionDenied,
    PolicyUnavailable,
    RecordClosed,
    SidecarError,
    Unauthenticated,
    Unavailable,
)

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "sidecar.v1"
MESSAGE_LENGTH = 1000

# The sentence is ours wherever the error's own text could say what is on this machine or whether a patient exists.
STATUSES: dict[type[SidecarError], tuple[int, str | None]] = {
    InvalidRequest: (code_pb2.INVALID_ARGUMENT, None),
    Unauthenticated: (code_pb2.UNAUTHENTICATED, "no caller of the configuration is proven by this connection"),
    PermissionDenied: (code_pb2.PERMISSION_DENIED, None),
    NotFound: (code_pb2.NOT_FOUND, "nothing of this name for this caller"),
    RecordClosed: (code_pb2.FAILED_PRECONDITION, None),
    FactsUnavailable: (code_pb2.UNAVAILABLE, "the facts store cannot be read or written"),
    FactsTooOld: (code_pb2.UNAVAILABLE, "the facts are not yet as fresh as the consistency token asks"),
    LedgerUnavailable: (code_pb2.UNAVAILABLE, "the ledger cannot take the record, so there is no answer"),
    PolicyUnavailable: (code_pb2.UNAVAILABLE, "no verified policy is loaded"),
    Unavailable: (code_pb2.UNAVAILABLE, None),
    Overloaded: (code_pb2.RESOURCE_EXHAUSTED, "too many calls wait; try again later"),
    MessageTooLarge: (code_pb2.RESOURCE_EXHAUSTED, None),
}
INTERNAL = (code_pb2.INTERNAL, "the sidecar failed; its log says more")


class Status(Struct, frozen=True):
    """How a call that was not answered ends: code, sentence, stable reason, and trailing metadata with the details."""

    code: int
    message: str
    reason: str
    metadata: tuple[tuple[str, bytes], ...]


def status(error: Exception) -> Status:
    """The status of an error. What is not the product's own is INTERNAL and says nothing more."""
    if not isinstance(error, SidecarError):
        return _fixed(*INTERNAL, SidecarError.reason)
    code, sentence = STATUSES.get(type(error), INTERNAL)
    if sentence is not None:
        return _fixed(code, sentence, error.reason)
    said = status_pb2.Status(code=code, message=str(error)[:MESSAGE_LENGTH])
    if isinstance(error, InvalidRequest):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field[:MESSAGE_LENGTH], description=error.description[:MESSAGE_LENGTH]
        )
        said.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return _with_reason(said, error.reason)


@lru_cache(maxsize=32)
def _fixed(code: int, sentence: str, reason: str) -> Status:
    return _with_reason(status_pb2.Status(code=code, message=sentence), reason)


def _with_reason(said: status_pb2.Status, reason: str) -> Status:
    said.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    return Status(said.code, said.message, reason, ((DETAILS_KEY, said.SerializeToString()),))
