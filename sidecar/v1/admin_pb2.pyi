import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RoomStatus(_message.Message):
    __slots__ = ("name", "ready", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    ready: bool
    detail: str
    def __init__(self, name: _Optional[str] = ..., ready: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...

class FeedStatus(_message.Message):
    __slots__ = ("controller_id", "kind", "complete_until", "sources")
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    controller_id: str
    kind: str
    complete_until: _timestamp_pb2.Timestamp
    sources: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, controller_id: _Optional[str] = ..., kind: _Optional[str] = ..., complete_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sources: _Optional[_Iterable[str]] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "ready", "rooms", "policy", "facts_sequence", "ledger_size", "ledger_origin", "feeds", "started_at")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    ROOMS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    FACTS_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_SIZE_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    version: str
    ready: bool
    rooms: _containers.RepeatedCompositeFieldContainer[RoomStatus]
    policy: _access_pb2.PolicyRevision
    facts_sequence: int
    ledger_size: int
    ledger_origin: str
    feeds: _containers.RepeatedCompositeFieldContainer[FeedStatus]
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[str] = ..., ready: _Optional[bool] = ..., rooms: _Optional[_Iterable[_Union[RoomStatus, _Mapping]]] = ..., policy: _Optional[_Union[_access_pb2.PolicyRevision, _Mapping]] = ..., facts_sequence: _Optional[int] = ..., ledger_size: _Optional[int] = ..., ledger_origin: _Optional[str] = ..., feeds: _Optional[_Iterable[_Union[FeedStatus, _Mapping]]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ShowRecordsRequest(_message.Message):
    __slots__ = ("decision_id", "patient_id", "subject_id", "to", "effect", "reason", "limit")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    patient_id: str
    subject_id: str
    to: _timestamp_pb2.Timestamp
    effect: str
    reason: str
    limit: int
    def __init__(self, decision_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., effect: _Optional[str] = ..., reason: _Optional[str] = ..., limit: _Optional[int] = ..., **kwargs) -> None: ...

class ShowRecordsResponse(_message.Message):
    __slots__ = ("records", "scanned")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    SCANNED_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedScalarFieldContainer[str]
    scanned: int
    def __init__(self, records: _Optional[_Iterable[str]] = ..., scanned: _Optional[int] = ...) -> None: ...
