"""One message, read strictly: unknown fields, missing fields, wrong words and unprintable names are refused.

A restriction that an older server did not know would be a permit, so a field this server does not know is an error
at any depth. `check` is exact and slow; the hot path (`requests.py`) asks cheaper questions first and comes here
only when one of them fails.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar, get_args, get_type_hints

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from sidecar.core import model
from sidecar.errors import InvalidRequest

NAME_LENGTH = 256
TEXT_LENGTH = 500
LIST_LENGTH = 256
BATCH_ITEMS = 500
WRITE_FACTS = 5000

# RFC 3339 years 1 to 9999, which is also what google.protobuf.Timestamp admits.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799

STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    **{kind.__name__: kind for kind in model.KINDS.values()},
    **{
        kind.__name__: kind
        for kind in (
            model.Subject,
            model.Authentication,
            model.Device,
            model.Resource,
            model.References,
            model.Context,
            model.Period,
            model.Scope,
            model.Target,
            model.Fact,
            model.Watermark,
            model.Retraction,
        )
    },
}

SUBJECT_KINDS = ("professionnel", "personnel", "prestataire", "patient", "representant", "ayant_droit", "service")
ACCOUNT_TYPES = ("nominatif", "generique", "service")
ACCOUNT_STATUSES = ("actif", "suspendu", "parti")
HDS_STATES = ("certified", "not_needed", "missing")
REMOTE_KINDS = ("none", "managed_channel", "open")
DEVICE_CLASSES = ("workstation", "tablet", "phone", "server")
LIFECYCLES = ("brouillon", "actif", "archive", "gele", "expire", "invalide")
ACCESS_MODES = ("normal", "bris_de_glace", "centre_15")
LANGUAGES = ("fr", "en")
INFORMED = ("yes", "no", "impossible")
VERDICTS = ("justifie", "injustifie", "non_conclusif")
GRANT_STATES = ("open", "closed", "expired", "revoked", "reviewed", "pending", "overdue")


def _literals() -> Iterable[tuple[str, tuple[str, ...]]]:
    """The closed words that the model's own types state, by message and field."""
    for name, kind in STRUCTS.items():
        for field, hint in get_type_hints(kind).items():
            words = get_args(hint)
            if words and all(isinstance(word, str) for word in words):
                yield f"{name}.{field}", words


WORDS: Mapping[str, tuple[str, ...]] = {
    "Subject.kind": SUBJECT_KINDS,
    "Subject.account_type": ACCOUNT_TYPES,
    "Subject.status": ACCOUNT_STATUSES,
    "Subject.hds": HDS_STATES,
    "Authentication.remote": REMOTE_KINDS,
    "Device.class": DEVICE_CLASSES,
    "Resource.lifecycle": LIFECYCLES,
    "Context.access_mode": ACCESS_MODES,
    "Context.language": LANGUAGES,
    "Context.patient_informed": INFORMED,
    "OpenRequest.language": LANGUAGES,
    "DescribeRequest.language": LANGUAGES,
    "CloseRequest.language": LANGUAGES,
    "ReviewRequest.language": LANGUAGES,
    "ReviewRequest.verdict": VERDICTS,
    "ListRequest.states": GRANT_STATES,
    "Directive.modes": ACCESS_MODES,
    "Directive.rights": ("read", "write"),
    "RecordState.status": ("open", "closed"),
    "RecordState.lifecycle": ("actif", "archive", "gele", "expire"),
    "Watermark.kinds": tuple(model.KINDS),
    "ReadFactsRequest.kinds": tuple(model.KINDS),
    "ShowRecordsRequest.effect": tuple(model.Effect),
    **dict(_literals()),
}

TEXTS = frozenset({"Context.justification", "OpenRequest.justification", "ReviewRequest.comment"})

LENGTHS: Mapping[str, int] = {
    "ReadFactsRequest.page_token": 4096,
    "CheckAccessBatchRequest.items": BATCH_ITEMS,
    "WriteFactsRequest.facts": WRITE_FACTS,
    "WriteFactsRequest.retract": WRITE_FACTS,
}

REQUIRED: Mapping[str, tuple[str, ...]] = {
    **{
        name: tuple(field.encode_name for field in msgspec.structs.fields(kind) if field.required)
        for name, kind in STRUCTS.items()
    },
    "Resource": ("category",),
    "CheckAccessRequest": ("subject", "action", "resource", "purpose"),
    "CheckAccessBatchRequest": ("subject", "purpose", "items"),
    "BatchItem": ("action", "resource"),
    "OpenRequest": ("subject", "patient_id"),
    "CloseRequest": ("grant", "subject"),
    "GetRequest": ("grant",),
    "ReviewRequest": ("grant", "subject", "verdict"),
    "AcknowledgeRequest": ("notices",),
    "AccessesRequest": ("grant",),
    "RecallDecisionRequest": ("decision_id",),
    "RetireMonthRequest": ("month",),
    "WriteFactsRequest": ("request_id",),
}

