"""What nobody meant, sent to a real sidecar over both transports.

Never a crash, never INTERNAL, never a permit that the rules would not give to what was sent: always a field that is
named, or a reason. What was sent stays out of the log.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from sidecar.api.callers import CallerConfig, Callers
from sidecar.api.shape import value
from sidecar.authoring import bundle
from sidecar.core.change import FactsChange
from sidecar.core.model import Authentication, Context, Device, Effect, Request, Resource, Subject, Watermark
from sidecar.facts.room import FactsRoom, open_room
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2
from tests.server.client import METHODS, TOKEN, Client, violated
from tests.server.process import CONTROLLER, KINDS, PACK, SOURCE, Running, a_caller, running, settings
from tests.server.world import a_batch, a_check, a_subject, a_write, an_opening, now, told

CANARY = "QZ-IDENTIFIANT"
PATIENT, PHYSICIAN = f"P-{CANARY}", f"dr-{CANARY}"
ASKER = a_caller("asker", "dpi", may_assert=("identity", "facts"))
# Facts and grants are fuzzed in a tenant of their own, so that what the asker's answers rest on stays as it was told.
FUZZED = tuple(a_caller(f"fuzzed-{role}", role, tenant="fuzzed") for role in ("dpi", "feed", "auditor"))
CALLER_OF = {
    "CheckAccess": "asker",
    "CheckAccessBatch": "asker",
    **dict.fromkeys(("Open", "Close", "Get"), "fuzzed-dpi"),
    "WriteFacts": "fuzzed-feed",
    **dict.fromkeys(("ReadFacts", "GetStatus", "ShowRecords"), "fuzzed-auditor"),
}
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT: "INVALID_REQUEST",
    grpc.StatusCode.NOT_FOUND: "NOT_FOUND",
    grpc.StatusCode.PERMISSION_DENIED: "PERMISSION_DENIED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "MESSAGE_TOO_LARGE",
}


def meant() -> dict[str, Message]:
    """A sound message of each method."""
    subject = a_subject(PHYSICIAN)
    check = a_check(PATIENT, subject)
    check.facts.extend(a_write("w", told(PATIENT, PHYSICIAN)).facts)
    opening = an_opening(PATIENT, PHYSICIAN, "o")
    return {
        "CheckAccess": check,
        "CheckAccessBatch": a_batch(PATIENT, subject, ("cr", "biologie")),
        "Open": opening,
        "Close": break_glass_pb2.CloseRequest(grant="g", subject=opening.subject),
        "Get": break_glass_pb2.GetRequest(grant="g"),
        "WriteFacts": a_write("w", told(PATIENT, PHYSICIAN), complete=True),
        "ReadFacts": facts_pb2.ReadFactsRequest(patient_id=PATIENT, kinds=["stay"], page_size=3),
        "GetStatus": admin_pb2.GetStatusRequest(),
        "ShowRecords": admin_pb2.ShowRecordsRequest(patient_id=PATIENT, limit=2),
    }


MEANT = meant()
NAMES = st.sampled_from(sorted(MEANT))


class Judge:
    """The core, with the facts that the asker's answers rest on."""

    def __init__(self, folder: Path) -> None:
        self._room: FactsRoom = open_room(folder, dict.fromkeys(KINDS, (SOURCE,)))
        marks = (Watermark(SOURCE, KINDS, now()),)
        change = FactsChange("c", "default", "f", "r", "d", CONTROLLER, now(), told(PATIENT, PHYSICIAN), (), marks)
        self._room.acknowledge(self._room.write(change, lambda seq, counts: b"leaf").change_id, 0)
        self._policies = bundle.compile_bundle(bundle.read_folder(PACK))
        self._caller = Callers([CallerConfig(**asdict(ASKER))]).by_token(f"Bearer {TOKEN}asker")

    def permits(self, request: Request) -> bool:
        """Whether the rules permit this."""
        controller = request.resource.controller_id or CONTROLLER
        snapshot = self._room.snapshot("default", controller, request.resource.patient_id)
        return self._policies.evaluate(request, self._caller, controller, snapshot, now()).effect is Effect.PERMIT

    def close(self) -> None:
        """Let the folder go."""
        self._room.close()


