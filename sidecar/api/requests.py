"""What a caller sent → the question it is: every field read once, every doubt settled by `strict.check`.

The cheap questions here are sufficient, never necessary: when one fails, `strict.check` gives the exact answer.
`shape.value` says the same in a plain way, and the tests compare the two.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec.structs import replace

from sidecar.api.parts import in_parts, once_in_parts
from sidecar.api.shape import value
from sidecar.api.strict import (
    ACCESS_MODES,
    ACCOUNT_STATUSES,
    ACCOUNT_TYPES,
    BATCH_ITEMS,
    DEVICE_CLASSES,
    FIRST_SECOND,
    HDS_STATES,
    INFORMED,
    LANGUAGES,
    LAST_SECOND,
    LIFECYCLES,
    NAME_LENGTH,
    REMOTE_KINDS,
    SUBJECT_KINDS,
    TEXT_LENGTH,
    check,
    check_string,
    parsed,
    whole,
)
from sidecar.core.model import (
    NO_CONTEXT,
    NO_REFERENCES,
    Authentication,
    Context,
    Device,
    Fact,
    ItemFault,
    References,
    Request,
    Resource,
    Subject,
)
from sidecar.errors import InvalidRequest
from sidecar.v1 import access_pb2

KINDS_OF_SUBJECT = frozenset(SUBJECT_KINDS)
ACCOUNTS = frozenset((*ACCOUNT_TYPES, ""))
STATUSES = frozenset((*ACCOUNT_STATUSES, ""))
HDS = frozenset((*HDS_STATES, ""))
REMOTES = frozenset((*REMOTE_KINDS, None))
DEVICES = frozenset((*DEVICE_CLASSES, ""))
LIVES = frozenset((*LIFECYCLES, None))
MODES = frozenset(ACCESS_MODES)
TONGUES = frozenset((*LANGUAGES, ""))
TOLD = frozenset((*INFORMED, ""))

_QUESTION = in_parts(access_pb2.CheckAccessRequest)
_SAID_ONCE = once_in_parts(access_pb2.CheckAccessRequest, access_pb2.Resource)


def question(payload: bytes) -> Request:
    """The question of a CheckAccessRequest. Raises InvalidRequest naming the field."""
    try:
        parts = _SAID_ONCE.FromString(payload)
        parts.DiscardUnknownFields()
        # Whatever is unknown, or said twice, makes the bytes longer than what was read of them.
        if parts.ByteSize() == len(payload):
            sure = _sure(parts)
            if sure is not None:
                return sure
    except (DecodeError, InvalidRequest):
        pass
    return _in_doubt(payload)


def _sure(parts: Any) -> Request | None:
    """The question these parts are, unless there is any doubt; then None, or an InvalidRequest that names no field."""
    m = parts.resource
    action, purpose, category, patient_id = parts.action, parts.purpose, m.category, m.patient_id
    type_, id_, author, author_structure = m.type, m.id, m.author, m.author_structure
    unit, stay, controller_id, source_system = m.unit, m.stay, m.controller_id, m.source_system
    lifecycle, subject = m.lifecycle or None, parts.subject
    names = action, purpose, category, patient_id, type_, id_, author, author_structure
    if not (
        subject
        and action
        and purpose
        and category
        and lifecycle in LIVES
        and _plain((*names, unit, stay, controller_id, source_system))
        and not parts.facts
    ):
        return None
    tags, visibility, masked_for = m.tags, m.visibility, m.masked_for
    created_at, announced_since = m.created_at, m.announced_since
    authentication, device, context = parts.authentication, parts.device, parts.context
    return Request(
        _subject(subject),
        action,
        Resource(
            category,
            patient_id,
            type_,
            id_,
            _strings(tags) if tags or m.HasField("tags") else None,
            author,
            author_structure,
            _moment(created_at) if created_at else None,
            unit,
            stay,
            _strings(visibility) if visibility or m.HasField("visibility") else None,
            _strings(masked_for) if masked_for or m.HasField("masked_for") else None,
            _moment(announced_since) if announced_since else None,
            lifecycle,
            controller_id,
            source_system,
        ),
        purpose,
        _authentication(authentication) if authentication else None,
        _device(device) if device else None,
        _context(parsed(access_pb2.Context, context, "context.")) if context else NO_CONTEXT,
    )


def _in_doubt(payload: bytes) -> Request:
    """The same of any CheckAccessRequest: with facts, said in an unusual way, or with a fault, which is named here."""
    parts = parsed(_QUESTION, payload)
    subject, resource, authentication = parts.subject, parts.resource, parts.authentication
    device, context = parts.device, parts.context
    if not (subject and resource):
        whole(access_pb2.CheckAccessRequest, payload)
    facts: tuple[Fact, ...] = ()
    if parts.facts:
        message = whole(access_pb2.CheckAccessRequest, payload)
        facts = tuple(value(Fact, fact) for fact in message.facts)
    return Request(
        _subject(_joined(subject)),
        _word(parts.action, "action"),
        _resource(parsed(access_pb2.Resource, _joined(resource), "resource."), "resource."),
        _word(parts.purpose, "purpose"),
        _authentication(_joined(authentication)) if authentication else None,
        _device(_joined(device)) if device else None,
        _context(parsed(access_pb2.Context, _joined(context), "context.")) if context else NO_CONTEXT,
        facts,
    )


def batch(payload: bytes) -> tuple[tuple[Request | ItemFault, ...], bool]:
    """The questions of a CheckAccessBatchRequest, in order, and whether to stop at the first refusal or fault.

    An item that is malformed is its fault; raises InvalidRequest for what is common to all.
    """
    message = parsed(access_pb2.CheckAccessBatchRequest, payload)
    if not message.HasField("subject"):
        raise InvalidRequest("subject", "required")
    if not 1 <= len(message.items) <= BATCH_ITEMS:
        raise InvalidRequest("items", f"expected 1 to {BATCH_ITEMS}")
    if message.semantics not in access_pb2.BatchSemantics.values():
        names = ", ".join(access_pb2.BatchSemantics.keys())
        raise InvalidRequest("semantics", f"`{message.semantics}` is none of {names}")
    if message.patient_id:
        _word(message.patient_id, "patient_id")
    common = Request(
        _subject(message.subject.SerializeToString()),
        "",
        Resource(patient_id=message.patient_id),
        _word(message.purpose, "purpose"),
        _authentication(message.authentication.SerializeToString()) if message.HasField("authentication") else None,
        _device(message.device.SerializeToString()) if message.HasField("device") else None,
        _context(message.context) if message.HasField("context") else NO_CONTEXT,
    )
    items = tuple(_item(item, common, f"items[{n}].") for n, item in enumerate(message.items))
    return items, message.semantics == access_pb2.BATCH_SEMANTICS_DENY_ON_FIRST_DENY


def _item(item: access_pb2.BatchItem, common: Request, path: str) -> Request | ItemFault:
    try:
        if not item.HasField("resource"):
            check(item, path)
        resource = _resource(item.resource, path + "resource.")
        if not resource.patient_id:
            resource = replace(resource, patient_id=common.resource.patient_id)
        elif common.resource.patient_id and resource.patient_id != common.resource.patient_id:
            raise InvalidRequest(path + "resource.patient_id", "expected absent or equal to the batch's `patient_id`")
        return Request(
            common.subject,
            _word(item.action, path + "action"),
            resource,
            common.purpose,
            common.authentication,
            common.device,
            common.context,
        )
    except InvalidRequest as fault:
        return ItemFault(fault.field, fault.description)


def _joined(parts: Sequence[bytes]) -> bytes:
    """The bytes of a message that was said once, or more often."""
    return parts[0] if len(parts) == 1 else b"".join(parts)


@lru_cache(maxsize=4096)
def _strings(said: bytes) -> tuple[str, ...]:
    """The list these bytes are. Raises InvalidRequest in doubt."""
    values = tuple(parsed(access_pb2.Strings, said).values)
    if not (_plain(values) and all(values)):
        raise InvalidRequest("values", "not surely well formed")
    return values


@lru_cache(maxsize=4096)
def _moment(said: bytes) -> int:
    """The instant these bytes are. Raises InvalidRequest."""
    return _instant(parsed(Timestamp, said), "moment")


@lru_cache(maxsize=4096)
def _subject(said: bytes) -> Subject:
    """The subject these bytes are. The same people ask all day, and theirs is the longest part of a question."""
    m = parsed(access_pb2.Subject, said, "subject.")
    subject = Subject(
        m.id,
        m.kind,
        m.profile,
        m.id_system,
        m.profession,
        m.r1110_2_category,
        m.structure,
        tuple(m.units[:]) if m.units else (),
        m.activity_id,
        tuple(m.activities[:]) if m.activities else (),
        m.account_type,
        m.status,
        _instant(m.valid_from, "subject.valid_from") if m.HasField("valid_from") else None,
        _instant(m.valid_until, "subject.valid_until") if m.HasField("valid_until") else None,
        m.contract_ref,
        _instant(m.contract_until, "subject.contract_until") if m.HasField("contract_until") else None,
        m.confidentiality_signed if m.HasField("confidentiality_signed") else None,
        m.hds,
        m.supervised_by,
        m.on_behalf_of,
    )
    names = (
        subject.id,
        subject.profile,
        subject.id_system,
        subject.profession,
        subject.r1110_2_category,
        subject.structure,
        subject.activity_id,
        subject.contract_ref,
        subject.supervised_by,
        subject.on_behalf_of,
        *subject.units,
        *subject.activities,
    )
    if not (
        subject.id
        and subject.profile
        and subject.kind in KINDS_OF_SUBJECT
        and subject.account_type in ACCOUNTS
        and subject.status in STATUSES
        and subject.hds in HDS
        and _plain(names)
        and all(subject.units)
        and all(subject.activities)
    ):
        check(m, "subject.")
    return subject


@lru_cache(maxsize=4096)
def _authentication(said: bytes) -> Authentication:
    """The authentication these bytes are: a record that opens is many questions of one session in one second."""
    m = parsed(access_pb2.Authentication, said, "authentication.")
    authentication = Authentication(
        m.acr,
        tuple(m.amr[:]) if m.amr else (),
        m.mfa if m.HasField("mfa") else None,
        _instant(m.time, "authentication.time") if m.HasField("time") else None,
        m.idle_s if m.HasField("idle_s") else None,
        m.remote if m.HasField("remote") else None,
    )
    methods = authentication.amr
    if not (authentication.remote in REMOTES and _plain((authentication.acr, *methods)) and all(methods)):
        check(m, "authentication.")
    return authentication


@lru_cache(maxsize=256)
def _device(said: bytes) -> Device:
    m = parsed(access_pb2.Device, said, "device.")
    device = Device(
        getattr(m, "class"),
        m.managed if m.HasField("managed") else None,
        m.compromised if m.HasField("compromised") else None,
    )
    if device.class_ not in DEVICES:
        check(m, "device.")
    return device


def _resource(m: access_pb2.Resource, path: str) -> Resource:
    resource = Resource(
        m.category,
        m.patient_id,
        m.type,
        m.id,
        tuple(m.tags.values[:]) if m.HasField("tags") else None,
        m.author,
        m.author_structure,
        _instant(m.created_at, path + "created_at") if m.HasField("created_at") else None,
        m.unit,
        m.stay,
        tuple(m.visibility.values[:]) if m.HasField("visibility") else None,
        tuple(m.masked_for.values[:]) if m.HasField("masked_for") else None,
        _instant(m.announced_since, path + "announced_since") if m.HasField("announced_since") else None,
        m.lifecycle if m.HasField("lifecycle") else None,
        m.controller_id,
        m.source_system,
    )
    lists = (*(resource.tags or ()), *(resource.visibility or ()), *(resource.masked_for or ()))
    names = (
        resource.category,
        resource.patient_id,
        resource.type,
        resource.id,
        resource.author,
        resource.author_structure,
        resource.unit,
        resource.stay,
        resource.controller_id,
        resource.source_system,
        *lists,
    )
    if not (resource.category and resource.lifecycle in LIVES and _plain(names) and all(lists)):
        check(m, path)
    return resource


def _context(m: access_pb2.Context) -> Context:
    context = Context(
        m.access_mode or "normal",
        m.grant,
        m.motive,
        m.justification,
        m.workstation if m.HasField("workstation") else None,
        m.unit,
        m.request_id,
        m.language,
        m.secret_connection if m.HasField("secret_connection") else None,
        m.patient_informed,
        m.recipient,
        m.notice_version,
        m.legal_basis,
        m.user_agreement if m.HasField("user_agreement") else None,
        value(References, m.refs) if m.HasField("refs") else NO_REFERENCES,
        m.consistency_token,
        m.second_confirmation if m.HasField("second_confirmation") else None,
    )
    names = (
        context.grant,
        context.motive,
        context.workstation or "",
        context.unit,
        context.request_id,
        context.recipient,
        context.notice_version,
        context.legal_basis,
        context.consistency_token,
    )
    if not (
        context.access_mode in MODES
        and context.language in TONGUES
        and context.patient_informed in TOLD
        and context.refs is NO_REFERENCES
        and _plain(names)
        and len(context.justification) <= TEXT_LENGTH
        and (context.justification.isprintable())
    ):
        check(m, "context.")
    return context


def _plain(names: tuple[str, ...]) -> bool:
    """Whether these names are surely well formed: no control character, none too long, not too many."""
    joined = "".join(names)
    return len(joined) <= NAME_LENGTH and joined.isprintable()


def _word(text: str, where: str) -> str:
    if not text:
        raise InvalidRequest(where, "required")
    check_string("", text, where)
    return text


def _instant(moment: Timestamp, where: str) -> int:
    seconds, nanos = moment.seconds, moment.nanos
    if not (FIRST_SECOND <= seconds <= LAST_SECOND and 0 <= nanos < 1_000_000_000):
        check(moment, where + ".")
    return seconds * 1_000_000 + nanos // 1000
