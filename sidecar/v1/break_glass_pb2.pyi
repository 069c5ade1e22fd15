import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Grant(_message.Message):
    __slots__ = ("id", "opened_at", "until", "scope", "subject_id", "patient_id", "motive", "state", "closed_at", "review_due", "profile", "controller_id", "units", "ended_by", "justification", "second_confirmation", "alerts", "also", "review", "review_state", "ended")
    ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    MOTIVE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    REVIEW_DUE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    SECOND_CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    REVIEW_STATE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    opened_at: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    scope: str
    subject_id: str
    patient_id: str
    motive: str
    state: str
    closed_at: _timestamp_pb2.Timestamp
    review_due: _timestamp_pb2.Timestamp
    profile: str
    controller_id: str
    units: _containers.RepeatedScalarFieldContainer[str]
    ended_by: str
    justification: str
    second_confirmation: bool
    alerts: _containers.RepeatedScalarFieldContainer[str]
    also: _containers.RepeatedScalarFieldContainer[str]
    review: Review
    review_state: str
    ended: str
    def __init__(self, id: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scope: _Optional[str] = ..., subject_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., motive: _Optional[str] = ..., state: _Optional[str] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review_due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., profile: _Optional[str] = ..., controller_id: _Optional[str] = ..., units: _Optional[_Iterable[str]] = ..., ended_by: _Optional[str] = ..., justification: _Optional[str] = ..., second_confirmation: _Optional[bool] = ..., alerts: _Optional[_Iterable[str]] = ..., also: _Optional[_Iterable[str]] = ..., review: _Optional[_Union[Review, _Mapping]] = ..., review_state: _Optional[str] = ..., ended: _Optional[str] = ...) -> None: ...

