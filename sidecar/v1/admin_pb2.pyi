import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import access_pb2 as _access_pb2
from sidecar.v1 import facts_pb2 as _facts_pb2
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
    __slots__ = ("decision_id", "patient_id", "subject_id", "to", "effect", "reason", "limit", "before")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    patient_id: str
    subject_id: str
    to: _timestamp_pb2.Timestamp
    effect: str
    reason: str
    limit: int
    before: int
    def __init__(self, decision_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., effect: _Optional[str] = ..., reason: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[int] = ..., **kwargs) -> None: ...

class ShowRecordsResponse(_message.Message):
    __slots__ = ("records", "scanned", "next_before")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    SCANNED_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedScalarFieldContainer[str]
    scanned: int
    next_before: int
    def __init__(self, records: _Optional[_Iterable[str]] = ..., scanned: _Optional[int] = ..., next_before: _Optional[int] = ...) -> None: ...

class RecallDecisionRequest(_message.Message):
    __slots__ = ("decision_id", "index")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    index: int
    def __init__(self, decision_id: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class RecordedCaller(_message.Message):
    __slots__ = ("id", "channel", "roles", "tenant", "controllers", "hds", "may_assert")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CONTROLLERS_FIELD_NUMBER: _ClassVar[int]
    HDS_FIELD_NUMBER: _ClassVar[int]
    MAY_ASSERT_FIELD_NUMBER: _ClassVar[int]
    id: str
    channel: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    tenant: str
    controllers: _containers.RepeatedScalarFieldContainer[str]
    hds: str
    may_assert: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., channel: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., tenant: _Optional[str] = ..., controllers: _Optional[_Iterable[str]] = ..., hds: _Optional[str] = ..., may_assert: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordedFactVersion(_message.Message):
    __slots__ = ("source", "id", "seq")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    source: str
    id: str
    seq: int
    def __init__(self, source: _Optional[str] = ..., id: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class RecordedOutcome(_message.Message):
    __slots__ = ("effect", "reason", "true_reason", "rule", "also", "rules", "obligations", "advice", "break_glass", "valid_until", "relied", "unknown")
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRUE_REASON_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    RELIED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    effect: _access_pb2.Effect
    reason: str
    true_reason: str
    rule: str
    also: _containers.RepeatedScalarFieldContainer[str]
    rules: _containers.RepeatedScalarFieldContainer[str]
    obligations: _containers.RepeatedCompositeFieldContainer[_access_pb2.Obligation]
    advice: _containers.RepeatedCompositeFieldContainer[_access_pb2.Advice]
    break_glass: _access_pb2.BreakGlassOffer
    valid_until: _timestamp_pb2.Timestamp
    relied: _containers.RepeatedCompositeFieldContainer[RecordedFactVersion]
    unknown: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, effect: _Optional[_Union[_access_pb2.Effect, str]] = ..., reason: _Optional[str] = ..., true_reason: _Optional[str] = ..., rule: _Optional[str] = ..., also: _Optional[_Iterable[str]] = ..., rules: _Optional[_Iterable[str]] = ..., obligations: _Optional[_Iterable[_Union[_access_pb2.Obligation, _Mapping]]] = ..., advice: _Optional[_Iterable[_Union[_access_pb2.Advice, _Mapping]]] = ..., break_glass: _Optional[_Union[_access_pb2.BreakGlassOffer, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., relied: _Optional[_Iterable[_Union[RecordedFactVersion, _Mapping]]] = ..., unknown: _Optional[_Iterable[str]] = ...) -> None: ...

class RecalledFact(_message.Message):
    __slots__ = ("fact", "seq")
    FACT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    fact: _facts_pb2.Fact
    seq: int
    def __init__(self, fact: _Optional[_Union[_facts_pb2.Fact, _Mapping]] = ..., seq: _Optional[int] = ...) -> None: ...

class RecalledGrant(_message.Message):
    __slots__ = ("id", "controller_id", "caller_id", "subject_id", "patient_id", "profile", "scope", "motive", "justification", "opened_at", "until", "review_due", "closed_at", "second_confirmation", "request_id", "ended", "opener", "known_to", "alerts")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    CALLER_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MOTIVE_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REVIEW_DUE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    SECOND_CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    OPENER_FIELD_NUMBER: _ClassVar[int]
    KNOWN_TO_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    controller_id: str
    caller_id: str
    subject_id: str
    patient_id: str
    profile: str
    scope: str
    motive: str
    justification: str
    opened_at: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    review_due: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    second_confirmation: bool
    request_id: str
    ended: str
    opener: _access_pb2.Subject
    known_to: _containers.RepeatedScalarFieldContainer[str]
    alerts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., controller_id: _Optional[str] = ..., caller_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., profile: _Optional[str] = ..., scope: _Optional[str] = ..., motive: _Optional[str] = ..., justification: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review_due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., second_confirmation: _Optional[bool] = ..., request_id: _Optional[str] = ..., ended: _Optional[str] = ..., opener: _Optional[_Union[_access_pb2.Subject, _Mapping]] = ..., known_to: _Optional[_Iterable[str]] = ..., alerts: _Optional[_Iterable[str]] = ...) -> None: ...

class RequiredSources(_message.Message):
    __slots__ = ("kind", "sources")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    sources: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[str] = ..., sources: _Optional[_Iterable[str]] = ...) -> None: ...

class RecallDecisionResponse(_message.Message):
    __slots__ = ("decision_id", "record", "recorded_at", "request", "opening", "judged_at", "caller", "controller_id", "policy", "facts_sequence", "outcome", "patient_facts", "staff_facts", "grants", "watermarks", "required", "legal_basis")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    JUDGED_AT_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    FACTS_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FACTS_FIELD_NUMBER: _ClassVar[int]
    STAFF_FACTS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    WATERMARKS_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    record: _access_pb2.RecordReference
    recorded_at: _timestamp_pb2.Timestamp
    request: _access_pb2.CheckAccessRequest
    opening: bool
    judged_at: _timestamp_pb2.Timestamp
    caller: RecordedCaller
    controller_id: str
    policy: _access_pb2.PolicyRevision
    facts_sequence: int
    outcome: RecordedOutcome
    patient_facts: _containers.RepeatedCompositeFieldContainer[RecalledFact]
    staff_facts: _containers.RepeatedCompositeFieldContainer[RecalledFact]
    grants: _containers.RepeatedCompositeFieldContainer[RecalledGrant]
    watermarks: _containers.RepeatedCompositeFieldContainer[_facts_pb2.Watermark]
    required: _containers.RepeatedCompositeFieldContainer[RequiredSources]
    legal_basis: str
    def __init__(self, decision_id: _Optional[str] = ..., record: _Optional[_Union[_access_pb2.RecordReference, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request: _Optional[_Union[_access_pb2.CheckAccessRequest, _Mapping]] = ..., opening: _Optional[bool] = ..., judged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caller: _Optional[_Union[RecordedCaller, _Mapping]] = ..., controller_id: _Optional[str] = ..., policy: _Optional[_Union[_access_pb2.PolicyRevision, _Mapping]] = ..., facts_sequence: _Optional[int] = ..., outcome: _Optional[_Union[RecordedOutcome, _Mapping]] = ..., patient_facts: _Optional[_Iterable[_Union[RecalledFact, _Mapping]]] = ..., staff_facts: _Optional[_Iterable[_Union[RecalledFact, _Mapping]]] = ..., grants: _Optional[_Iterable[_Union[RecalledGrant, _Mapping]]] = ..., watermarks: _Optional[_Iterable[_Union[_facts_pb2.Watermark, _Mapping]]] = ..., required: _Optional[_Iterable[_Union[RequiredSources, _Mapping]]] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class RotateSigningKeyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RotateSigningKeyResponse(_message.Message):
    __slots__ = ("former_vkey", "vkey", "handover", "record")
    FORMER_VKEY_FIELD_NUMBER: _ClassVar[int]
    VKEY_FIELD_NUMBER: _ClassVar[int]
    HANDOVER_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    former_vkey: str
    vkey: str
    handover: str
    record: _access_pb2.RecordReference
    def __init__(self, former_vkey: _Optional[str] = ..., vkey: _Optional[str] = ..., handover: _Optional[str] = ..., record: _Optional[_Union[_access_pb2.RecordReference, _Mapping]] = ...) -> None: ...

class RetireMonthRequest(_message.Message):
    __slots__ = ("month", "confirm")
    MONTH_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_FIELD_NUMBER: _ClassVar[int]
    month: str
    confirm: str
    def __init__(self, month: _Optional[str] = ..., confirm: _Optional[str] = ...) -> None: ...

class KindCount(_message.Message):
    __slots__ = ("kind", "count")
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    count: int
    def __init__(self, kind: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class RetireMonthResponse(_message.Message):
    __slots__ = ("month", "records", "first", "last", "record")
    MONTH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    month: str
    records: _containers.RepeatedCompositeFieldContainer[KindCount]
    first: int
    last: int
    record: _access_pb2.RecordReference
    def __init__(self, month: _Optional[str] = ..., records: _Optional[_Iterable[_Union[KindCount, _Mapping]]] = ..., first: _Optional[int] = ..., last: _Optional[int] = ..., record: _Optional[_Union[_access_pb2.RecordReference, _Mapping]] = ...) -> None: ...