class Target:
    """The sidecar under fire, and who judges its permits."""

    def __init__(self, sidecar: Running, judge: Judge) -> None:
        self.sidecar, self._judge = sidecar, judge
        self._clients = {
            transport: {name: sidecar.client(name, transport) for name in CALLER_OF.values()}
            for transport in ("native", "grpc")
        }
        self.permitted = 0
        self.wrong: list[Request] = []  # what was permitted and the rules do not permit

    def client(self, transport: str, name: str) -> Client:
        """Who calls this method."""
        return self._clients[transport][CALLER_OF[name]]

    def takes(self, name: str, payload: bytes) -> None:
        """Send the payload; nothing that comes back may be a permit the rules would not give."""
        self.judges(name, payload)
        assert self.wrong == []

    def judges(self, name: str, payload: bytes) -> None:
        """Send the payload over both transports, and keep every permit the rules would not give."""
        for transport in self._clients:
            try:
                answer = self.client(transport, name).raw(METHODS[name][0], payload)
            except grpc.RpcError as error:
                reason, field = violated(error)
                assert REFUSALS.get(error.code()) == reason or is_grpcs_own(error), (transport, error.code(), reason)
                assert field or error.code() is not grpc.StatusCode.INVALID_ARGUMENT, error.details()
            else:
                self._answered(name, payload, METHODS[name][2].FromString(answer))

    def is_well(self) -> None:
        """It answers a sound question, the process lives, and nothing of what was sent is in the log."""
        question = a_check(PATIENT, a_subject(PHYSICIAN))
        for transport in self._clients:
            assert self.client(transport, "CheckAccess").call("CheckAccess", question).reason == "ALLOW_CARE_TEAM"
        assert self.sidecar.process.is_alive()
        assert self.sidecar.admin("/ready")[0] == 200
        said = self.sidecar.said()
        for trace in (CANARY, "Traceback", '"level": "error"', "call_failed"):
            assert trace not in said, said[-2000:]

    def _answered(self, name: str, payload: bytes, answer: Any) -> None:
        if name == "CheckAccess":
            message = access_pb2.CheckAccessRequest.FromString(payload)
            self._decided(answer, lambda: value(Request, message))
        elif name == "CheckAccessBatch":
            batch = access_pb2.CheckAccessBatchRequest.FromString(payload)
            for n, result in enumerate(answer.results):
                if result.HasField("error"):
                    assert result.error.reason == "INVALID_REQUEST"
                    assert result.error.field.startswith(f"items[{n}]")
                else:
                    self._decided(result.answer, partial(item_of, batch, n))

    def _decided(self, answer: access_pb2.CheckAccessResponse, asked: Callable[[], Request]) -> None:
        assert answer.reason
        assert answer.decision_id
        assert answer.effect in (access_pb2.EFFECT_PERMIT, access_pb2.EFFECT_DENY)
        if answer.effect == access_pb2.EFFECT_PERMIT:
            self.permitted += 1
            self.wrong += [] if self._judge.permits(asked()) else [asked()]


def is_grpcs_own(error: grpc.RpcError) -> bool:
    """Whether grpcio refused the message before we saw it: longer than any method takes (docs/transports.md)."""
    return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or "")


def item_of(batch: access_pb2.CheckAccessBatchRequest, n: int) -> Request:
    """The n-th question of a batch."""
    resource = value(Resource, batch.items[n].resource)
    return Request(
        value(Subject, batch.subject),
        batch.items[n].action,
        replace(resource, patient_id=resource.patient_id or batch.patient_id),
        batch.purpose,
        value(Authentication, batch.authentication) if batch.HasField("authentication") else None,
        value(Device, batch.device) if batch.HasField("device") else None,
        value(Context, batch.context),
    )


@contextmanager
def under_fire(folder: Path, weakening: str = "") -> Iterator[Target]:
    """A sidecar that knows who treats the patient."""
    judge = Judge(folder / "judge")
    asked = settings(folder, (ASKER, a_caller("feed", "feed"), *FUZZED))
    with running(folder, asked, weakening) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("w", told(PATIENT, PHYSICIAN), complete=True))
        target = Target(sidecar, judge)
        yield target
        target.is_well()
    judge.close()


@pytest.fixture(scope="module")
def target(module_folder: Path) -> Iterator[Target]:
    with under_fire(module_folder) as target:
        yield target


# ---- bytes


@given(name=NAMES, payload=st.binary(max_size=300))
@examples(max_examples=300, deadline=None)
def test_random_bytes_are_refused_by_field(target: Target, name: str, payload: bytes) -> None:
    target.takes(name, payload)


EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4)


@given(name=NAMES, edits=EDITS)
@examples(max_examples=400, deadline=None)
def test_a_message_with_a_few_bytes_changed_means_no_more_than_it_says(
    target: Target, name: str, edits: list[tuple[int, int, bytes]]
) -> None:
    payload = MEANT[name].SerializeToString()
    for at, length, inserted in edits:
        at %= len(payload) + 1
        payload = payload[:at] + inserted + payload[at + length :]
    target.takes(name, payload)