class Review(_message.Message):
    __slots__ = ("verdict", "comment", "reviewer_id", "at", "also")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    verdict: str
    comment: str
    reviewer_id: str
    at: _timestamp_pb2.Timestamp
    also: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, verdict: _Optional[str] = ..., comment: _Optional[str] = ..., reviewer_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., also: _Optional[_Iterable[str]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("id", "grant", "what", "audience", "at", "due", "delivered_at", "acknowledged_at", "attempts", "controller_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    grant: str
    what: str
    audience: str
    at: _timestamp_pb2.Timestamp
    due: _timestamp_pb2.Timestamp
    delivered_at: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    attempts: int
    controller_id: str
    def __init__(self, id: _Optional[str] = ..., grant: _Optional[str] = ..., what: _Optional[str] = ..., audience: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., controller_id: _Optional[str] = ...) -> None: ...

class OpenRequest(_message.Message):
    __slots__ = ("subject", "authentication", "device", "patient_id", "controller_id", "motive", "justification", "second_confirmation", "request_id", "language")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    MOTIVE_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_FIELD_NUMBER: _ClassVar[int]
    SECOND_CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    subject: _access_pb2.Subject
    authentication: _access_pb2.Authentication
    device: _access_pb2.Device
    patient_id: str
    controller_id: str
    motive: str
    justification: str
    second_confirmation: bool
    request_id: str
    language: str
    def __init__(self, subject: _Optional[_Union[_access_pb2.Subject, _Mapping]] = ..., authentication: _Optional[_Union[_access_pb2.Authentication, _Mapping]] = ..., device: _Optional[_Union[_access_pb2.Device, _Mapping]] = ..., patient_id: _Optional[str] = ..., controller_id: _Optional[str] = ..., motive: _Optional[str] = ..., justification: _Optional[str] = ..., second_confirmation: _Optional[bool] = ..., request_id: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class OpenResponse(_message.Message):
    __slots__ = ("answer", "grant")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    answer: _access_pb2.CheckAccessResponse
    grant: Grant
    def __init__(self, answer: _Optional[_Union[_access_pb2.CheckAccessResponse, _Mapping]] = ..., grant: _Optional[_Union[Grant, _Mapping]] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("grant", "subject", "authentication", "device", "language")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    grant: str
    subject: _access_pb2.Subject
    authentication: _access_pb2.Authentication
    device: _access_pb2.Device
    language: str
    def __init__(self, grant: _Optional[str] = ..., subject: _Optional[_Union[_access_pb2.Subject, _Mapping]] = ..., authentication: _Optional[_Union[_access_pb2.Authentication, _Mapping]] = ..., device: _Optional[_Union[_access_pb2.Device, _Mapping]] = ..., language: _Optional[str] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ("grant", "consistency_token", "answer")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    consistency_token: str
    answer: _access_pb2.CheckAccessResponse
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., consistency_token: _Optional[str] = ..., answer: _Optional[_Union[_access_pb2.CheckAccessResponse, _Mapping]] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: str
    def __init__(self, grant: _Optional[str] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("grant", "notices")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("controller_id", "states", "subject_id", "patient_id", "opened_from", "opened_to", "page_size", "page_token")
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_FROM_FIELD_NUMBER: _ClassVar[int]
    OPENED_TO_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    controller_id: str
    states: _containers.RepeatedScalarFieldContainer[str]
    subject_id: str
    patient_id: str
    opened_from: _timestamp_pb2.Timestamp
    opened_to: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, controller_id: _Optional[str] = ..., states: _Optional[_Iterable[str]] = ..., subject_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., opened_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opened_to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("grants", "next_page_token", "totals")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    next_page_token: str
    totals: GrantTotals
    def __init__(self, grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., totals: _Optional[_Union[GrantTotals, _Mapping]] = ...) -> None: ...

class GrantTotals(_message.Message):
    __slots__ = ("open", "pending", "overdue", "notices_pending", "notices_overdue", "oldest_unreviewed")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    NOTICES_PENDING_FIELD_NUMBER: _ClassVar[int]
    NOTICES_OVERDUE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_UNREVIEWED_FIELD_NUMBER: _ClassVar[int]
    open: int
    pending: int
    overdue: int
    notices_pending: int
    notices_overdue: int
    oldest_unreviewed: _timestamp_pb2.Timestamp
    def __init__(self, open: _Optional[int] = ..., pending: _Optional[int] = ..., overdue: _Optional[int] = ..., notices_pending: _Optional[int] = ..., notices_overdue: _Optional[int] = ..., oldest_unreviewed: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReviewRequest(_message.Message):
    __slots__ = ("grant", "subject", "authentication", "device", "verdict", "comment", "request_id", "language")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    grant: str
    subject: _access_pb2.Subject
    authentication: _access_pb2.Authentication
    device: _access_pb2.Device
    verdict: str
    comment: str
    request_id: str
    language: str
    def __init__(self, grant: _Optional[str] = ..., subject: _Optional[_Union[_access_pb2.Subject, _Mapping]] = ..., authentication: _Optional[_Union[_access_pb2.Authentication, _Mapping]] = ..., device: _Optional[_Union[_access_pb2.Device, _Mapping]] = ..., verdict: _Optional[str] = ..., comment: _Optional[str] = ..., request_id: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class ReviewResponse(_message.Message):
    __slots__ = ("answer", "grant")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    answer: _access_pb2.CheckAccessResponse
    grant: Grant
    def __init__(self, answer: _Optional[_Union[_access_pb2.CheckAccessResponse, _Mapping]] = ..., grant: _Optional[_Union[Grant, _Mapping]] = ...) -> None: ...

class EventsRequest(_message.Message):
    __slots__ = ("cursor", "audiences", "limit")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    audiences: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    def __init__(self, cursor: _Optional[str] = ..., audiences: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ...) -> None: ...

class EventsResponse(_message.Message):
    __slots__ = ("notices", "cursor", "more")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    cursor: str
    more: bool
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., cursor: _Optional[str] = ..., more: _Optional[bool] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("notices", "request_id")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, notices: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ("notices", "consistency_token")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    consistency_token: str
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ("profile", "language")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    profile: str
    language: str
    def __init__(self, profile: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("code", "text", "at_least")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    at_least: int
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ..., at_least: _Optional[int] = ...) -> None: ...

class Told(_message.Message):
    __slots__ = ("audience", "text", "within_s")
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_S_FIELD_NUMBER: _ClassVar[int]
    audience: str
    text: str
    within_s: int
    def __init__(self, audience: _Optional[str] = ..., text: _Optional[str] = ..., within_s: _Optional[int] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("eligible", "scope", "categories", "motives", "justification_max", "ttl_s", "reauth_s", "review_s", "told", "texts")
    class TextsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    MOTIVES_FIELD_NUMBER: _ClassVar[int]
    JUSTIFICATION_MAX_FIELD_NUMBER: _ClassVar[int]
    TTL_S_FIELD_NUMBER: _ClassVar[int]
    REAUTH_S_FIELD_NUMBER: _ClassVar[int]
    REVIEW_S_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    eligible: bool
    scope: str
    categories: _containers.RepeatedScalarFieldContainer[str]
    motives: _containers.RepeatedCompositeFieldContainer[Choice]
    justification_max: int
    ttl_s: int
    reauth_s: int
    review_s: int
    told: _containers.RepeatedCompositeFieldContainer[Told]
    texts: _containers.ScalarMap[str, str]
    def __init__(self, eligible: _Optional[bool] = ..., scope: _Optional[str] = ..., categories: _Optional[_Iterable[str]] = ..., motives: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ..., justification_max: _Optional[int] = ..., ttl_s: _Optional[int] = ..., reauth_s: _Optional[int] = ..., review_s: _Optional[int] = ..., told: _Optional[_Iterable[_Union[Told, _Mapping]]] = ..., texts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class AccessesRequest(_message.Message):
    __slots__ = ("grant", "limit")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    grant: str
    limit: int
    def __init__(self, grant: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("at", "action", "category", "object", "effect", "reason", "decision_id")
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    action: str
    category: str
    object: str
    effect: _access_pb2.Effect
    reason: str
    decision_id: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action: _Optional[str] = ..., category: _Optional[str] = ..., object: _Optional[str] = ..., effect: _Optional[_Union[_access_pb2.Effect, str]] = ..., reason: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class AccessesResponse(_message.Message):
    __slots__ = ("accesses", "total", "relation")
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    accesses: _containers.RepeatedCompositeFieldContainer[Access]
    total: int
    relation: str
    def __init__(self, accesses: _Optional[_Iterable[_Union[Access, _Mapping]]] = ..., total: _Optional[int] = ..., relation: _Optional[str] = ...) -> None: ...

class PressureRequest(_message.Message):
    __slots__ = ("controller_id", "to")
    CONTROLLER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    controller_id: str
    to: _timestamp_pb2.Timestamp
    def __init__(self, controller_id: _Optional[str] = ..., to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., **kwargs) -> None: ...

class PressureResponse(_message.Message):
    __slots__ = ("to", "units", "grants")
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    to: _timestamp_pb2.Timestamp
    units: _containers.RepeatedCompositeFieldContainer[UnitPressure]
    grants: int
    def __init__(self, to: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., units: _Optional[_Iterable[_Union[UnitPressure, _Mapping]]] = ..., grants: _Optional[int] = ..., **kwargs) -> None: ...

class UnitPressure(_message.Message):
    __slots__ = ("unit", "openings", "per_week", "index", "motives", "relations", "known")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    OPENINGS_FIELD_NUMBER: _ClassVar[int]
    PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MOTIVES_FIELD_NUMBER: _ClassVar[int]
    RELATIONS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    unit: str
    openings: int
    per_week: float
    index: float
    motives: _containers.RepeatedCompositeFieldContainer[Count]
    relations: _containers.RepeatedCompositeFieldContainer[Count]
    known: int
    def __init__(self, unit: _Optional[str] = ..., openings: _Optional[int] = ..., per_week: _Optional[float] = ..., index: _Optional[float] = ..., motives: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., relations: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., known: _Optional[int] = ...) -> None: ...

class Count(_message.Message):
    __slots__ = ("code", "count")
    CODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    code: str
    count: int
    def __init__(self, code: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...
