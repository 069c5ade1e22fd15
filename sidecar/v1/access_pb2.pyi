import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import facts_pb2 as _facts_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Effect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EFFECT_UNSPECIFIED: _ClassVar[Effect]
    EFFECT_PERMIT: _ClassVar[Effect]
    EFFECT_DENY: _ClassVar[Effect]

class Enforcement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENFORCEMENT_UNSPECIFIED: _ClassVar[Enforcement]
    ENFORCEMENT_ENFORCED: _ClassVar[Enforcement]
    ENFORCEMENT_OBSERVED: _ClassVar[Enforcement]

class BatchSemantics(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_SEMANTICS_UNSPECIFIED: _ClassVar[BatchSemantics]
    BATCH_SEMANTICS_EXECUTE_ALL: _ClassVar[BatchSemantics]
    BATCH_SEMANTICS_DENY_ON_FIRST_DENY: _ClassVar[BatchSemantics]
EFFECT_UNSPECIFIED: Effect
EFFECT_PERMIT: Effect
EFFECT_DENY: Effect
ENFORCEMENT_UNSPECIFIED: Enforcement
ENFORCEMENT_ENFORCED: Enforcement
ENFORCEMENT_OBSERVED: Enforcement
BATCH_SEMANTICS_UNSPECIFIED: BatchSemantics
BATCH_SEMANTICS_EXECUTE_ALL: BatchSemantics
BATCH_SEMANTICS_DENY_ON_FIRST_DENY: BatchSemantics

class Strings(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("id", "id_system", "kind", "profile", "profession", "r1110_2_category", "structure", "units", "activity_id", "activities", "account_type", "status", "valid_from", "valid_until", "contract_ref", "contract_until", "confidentiality_signed", "hds", "supervised_by", "on_behalf_of")
    ID_FIELD_NUMBER: _ClassVar[int]
    ID_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFESSION_FIELD_NUMBER: _ClassVar[int]
    R1110_2_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    STRUCTURE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_REF_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENTIALITY_SIGNED_FIELD_NUMBER: _ClassVar[int]
    HDS_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_BY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    id: str
    id_system: str
    kind: str
    profile: str
    profession: str
    r1110_2_category: str
    structure: str
    units: _containers.RepeatedScalarFieldContainer[str]
    activity_id: str
    activities: _containers.RepeatedScalarFieldContainer[str]
    account_type: str
    status: str
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    contract_ref: str
    contract_until: _timestamp_pb2.Timestamp
    confidentiality_signed: bool
    hds: str
    supervised_by: str
    on_behalf_of: str
    def __init__(self, id: _Optional[str] = ..., id_system: _Optional[str] = ..., kind: _Optional[str] = ..., profile: _Optional[str] = ..., profession: _Optional[str] = ..., r1110_2_category: _Optional[str] = ..., structure: _Optional[str] = ..., units: _Optional[_Iterable[str]] = ..., activity_id: _Optional[str] = ..., activities: _Optional[_Iterable[str]] = ..., account_type: _Optional[str] = ..., status: _Optional[str] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., contract_ref: _Optional[str] = ..., contract_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confidentiality_signed: _Optional[bool] = ..., hds: _Optional[str] = ..., supervised_by: _Optional[str] = ..., on_behalf_of: _Optional[str] = ...) -> None: ...

class Authentication(_message.Message):
    __slots__ = ("acr", "amr", "mfa", "time", "idle_s", "remote")
    ACR_FIELD_NUMBER: _ClassVar[int]
    AMR_FIELD_NUMBER: _ClassVar[int]
    MFA_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    IDLE_S_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    acr: str
    amr: _containers.RepeatedScalarFieldContainer[str]
    mfa: bool
    time: _timestamp_pb2.Timestamp
    idle_s: int
    remote: str
    def __init__(self, acr: _Optional[str] = ..., amr: _Optional[_Iterable[str]] = ..., mfa: _Optional[bool] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., idle_s: _Optional[int] = ..., remote: _Optional[str] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("managed", "compromised")
    CLASS_FIELD_NUMBER: _ClassVar[int]
    MANAGED_FIELD_NUMBER: _ClassVar[int]
    COMPROMISED_FIELD_NUMBER: _ClassVar[int]
    managed: bool
    compromised: bool
    def __init__(self, managed: _Optional[bool] = ..., compromised: _Optional[bool] = ..., **kwargs) -> None: ...

class Resource(_message.Message):
    __slots__ = ("type", "id", "patient_id", "category", "tags", "author", "author_structure", "created_at", "unit", "stay", "visibility", "masked_for", "announced_since", "lifecycle", "controller_id", "source_system")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_STRUCTURE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    STAY_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    MASKED_FOR_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCED_SINCE_FIELD_NUMBER: _ClassVar[int]
    LIFECYCLE_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    type: str
    id: str
    patient_id: str
    category: str
    tags: Strings
    author: str
    author_structure: str
    created_at: _timestamp_pb2.Timestamp
    unit: str
    stay: str
    visibility: Strings
    masked_for: Strings
    announced_since: _timestamp_pb2.Timestamp
    lifecycle: str
    controller_id: str
    source_system: str
    def __init__(self, type: _Optional[str] = ..., id: _Optional[str] = ..., patient_id: _Optional[str] = ..., category: _Optional[str] = ..., tags: _Optional[_Union[Strings, _Mapping]] = ..., author: _Optional[str] = ..., author_structure: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unit: _Optional[str] = ..., stay: _Optional[str] = ..., visibility: _Optional[_Union[Strings, _Mapping]] = ..., masked_for: _Optional[_Union[Strings, _Mapping]] = ..., announced_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lifecycle: _Optional[str] = ..., controller_id: _Optional[str] = ..., source_system: _Optional[str] = ...) -> None: ...

class References(_message.Message):
    __slots__ = ("ticket", "case", "request", "instruction", "research", "author", "supervisor")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    RESEARCH_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SUPERVISOR_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    case: str
    request: str
    instruction: str
    research: str
    author: str
    supervisor: str
    def __init__(self, ticket: _Optional[str] = ..., case: _Optional[str] = ..., request: _Optional[str] = ..., instruction: _Optional[str] = ..., research: _Optional[str] = ..., author: _Optional[str] = ..., supervisor: _Optional[str] = ...) -> None: ...

class Context(_message.Message):
    __slots__ = ("access_mode", "grant", "motive", "justification", "workstation", "unit", "request_id", "language", "secret_connection", "patient_informed", "recipient", "notice_version", "legal_basis", "user_agreement", "refs", "consistency_token", "second_confirmation")
    ACCESS_MODE_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    MOTIVE_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    WORKSTATION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SECRET_CONNECTION_FIELD_NUMBER: _ClassVar[int]
    PATIENT_INFORMED_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    USER_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    REFS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SECOND_CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    access_mode: str
    grant: str
    motive: str
    justification: str
    workstation: str
    unit: str
    request_id: str
    language: str
    secret_connection: bool
    patient_informed: str
    recipient: str
    notice_version: str
    legal_basis: str
    user_agreement: bool
    refs: References
    consistency_token: str
    second_confirmation: bool
    def __init__(self, access_mode: _Optional[str] = ..., grant: _Optional[str] = ..., motive: _Optional[str] = ..., justification: _Optional[str] = ..., workstation: _Optional[str] = ..., unit: _Optional[str] = ..., request_id: _Optional[str] = ..., language: _Optional[str] = ..., secret_connection: _Optional[bool] = ..., patient_informed: _Optional[str] = ..., recipient: _Optional[str] = ..., notice_version: _Optional[str] = ..., legal_basis: _Optional[str] = ..., user_agreement: _Optional[bool] = ..., refs: _Optional[_Union[References, _Mapping]] = ..., consistency_token: _Optional[str] = ..., second_confirmation: _Optional[bool] = ...) -> None: ...

class CheckAccessRequest(_message.Message):
    __slots__ = ("subject", "authentication", "device", "action", "resource", "purpose", "context", "facts")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    authentication: Authentication
    device: Device
    action: str
    resource: Resource
    purpose: str
    context: Context
    facts: _containers.RepeatedCompositeFieldContainer[_facts_pb2.Fact]
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ..., authentication: _Optional[_Union[Authentication, _Mapping]] = ..., device: _Optional[_Union[Device, _Mapping]] = ..., action: _Optional[str] = ..., resource: _Optional[_Union[Resource, _Mapping]] = ..., purpose: _Optional[str] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., facts: _Optional[_Iterable[_Union[_facts_pb2.Fact, _Mapping]]] = ...) -> None: ...

class Obligation(_message.Message):
    __slots__ = ("id", "params")
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    id: str
    params: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Advice(_message.Message):
    __slots__ = ("id", "params")
    class ParamsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    id: str
    params: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., params: _Optional[_Mapping[str, str]] = ...) -> None: ...

class BreakGlassOffer(_message.Message):
    __slots__ = ("available", "motives", "scope")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    MOTIVES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    available: bool
    motives: _containers.RepeatedScalarFieldContainer[str]
    scope: str
    def __init__(self, available: _Optional[bool] = ..., motives: _Optional[_Iterable[str]] = ..., scope: _Optional[str] = ...) -> None: ...

class PolicyRevision(_message.Message):
    __slots__ = ("pack", "revision", "digest")
    PACK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    pack: str
    revision: str
    digest: str
    def __init__(self, pack: _Optional[str] = ..., revision: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class RecordReference(_message.Message):
    __slots__ = ("origin", "index")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    origin: str
    index: int
    def __init__(self, origin: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class GrantReference(_message.Message):
    __slots__ = ("id", "opened_at", "until", "scope", "review_due")
    ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    REVIEW_DUE_FIELD_NUMBER: _ClassVar[int]
    id: str
    opened_at: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    scope: str
    review_due: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scope: _Optional[str] = ..., review_due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckAccessResponse(_message.Message):
    __slots__ = ("effect", "enforcement", "reason", "also", "rule", "obligations", "advice", "break_glass", "policy", "valid_until", "decision_id", "record", "consistency_token", "message", "grant")
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    ENFORCEMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    effect: Effect
    enforcement: Enforcement
    reason: str
    also: _containers.RepeatedScalarFieldContainer[str]
    rule: str
    obligations: _containers.RepeatedCompositeFieldContainer[Obligation]
    advice: _containers.RepeatedCompositeFieldContainer[Advice]
    break_glass: BreakGlassOffer
    policy: PolicyRevision
    valid_until: _timestamp_pb2.Timestamp
    decision_id: str
    record: RecordReference
    consistency_token: str
    message: str
    grant: GrantReference
    def __init__(self, effect: _Optional[_Union[Effect, str]] = ..., enforcement: _Optional[_Union[Enforcement, str]] = ..., reason: _Optional[str] = ..., also: _Optional[_Iterable[str]] = ..., rule: _Optional[str] = ..., obligations: _Optional[_Iterable[_Union[Obligation, _Mapping]]] = ..., advice: _Optional[_Iterable[_Union[Advice, _Mapping]]] = ..., break_glass: _Optional[_Union[BreakGlassOffer, _Mapping]] = ..., policy: _Optional[_Union[PolicyRevision, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision_id: _Optional[str] = ..., record: _Optional[_Union[RecordReference, _Mapping]] = ..., consistency_token: _Optional[str] = ..., message: _Optional[str] = ..., grant: _Optional[_Union[GrantReference, _Mapping]] = ...) -> None: ...

class BatchItem(_message.Message):
    __slots__ = ("action", "resource")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    action: str
    resource: Resource
    def __init__(self, action: _Optional[str] = ..., resource: _Optional[_Union[Resource, _Mapping]] = ...) -> None: ...

class CheckAccessBatchRequest(_message.Message):
    __slots__ = ("subject", "authentication", "device", "purpose", "context", "patient_id", "items", "semantics")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    authentication: Authentication
    device: Device
    purpose: str
    context: Context
    patient_id: str
    items: _containers.RepeatedCompositeFieldContainer[BatchItem]
    semantics: BatchSemantics
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ..., authentication: _Optional[_Union[Authentication, _Mapping]] = ..., device: _Optional[_Union[Device, _Mapping]] = ..., purpose: _Optional[str] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., patient_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[BatchItem, _Mapping]]] = ..., semantics: _Optional[_Union[BatchSemantics, str]] = ...) -> None: ...

class ItemError(_message.Message):
    __slots__ = ("reason", "field", "description")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    reason: str
    field: str
    description: str
    def __init__(self, reason: _Optional[str] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class BatchResult(_message.Message):
    __slots__ = ("answer", "error")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    answer: CheckAccessResponse
    error: ItemError
    def __init__(self, answer: _Optional[_Union[CheckAccessResponse, _Mapping]] = ..., error: _Optional[_Union[ItemError, _Mapping]] = ...) -> None: ...

class CheckAccessBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchResult, _Mapping]]] = ...) -> None: ...
