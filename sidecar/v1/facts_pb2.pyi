import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Period(_message.Message):
    __slots__ = ("to",)
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    to: _timestamp_pb2.Timestamp
    def __init__(self, to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., **kwargs) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("subject_id", "unit", "profile", "on_call")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    ON_CALL_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    unit: str
    profile: str
    on_call: bool
    def __init__(self, subject_id: _Optional[str] = ..., unit: _Optional[str] = ..., profile: _Optional[str] = ..., on_call: _Optional[bool] = ...) -> None: ...

class Stay(_message.Message):
    __slots__ = ("patient_id", "stay_id", "unit", "status", "responsible_id")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESPONSIBLE_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    stay_id: str
    unit: str
    status: str
    responsible_id: str
    def __init__(self, patient_id: _Optional[str] = ..., stay_id: _Optional[str] = ..., unit: _Optional[str] = ..., status: _Optional[str] = ..., responsible_id: _Optional[str] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("categories", "documents", "stay_id")
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    STAY_ID_FIELD_NUMBER: _ClassVar[int]
    categories: _containers.RepeatedScalarFieldContainer[str]
    documents: _containers.RepeatedScalarFieldContainer[str]
    stay_id: str
    def __init__(self, categories: _Optional[_Iterable[str]] = ..., documents: _Optional[_Iterable[str]] = ..., stay_id: _Optional[str] = ...) -> None: ...

class Relation(_message.Message):
    __slots__ = ("kind", "patient_id", "subject_id", "unit", "structure", "scope", "ref", "requester_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STRUCTURE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_ID_FIELD_NUMBER: _ClassVar[int]
    kind: str
    patient_id: str
    subject_id: str
    unit: str
    structure: str
    scope: Scope
    ref: str
    requester_id: str
    def __init__(self, kind: _Optional[str] = ..., patient_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., unit: _Optional[str] = ..., structure: _Optional[str] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., ref: _Optional[str] = ..., requester_id: _Optional[str] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("subject_id", "profession", "structure", "unit", "everyone")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PROFESSION_FIELD_NUMBER: _ClassVar[int]
    STRUCTURE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    profession: str
    structure: str
    unit: str
    everyone: bool
    def __init__(self, subject_id: _Optional[str] = ..., profession: _Optional[str] = ..., structure: _Optional[str] = ..., unit: _Optional[str] = ..., everyone: _Optional[bool] = ...) -> None: ...

class Directive(_message.Message):
    __slots__ = ("kind", "patient_id", "modes", "target", "scope", "rights", "channel", "proof")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    MODES_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    EXCEPT_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    kind: str
    patient_id: str
    modes: _containers.RepeatedScalarFieldContainer[str]
    target: Target
    scope: Scope
    rights: _containers.RepeatedScalarFieldContainer[str]
    channel: str
    proof: str
    def __init__(self, kind: _Optional[str] = ..., patient_id: _Optional[str] = ..., modes: _Optional[_Iterable[str]] = ..., target: _Optional[_Union[Target, _Mapping]] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., rights: _Optional[_Iterable[str]] = ..., channel: _Optional[str] = ..., proof: _Optional[str] = ..., **kwargs) -> None: ...

class Delegation(_message.Message):
    __slots__ = ("from_subject_id", "to_subject_id", "patient_id", "units", "categories", "documents", "purposes")
    FROM_SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TO_SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    from_subject_id: str
    to_subject_id: str
    patient_id: str
    units: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    documents: _containers.RepeatedScalarFieldContainer[str]
    purposes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, from_subject_id: _Optional[str] = ..., to_subject_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., units: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ..., documents: _Optional[_Iterable[str]] = ..., purposes: _Optional[_Iterable[str]] = ...) -> None: ...

class RecordState(_message.Message):
    __slots__ = ("patient_id", "birth_date", "death_date", "last_care", "last_intervention", "status", "lifecycle", "flags")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    DEATH_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_CARE_FIELD_NUMBER: _ClassVar[int]
    LAST_INTERVENTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LIFECYCLE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    birth_date: str
    death_date: str
    last_care: _timestamp_pb2.Timestamp
    last_intervention: _timestamp_pb2.Timestamp
    status: str
    lifecycle: str
    flags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, patient_id: _Optional[str] = ..., birth_date: _Optional[str] = ..., death_date: _Optional[str] = ..., last_care: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_intervention: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., lifecycle: _Optional[str] = ..., flags: _Optional[_Iterable[str]] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("patient_id", "other_id", "kind")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    other_id: str
    kind: str
    def __init__(self, patient_id: _Optional[str] = ..., other_id: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("provider_id", "client_structure", "service", "approved", "confidentiality_signed")
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_STRUCTURE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    APPROVED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENTIALITY_SIGNED_FIELD_NUMBER: _ClassVar[int]
    provider_id: str
    client_structure: str
    service: str
    approved: bool
    confidentiality_signed: bool
    def __init__(self, provider_id: _Optional[str] = ..., client_structure: _Optional[str] = ..., service: _Optional[str] = ..., approved: _Optional[bool] = ..., confidentiality_signed: _Optional[bool] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("patient_id", "subject_id", "authenticated")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    subject_id: str
    authenticated: bool
    def __init__(self, patient_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., authenticated: _Optional[bool] = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ("id", "source", "controller_id", "as_of", "period", "assignment", "stay", "relation", "directive", "delegation", "record_state", "alias", "contract", "call")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    STAY_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_FIELD_NUMBER: _ClassVar[int]
    DELEGATION_FIELD_NUMBER: _ClassVar[int]
    RECORD_STATE_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    controller_id: str
    as_of: _timestamp_pb2.Timestamp
    period: Period
    assignment: Assignment
    stay: Stay
    relation: Relation
    directive: Directive
    delegation: Delegation
    record_state: RecordState
    alias: Alias
    contract: Contract
    call: Call
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., controller_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., period: _Optional[_Union[Period, _Mapping]] = ..., assignment: _Optional[_Union[Assignment, _Mapping]] = ..., stay: _Optional[_Union[Stay, _Mapping]] = ..., relation: _Optional[_Union[Relation, _Mapping]] = ..., directive: _Optional[_Union[Directive, _Mapping]] = ..., delegation: _Optional[_Union[Delegation, _Mapping]] = ..., record_state: _Optional[_Union[RecordState, _Mapping]] = ..., alias: _Optional[_Union[Alias, _Mapping]] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ..., call: _Optional[_Union[Call, _Mapping]] = ...) -> None: ...

class Watermark(_message.Message):
    __slots__ = ("source", "controller_id", "kinds", "complete_until")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    source: str
    controller_id: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    complete_until: _timestamp_pb2.Timestamp
    def __init__(self, source: _Optional[str] = ..., controller_id: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., complete_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Retraction(_message.Message):
    __slots__ = ("source", "id")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    source: str
    id: str
    def __init__(self, source: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class WriteFactsRequest(_message.Message):
    __slots__ = ("request_id", "controller_id", "facts", "retract", "watermarks")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    RETRACT_FIELD_NUMBER: _ClassVar[int]
    WATERMARKS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    controller_id: str
    facts: _containers.RepeatedCompositeFieldContainer[Fact]
    retract: _containers.RepeatedCompositeFieldContainer[Retraction]
    watermarks: _containers.RepeatedCompositeFieldContainer[Watermark]
    def __init__(self, request_id: _Optional[str] = ..., controller_id: _Optional[str] = ..., facts: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ..., retract: _Optional[_Iterable[_Union[Retraction, _Mapping]]] = ..., watermarks: _Optional[_Iterable[_Union[Watermark, _Mapping]]] = ...) -> None: ...

class WriteFactsResponse(_message.Message):
    __slots__ = ("consistency_token", "changed", "unchanged", "retracted")
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    consistency_token: str
    changed: int
    unchanged: int
    retracted: int
    def __init__(self, consistency_token: _Optional[str] = ..., changed: _Optional[int] = ..., unchanged: _Optional[int] = ..., retracted: _Optional[int] = ...) -> None: ...

class ReadFactsRequest(_message.Message):
    __slots__ = ("controller_id", "patient_id", "subject_id", "ids", "kinds", "as_of_token", "as_of", "page_size", "page_token")
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    controller_id: str
    patient_id: str
    subject_id: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    as_of_token: str
    as_of: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, controller_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., as_of_token: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class FactVersion(_message.Message):
    __slots__ = ("fact", "recorded_seq", "superseded_seq", "recorded_at")
    FACT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_SEQ_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_SEQ_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    fact: Fact
    recorded_seq: int
    superseded_seq: int
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, fact: _Optional[_Union[Fact, _Mapping]] = ..., recorded_seq: _Optional[int] = ..., superseded_seq: _Optional[int] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReadFactsResponse(_message.Message):
    __slots__ = ("facts", "next_page_token", "consistency_token", "watermarks")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WATERMARKS_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[FactVersion]
    next_page_token: str
    consistency_token: str
    watermarks: _containers.RepeatedCompositeFieldContainer[Watermark]
    def __init__(self, facts: _Optional[_Iterable[_Union[FactVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., consistency_token: _Optional[str] = ..., watermarks: _Optional[_Iterable[_Union[Watermark, _Mapping]]] = ...) -> None: ...
