"""Consistency tokens: only ours, only for their tenant, only for their use."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.reading import FactsQuery
from sidecar.errors import ConfigFault, FactsTooOld, InvalidRequest
from sidecar.facts.room import FactsRoom, open_room
from sidecar.facts.tokens import Tokens
from tests.facts.naive import NOON, a_change, a_room, a_stay, keep

OURS = Tokens(b"k" * 32)


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.text(max_size=20))
def test_a_token_names_its_numbers(first: int, second: int, tenant: str) -> None:
    assert OURS.read("sequence", tenant, OURS.make("sequence", tenant, first, second), "token") == (first, second)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_naming_the_field(text: str) -> None:
    with pytest.raises(InvalidRequest) as fault:
        OURS.read("sequence", "t1", text, "context.consistency_token")
    assert fault.value.field == "context.consistency_token"


@given(st.integers(0, 31), st.integers(1, 255))
def test_a_token_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(OURS.make("sequence", "t1", 7) + "="))
    raw[place] ^= change
    with pytest.raises(InvalidRequest):
        OURS.read("sequence", "t1", base64.urlsafe_b64encode(bytes(raw)).decode(), "token")


def test_a_token_of_another_tenant_use_or_folder_is_refused() -> None:
    token = OURS.make("sequence", "t1", 7)
    for tokens, use, tenant in ((OURS, "sequence", "t2"), (OURS, "page", "t1"), (Tokens(b"o" * 32), "sequence", "t1")):
        with pytest.raises(InvalidRequest):
            tokens.read(use, tenant, token, "token")


def test_a_room_reads_back_the_tokens_it_gave_also_after_a_restart(tmp_path: Path) -> None:
    room = open_room(tmp_path, {})
    given_out = [room.token("t1", seq) for seq in (1, 2, 2, 1)]
    room.close()
    room = open_room(tmp_path, {})
    assert [room.sequence("t1", token) for token in given_out] == [1, 2, 2, 1]
    with pytest.raises(InvalidRequest):
        room.sequence("t2", given_out[0])
    room.close()


def test_a_garbled_key_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "token.key").write_bytes(b"short")
    with pytest.raises(ConfigFault, match="holds 5 bytes and not 32"):
        a_room(tmp_path)
    (tmp_path / "token.key").unlink()
    a_room(tmp_path).close()  # and the folder was let go of


@pytest.fixture
def room(tmp_path: Path) -> FactsRoom:
    room = a_room(tmp_path)
    keep(room, a_change(1, *(a_stay(f"s{n}", "P1") for n in range(5))))
    return room


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (FactsQuery(as_of_token="x"), "as_of_token"),
        (FactsQuery(page_token="x"), "page_token"),
        (FactsQuery(page_size=-1), "page_size"),
        (FactsQuery(page_size=1001), "page_size"),
        (FactsQuery(as_of_token="x", as_of=NOON), "as_of"),
        (FactsQuery(ids=("s1",) * 501), "ids"),
        (FactsQuery(kinds=("stay",) * 10), "kinds"),
    ],
)
def test_a_reading_that_cannot_be_done_names_the_field(room: FactsRoom, query: FactsQuery, field: str) -> None:
    with pytest.raises(InvalidRequest) as fault:
        room.read_facts("t1", ["C1"], query)
    assert fault.value.field == field


def test_a_page_goes_on_in_the_state_it_began_in(room: FactsRoom) -> None:
    first = room.read_facts("t1", ["C1"], FactsQuery(page_size=3))
    keep(room, a_change(2, a_stay("s4", "P1", "UF-SAU"), a_stay("s9", "P1")))
    second = room.read_facts("t1", ["C1"], FactsQuery(page_size=3, page_token=first.next_page_token))
    assert [version.fact.id for version in (*first.facts, *second.facts)] == ["s0", "s1", "s2", "s3", "s4"]
    assert (second.facts[-1].superseded_seq, second.next_page_token) == (2, "")
    assert second.consistency_token == first.consistency_token


def test_a_state_that_is_not_reached_is_not_read(room: FactsRoom) -> None:
    with pytest.raises(FactsTooOld):
        room.read_facts("t1", ["C1"], FactsQuery(as_of_token=room.token("t1", 2)))
