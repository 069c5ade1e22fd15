"""What a caller sent → what it asks of facts, records and the ledger."""

from sidecar.api.shape import value
from sidecar.api.strict import parsed, whole
from sidecar.core.reading import FactsQuery, RecordsQuery
from sidecar.errors import InvalidRequest
from sidecar.v1 import admin_pb2, facts_pb2

MOST_RECORDS = 1000


def writing(payload: bytes) -> facts_pb2.WriteFactsRequest:
    """A well-formed WriteFactsRequest. Raises InvalidRequest."""
    return whole(facts_pb2.WriteFactsRequest, payload)


def facts_query(payload: bytes) -> FactsQuery:
    """Which facts a ReadFactsRequest asks for. Raises InvalidRequest."""
    message = whole(facts_pb2.ReadFactsRequest, payload)
    if message.as_of_token and message.HasField("as_of"):
        raise InvalidRequest("as_of", "expected either `as_of` or `as_of_token`")
    return value(FactsQuery, message)


def records_query(payload: bytes) -> RecordsQuery:
    """Which records a ShowRecordsRequest asks for. Raises InvalidRequest."""
    message = whole(admin_pb2.ShowRecordsRequest, payload)
    if message.limit > MOST_RECORDS:
        raise InvalidRequest("limit", f"`{message.limit}` is more than {MOST_RECORDS}")
    return value(RecordsQuery, message)


def decision_named(payload: bytes) -> tuple[str, int | None]:
    """The decision a RecallDecisionRequest asks for, and where its leaf stands if it says so. Raises InvalidRequest."""
    message = whole(admin_pb2.RecallDecisionRequest, payload)
    return message.decision_id, message.index if message.HasField("index") else None


def retiring(payload: bytes) -> tuple[str, bool]:
    """The month a RetireMonthRequest names, and whether it is to be done. Raises InvalidRequest."""
    message = whole(admin_pb2.RetireMonthRequest, payload)
    if message.confirm not in ("", message.month):
        raise InvalidRequest("confirm", "expected absent, or the same month")
    return message.month, bool(message.confirm)


def nothing(payload: bytes) -> None:
    """Nothing for a GetStatusRequest or a RotateSigningKeyRequest, which have no field. Raises InvalidRequest."""
    parsed(admin_pb2.GetStatusRequest, payload)
