import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sidecar.v1 import access_pb2 as _access_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Grant(_message.Message):
    __slots__ = ("id", "opened_at", "until", "scope", "subject_id", "patient_id", "motive", "state", "closed_at", "review_due")
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
    def __init__(self, id: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scope: _Optional[str] = ..., subject_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., motive: _Optional[str] = ..., state: _Optional[str] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review_due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("grant", "subject")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    grant: str
    subject: _access_pb2.Subject
    def __init__(self, grant: _Optional[str] = ..., subject: _Optional[_Union[_access_pb2.Subject, _Mapping]] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ("grant", "consistency_token")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    consistency_token: str
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., consistency_token: _Optional[str] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: str
    def __init__(self, grant: _Optional[str] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ...) -> None: ...
