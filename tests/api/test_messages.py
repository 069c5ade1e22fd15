"""What is sent is what is read, and what is not well said is refused by the path of its field."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings

from sidecar.api import glass, queries, requests, shape, strict
from sidecar.core import model
from sidecar.core.reading import FactsQuery, RecordsQuery
from sidecar.errors import InvalidRequest
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2
from tests.api.corridor import a_check
from tests.api.values import FACTS, OPENINGS, REQUESTS

MANY = settings(max_examples=150, deadline=None)
UNKNOWN = b"\xfa\xff\x07\x01x"  # field 16383, which no version of the API has


def fault(payload: bytes) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        requests.question(payload)
    return caught.value.field, caught.value.description


@given(REQUESTS)
@MANY
def test_a_question_crosses_the_wire_unchanged(request: model.Request) -> None:
    payload = shape.message(access_pb2.CheckAccessRequest, request).SerializeToString()
    assert requests.question(payload) == request


@given(REQUESTS)
@MANY
def test_the_fast_reading_is_the_plain_reading(request: model.Request) -> None:
    message = shape.message(access_pb2.CheckAccessRequest, request)
    strict.check(message)
    assert shape.value(model.Request, message) == requests.question(message.SerializeToString())


@given(REQUESTS, REQUESTS)
@MANY
def test_a_question_said_in_two_parts_is_what_protobuf_makes_of_both(
    first: model.Request, second: model.Request
) -> None:
    said = [shape.message(access_pb2.CheckAccessRequest, request).SerializeToString() for request in (first, second)]
    joined = access_pb2.CheckAccessRequest.FromString(b"".join(said))
    assert requests.question(b"".join(said)) == shape.value(model.Request, joined)


@pytest.mark.parametrize("name", ["authentication", "device", "context"])
def test_what_is_said_and_empty_is_the_same_said_in_any_order(name: str) -> None:
    message, empty = a_check(), access_pb2.CheckAccessRequest()
    getattr(empty, name).SetInParent()
    plain, said = message.SerializeToString(), empty.SerializeToString()
    getattr(message, name).SetInParent()
    assert requests.question(plain + said) == requests.question(said + plain) == shape.value(model.Request, message)


@given(OPENINGS)
@MANY
def test_an_opening_crosses_the_wire_unchanged(opening: model.Opening) -> None:
    message = shape.message(break_glass_pb2.OpenRequest, opening)
    assert glass.opening(message.SerializeToString()) == opening


@given(FACTS)
@MANY
def test_a_fact_crosses_the_wire_unchanged(fact: model.Fact) -> None:
    message = facts_pb2.WriteFactsRequest(request_id="r", facts=[shape.message(facts_pb2.Fact, fact)])
    [read] = queries.writing(message.SerializeToString()).facts
    assert shape.value(model.Fact, read) == fact


def test_absent_is_not_empty() -> None:
    message = a_check()
    assert requests.question(message.SerializeToString()).resource.tags is None
    message.resource.tags.SetInParent()
    assert requests.question(message.SerializeToString()).resource.tags == ()
    message.authentication.SetInParent()
    authentication = requests.question(message.SerializeToString()).authentication
    assert authentication is not None
    assert (authentication.mfa, authentication.idle_s, authentication.remote) == (None, None, None)
    message.authentication.mfa, message.authentication.idle_s = False, 0
    authentication = requests.question(message.SerializeToString()).authentication
    assert authentication is not None
    assert (authentication.mfa, authentication.idle_s) == (False, 0)


def whole() -> access_pb2.CheckAccessRequest:
    """A request with every message that can be in one."""
    message = a_check()
    context = message.context
    context.refs.ticket = "T1"
    message.authentication.time.seconds = 1
    message.device.managed = True
    for strings in (message.resource.tags, message.resource.visibility, message.resource.masked_for):
        strings.values.append("x")
    for name in model.KINDS:
        fact = message.facts.add(id=name, source="adt")
        fact.period.to.seconds = 5
        body = getattr(fact, name)
        for each in strict.REQUIRED[body.DESCRIPTOR.name]:
            words = strict.WORDS.get(f"{body.DESCRIPTOR.name}.{each}", ("x",))
            setattr(body, each, words[0])
        if name in ("relation", "directive"):
            body.scope.stay_id = "s"
        if name == "directive":
            body.target.everyone = True
    return message


def places(message: Message, path: str = "") -> Iterator[tuple[str, Message]]:
    """Every message in a message, with its path."""
    yield path, message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for n, each in enumerate(value if field.is_repeated else [value]):
                where = f"{path}{field.name}[{n}]." if field.is_repeated else f"{path}{field.name}."
                yield from places(each, where)


PLACES = [path for path, _ in places(whole())]


def test_a_request_with_everything_is_well_formed() -> None:
    assert len(PLACES) > 30
    assert requests.question(whole().SerializeToString())


@pytest.mark.parametrize("path", PLACES)
def test_a_field_of_a_later_version_is_refused_wherever_it_stands(path: str) -> None:
    message = whole()
    dict(places(message))[path].MergeFromString(UNKNOWN)
    assert fault(message.SerializeToString()) == (f"{path}#16383", "a field this server does not know")


@pytest.mark.parametrize(
    "path",
    ["subject", "subject.id", "subject.kind", "subject.profile", "action", "resource", "resource.category", "purpose"],
)
def test_what_is_required_is_asked_for_by_name(path: str) -> None:
    message = a_check()
    at: Message = message
    *parents, last = path.split(".")
    for parent in parents:
        at = getattr(at, parent)
    at.ClearField(last)
    assert fault(message.SerializeToString()) == (path, "required")


def strings(message: Message, path: str = "") -> Iterator[tuple[str, Message, FieldDescriptor]]:
    for where, each in places(message, path):
        for field in each.DESCRIPTOR.fields:
            if field.type == FieldDescriptor.TYPE_STRING and not field.containing_oneof:
                yield where + field.name, each, field


STRINGS = [path for path, _, _ in strings(whole())]


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\x1b[31m", "a\u2028b", "a\u202eb", "a\u200bb", "x" * 501])
def test_no_name_anywhere_carries_a_control_character_or_a_book(text: str) -> None:
    for path in STRINGS:
        if path == "context.justification":
            continue
        message = whole()
        _, owner, field = next(each for each in strings(message) if each[0] == path)
        if field.is_repeated:
            getattr(owner, field.name).append(text)
        else:
            setattr(owner, field.name, text)
        found, description = fault(message.SerializeToString())
        assert found.startswith(path)
        assert text not in description


def test_a_justification_is_a_short_text_of_lines() -> None:
    message = a_check()
    for text in ("Arrêt cardiaque :\n\u00ab équipe injoignable \u00bb\u00a0!", "é" * 500):
        message.context.justification = text
        assert requests.question(message.SerializeToString()).context.justification == text
    for text in ("é" * 501, "a\x1b[31m", "a\x00", "a\rb"):
        message.context.justification = text
        assert fault(message.SerializeToString())[0] == "context.justification"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("subject.kind", strict.SUBJECT_KINDS),
        ("subject.account_type", strict.ACCOUNT_TYPES),
        ("subject.status", strict.ACCOUNT_STATUSES),
        ("subject.hds", strict.HDS_STATES),
        ("authentication.remote", strict.REMOTE_KINDS),
        ("device.class", strict.DEVICE_CLASSES),
        ("resource.lifecycle", strict.LIFECYCLES),
        ("context.access_mode", strict.ACCESS_MODES),
        ("context.language", strict.LANGUAGES),
        ("context.patient_informed", strict.INFORMED),
    ],
)
def test_a_word_that_is_not_one_is_shown_with_those_that_are(field: str, expected: tuple[str, ...]) -> None:
    message = whole()
    parent, name = field.split(".")
    setattr(getattr(message, parent), name, "sions`")
    assert fault(message.SerializeToString()) == (field, f"`sions�` is none of {', '.join(expected)}")
    for each in expected:
        setattr(getattr(message, parent), name, each)
        assert requests.question(message.SerializeToString())


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000)]
)
def test_an_instant_outside_the_calendar_is_refused(seconds: int, nanos: int) -> None:
    message = a_check()
    message.authentication.time.seconds, message.authentication.time.nanos = seconds, nanos
    assert fault(message.SerializeToString())[0] == "authentication.time"


def test_a_fact_without_a_body_and_one_half_said_are_refused() -> None:
    message = a_check()
    message.facts.add(id="f", source="adt")
    assert fault(message.SerializeToString())[0] == "facts[0].body"
    message.facts[0].stay.patient_id = "P1"
    assert fault(message.SerializeToString()) == ("facts[0].stay.unit", "required")
    message.facts[0].stay.unit, message.facts[0].stay.status = "UF", "begun"
    assert fault(message.SerializeToString()) == (
        "facts[0].stay.status",
        "`begun` is none of planned, active, cancelled",
    )


def test_a_list_has_an_end() -> None:
    message = a_check()
    message.subject.units.extend(["U"] * 256)
    assert len(requests.question(message.SerializeToString()).subject.units) == 256
    message.subject.units.append("U")
    assert fault(message.SerializeToString()) == ("subject.units", "more than 256")
    message = a_check()
    message.subject.units.append("")
    assert fault(message.SerializeToString()) == ("subject.units[0]", "empty")


def a_batch(items: int = 3) -> access_pb2.CheckAccessBatchRequest:
    message = access_pb2.CheckAccessBatchRequest(subject=a_check().subject, purpose="soins", patient_id="P1")
    for n in range(items):
        message.items.add(action="read").resource.CopyFrom(access_pb2.Resource(category="cr", id=f"d{n}"))
    return message


def test_a_batch_is_whole_requests_in_order() -> None:
    items, stop = requests.batch(a_batch().SerializeToString())
    assert not stop
    assert [item.resource.id for item in items if isinstance(item, model.Request)] == ["d0", "d1", "d2"]
    assert {item.resource.patient_id for item in items if isinstance(item, model.Request)} == {"P1"}
    message = a_batch()
    message.semantics = access_pb2.BATCH_SEMANTICS_DENY_ON_FIRST_DENY
    assert requests.batch(message.SerializeToString())[1]


def test_a_malformed_item_is_its_own_fault_and_the_rest_is_asked() -> None:
    message = a_batch(5)
    message.items[1].resource.category = ""
    message.items[2].resource.patient_id = "P2"
    message.items[3].action = "a\n"
    items, _ = requests.batch(message.SerializeToString())
    assert [type(item).__name__ for item in items] == ["Request", "ItemFault", "ItemFault", "ItemFault", "Request"]
    assert [item.field for item in items if isinstance(item, model.ItemFault)] == [
        "items[1].resource.category",
        "items[2].resource.patient_id",
        "items[3].action",
    ]


@pytest.mark.parametrize("change", ["subject", "purpose", "items"])
def test_what_a_batch_needs_is_asked_for(change: str) -> None:
    message = a_batch()
    message.ClearField(change)
    with pytest.raises(InvalidRequest) as caught:
        requests.batch(message.SerializeToString())
    assert caught.value.field == change


def test_a_batch_has_at_most_five_hundred_items_and_a_known_semantics() -> None:
    assert len(requests.batch(a_batch(500).SerializeToString())[0]) == 500
    with pytest.raises(InvalidRequest, match="items: expected 1 to 500"):
        requests.batch(a_batch(501).SerializeToString())
    message = a_batch()
    message.semantics = 7  # type: ignore[assignment]
    with pytest.raises(InvalidRequest, match="semantics: `7`"):
        requests.batch(message.SerializeToString())


def test_facts_are_asked_for_as_they_stood_at_one_time_at_most() -> None:
    message = facts_pb2.ReadFactsRequest(patient_id="P1", kinds=["stay"], page_size=5)
    message.as_of.seconds = 3
    assert queries.facts_query(message.SerializeToString()) == FactsQuery(
        patient_id="P1", kinds=("stay",), as_of=3_000_000, page_size=5
    )
    message.as_of_token = "t"
    with pytest.raises(InvalidRequest, match="as_of"):
        queries.facts_query(message.SerializeToString())


def test_records_are_asked_for_a_thousand_at_a_time_and_a_hundred_by_default() -> None:
    assert queries.records_query(b"") == RecordsQuery()
    message = admin_pb2.ShowRecordsRequest(limit=1000, effect="DENY")
    assert queries.records_query(message.SerializeToString()) == RecordsQuery(limit=1000, effect="DENY")
    message.limit = 1001
    with pytest.raises(InvalidRequest, match="limit"):
        queries.records_query(message.SerializeToString())


def test_a_part_that_is_garbled_is_an_invalid_request_even_where_others_are_missing():
    with pytest.raises(InvalidRequest, match=r"not a sidecar\.v1\.CheckAccessRequest"):
        requests.question(b"\x3a\x01\x0a")  # a context that ends in the middle of its first field, and no subject