# ---- words

WORDS = (
    "", " ", "\0", "\n", "medecin", "médecin", "MEDECIN", "medecin ", "me\u0301decin", "service", "read", "delete",
    "soins", "soins_urgence", "bris_de_glace", "centre_15", "tous", "patient", PATIENT, PHYSICIAN, PATIENT + "\n",
    "UF-CARD", "*", "[]", "null", "0", "-1", "r.sub.id", "true || true", "'; drop table facts; --", "%s%n",
    "../../../etc/passwd", "\u202e", "\ufeff", "\U0001f600", "\ue000", "\u2028", "x" * 257, "é" * 5000,
    "x" * 70_000, CONTROLLER, "750000002",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1, 253_402_300_800, 1_000_000_000)
CHOICES = st.randoms(use_true_random=False)


def fields_of(message: Message) -> Iterator[tuple[Message, Any]]:
    """Every field of a message and of the messages in it."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
        if field.message_type is None:
            continue
        for part in getattr(message, field.name) if field.is_repeated else [getattr(message, field.name)]:
            if field.is_repeated or message.HasField(field.name):
                yield from fields_of(part)


def put(message: Message, field: FieldDescriptor, chance: Any) -> None:
    """Something odd in a field: an odd word or number, nothing at all, much of it, or an empty message."""
    deed = chance.choice(("clear", "set", "set", "set", "much"))
    if deed == "clear":
        message.ClearField(field.name)
    elif field.message_type is not None:
        part = getattr(message, field.name)
        part.add() if field.is_repeated else part.SetInParent()
    elif field.is_repeated:
        wanted = [odd(field, chance) for _ in range(1 if deed == "set" else 300)]
        getattr(message, field.name).extend(each for each in wanted if each is not None)
    else:
        word = odd(field, chance)
        if word is not None:
            setattr(message, field.name, word)


def odd(field: FieldDescriptor, chance: Any) -> Any:
    """An odd word or number of the field's type; None when the type cannot hold the one that came up."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(WORDS)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    number = chance.choice(NUMBERS)
    low, high = RANGES[field.type]
    return number if low <= number < high else None


RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63),
    FieldDescriptor.TYPE_UINT32: (0, 2**32),
    FieldDescriptor.TYPE_UINT64: (0, 2**64),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31),
}


@given(name=NAMES, chance=CHOICES, times=st.integers(1, 3))
@examples(max_examples=500, deadline=None)
def test_odd_words_in_any_field_are_refused_by_field_or_judged_as_they_stand(
    target: Target, name: str, chance: Any, times: int
) -> None:
    message = type(MEANT[name])()
    message.CopyFrom(MEANT[name])
    for _ in range(times):
        places = list(fields_of(message))
        if places:
            holder, field = chance.choice(places)
            put(holder, field, chance)
    target.takes(name, message.SerializeToString())


def one_odd_word_each(name: str) -> Iterator[bytes]:
    """The message with an odd word in one text field after the other, the words taken in turn."""
    turns = count()
    for place, (_, field) in enumerate(fields_of(MEANT[name])):
        for _ in range(2 if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated else 0):
            message = type(MEANT[name])()
            message.CopyFrom(MEANT[name])
            holder, _ = list(fields_of(message))[place]
            setattr(holder, field.name, WORDS[next(turns) % len(WORDS)])
            yield message.SerializeToString()


def test_no_text_field_of_a_question_is_left_to_chance(target: Target) -> None:
    before = target.permitted
    for name in ("CheckAccess", "Open", "WriteFacts"):
        for payload in one_odd_word_each(name):
            target.takes(name, payload)
    assert target.permitted > before


def test_a_reader_that_fills_in_what_is_missing_would_permit_too_much(folder: Path) -> None:
    with under_fire(folder, "fills_in_the_account") as target:
        for field in ("status", "account_type"):
            message = a_check(PATIENT, a_subject(PHYSICIAN))
            message.subject.ClearField(field)
            target.judges("CheckAccess", message.SerializeToString())
        assert len(target.wrong) > 0


@pytest.mark.parametrize("size", [65_536, 65_537, 1_000_000, 5_000_000])
def test_a_message_that_is_too_long_is_told_so(target: Target, size: int) -> None:
    for name, message in MEANT.items():
        payload = message.SerializeToString()
        target.takes(name, payload + b"\xfa\x3e" + bytes(max(0, size - len(payload))))
    target.is_well()
