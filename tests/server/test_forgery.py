"""Whatever a caller writes into a question, it leaves one record, one line, and nothing in the log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.ledger.test_forgery import texts
from tests.server.client import refusal
from tests.server.process import Running, running
from tests.server.world import a_check, a_write, told

PLACES = (
    "action", "purpose", "subject.id", "subject.profile", "subject.structure", "subject.units",
    "authentication.acr", "authentication.amr", "resource.patient_id", "resource.category", "resource.id",
    "resource.author", "resource.tags.values", "resource.controller_id", "context.justification", "context.grant",
    "context.request_id", "context.workstation", "context.refs.ticket", "context.consistency_token",
    "facts.id", "facts.stay.unit",
)  # fmt: skip
NO_RECORD = (grpc.StatusCode.RESOURCE_EXHAUSTED,)


@pytest.fixture(scope="module")
def sidecar(module_folder: Path) -> Iterator[Running]:
    """A sidecar that knows P1."""
    with running(module_folder) as made:
        made.client("feed").call("WriteFacts", a_write("w1", told(), complete=True))
        yield made


def put(message: Message, path: str, text: str) -> None:
    """Set the field at this path; a list gets one more element."""
    name, _, rest = path.partition(".")
    field = getattr(message, name)
    if rest:
        put(field.add() if hasattr(field, "add") else field, rest, text)
    elif isinstance(field, str):
        setattr(message, name, text)
    else:
        field.append(text)


@examples(max_examples=120, deadline=None)
@given(place=st.sampled_from(PLACES), text=texts)
def test_a_question_of_any_text_leaves_one_record_that_is_one_line(sidecar: Running, place: str, text: str) -> None:
    dpi, auditor = sidecar.client("dpi"), sidecar.client("auditor")
    before = auditor.call("GetStatus").ledger_size
    question = a_check()
    put(question, place, text)
    code = refusal(dpi.call, "CheckAccess", question)
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, *NO_RECORD)
    written = auditor.call("GetStatus").ledger_size - before
    if code in NO_RECORD:
        assert written == 0
        return
    assert written == 1
    [line] = auditor.call("ShowRecords", limit=1).records
    assert line.isprintable()
    record: dict[str, Any] = json.loads(line)
    assert record["kind"] == ("check" if code is grpc.StatusCode.OK else "refused")
    assert record["index"] == before
    if code is not grpc.StatusCode.OK:
        assert text not in record["opened"]["field"] or len(text) < 2


def test_the_log_stays_one_json_object_a_line_and_holds_none_of_it(sidecar: Running) -> None:
    for text in ('\n{"level":"error","event":"forged"}\n', "\u2028forged\u2029", "forged\x1b[2J"):
        for place in PLACES:
            question = a_check()
            put(question, place, text)
            refusal(sidecar.client("dpi").call, "CheckAccess", question)
    lines = sidecar.said().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert not [line for line in lines if "forged" in line]