M = TypeVar("M", bound=Message)


def parsed(kind: type[M], payload: bytes, path: str = "") -> M:
    """The message these bytes are, without a field this server does not know. Raises InvalidRequest.

    `path` is where the message stands in the call, empty or ending in a dot.
    """
    try:
        message = kind.FromString(payload)
    except DecodeError:
        raise InvalidRequest(path.removesuffix(".") or "message", f"not a {kind.DESCRIPTOR.full_name}") from None
    # Whatever is unknown makes the bytes longer than what is known takes; equal lengths need no second look.
    message.DiscardUnknownFields()
    if message.ByteSize() != len(payload):
        unknown = _unknown(kind.FromString(payload), path)
        if unknown:
            raise InvalidRequest(unknown, "a field this server does not know")
    return message


def whole(kind: type[M], payload: bytes) -> M:
    """The well-formed message these bytes are. Raises InvalidRequest."""
    message = parsed(kind, payload)
    check(message)
    return message


def check(message: Message, path: str = "") -> None:
    """Nothing when the message is well formed. Raises InvalidRequest for its first fault, in field order.

    `path` is where the message stands in the call, empty or ending in a dot.
    """
    name = message.DESCRIPTOR.name
    for required in REQUIRED.get(name, ()):
        if not _present(message, required):
            raise InvalidRequest(path + required, "required")
    if isinstance(message, Timestamp):
        _check_instant(message, path.removesuffix("."))
    elif name == "Fact" and message.WhichOneof("body") is None:
        raise InvalidRequest(path + "body", f"expected one of {', '.join(model.KINDS)}")
    for field, value in message.ListFields():
        where = path + field.name
        if field.is_repeated:
            _check_list(f"{name}.{field.name}", value, where)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            check(value, where + ".")
        elif field.type == FieldDescriptor.TYPE_STRING:
            check_string(f"{name}.{field.name}", value, where)
        elif field.enum_type is not None and value not in field.enum_type.values_by_number:
            raise InvalidRequest(where, f"`{value}` is none of {', '.join(field.enum_type.values_by_name)}")


def _check_list(name: str, values: Iterable[Message | str], where: str) -> None:
    most = LENGTHS.get(name, LIST_LENGTH)
    for n, value in enumerate(values):
        if n == most:
            raise InvalidRequest(where, f"more than {most}")
        if isinstance(value, str):
            if not value:
                raise InvalidRequest(f"{where}[{n}]", "empty")
            check_string(name, value, f"{where}[{n}]")
        else:
            check(value, f"{where}[{n}].")


def check_string(name: str, text: str, where: str) -> None:
    """Nothing when this text may stand in this field, named `Message.field`. Raises InvalidRequest."""
    words = WORDS.get(name)
    if words is not None:
        if text not in words:
            raise InvalidRequest(where, f"`{shown(text)}` is none of {', '.join(words)}")
    elif name in TEXTS:
        if len(text) > TEXT_LENGTH:
            raise InvalidRequest(where, f"longer than {TEXT_LENGTH} characters")
        if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
            raise InvalidRequest(where, "a control character")
    else:
        most = LENGTHS.get(name, NAME_LENGTH)
        if len(text) > most:
            raise InvalidRequest(where, f"longer than {most} characters")
        if not text.isprintable():
            raise InvalidRequest(where, "a control, format or separator character")


def _check_instant(moment: Timestamp, where: str) -> None:
    if not FIRST_SECOND <= moment.seconds <= LAST_SECOND or not 0 <= moment.nanos < 1_000_000_000:
        raise InvalidRequest(where, "not an instant of the years 1 to 9999")


def _present(message: Message, name: str) -> bool:
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.has_presence:
        return message.HasField(name)
    return bool(getattr(message, name))


def shown(text: str) -> str:
    """What the caller sent, short and printable, fit for a message."""
    short = text if len(text) <= 40 else text[:40] + "…"
    return "".join(letter if letter.isprintable() and letter != "`" else "�" for letter in short)


def _unknown(message: Message, path: str) -> str:
    """The path of the first field that is not in the schema, as in `subject.#99`; empty when there is none."""
    for unknown in UnknownFieldSet(message):  # type: ignore[attr-defined]
        return f"{path}#{unknown.field_number}"
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        places = [(path + field.name, value)]
        if field.is_repeated:
            places = [(f"{path}{field.name}[{n}]", each) for n, each in enumerate(value)]
        for where, each in places:
            found = _unknown(each, where + ".")
            if found:
                return found
    return ""
