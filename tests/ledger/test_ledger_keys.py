"""The months' keys: made once and ahead, kept private, never replaced."""

import os
import shutil
import stat

import pytest

from sidecar.core import instants
from sidecar.errors import LedgerUnavailable
from sidecar.ledger.keys import KeyFolder
from tests.ledger.builders import DAY, NOW

RUN = b"r" * 12


def keys_in(tmp_path, random=os.urandom):
    return KeyFolder(tmp_path / "keys", RUN, random)


def test_the_first_start_makes_this_months_keys_and_the_next_months(tmp_path):
    assert keys_in(tmp_path).empty
    assert keys_in(tmp_path).current(NOW).name == "2026-03"
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["2026-03", "2026-04", "made"]
    assert not keys_in(tmp_path).empty


def test_a_month_that_begins_makes_the_keys_of_the_one_after(tmp_path):
    keys = keys_in(tmp_path)
    keys.current(NOW)
    assert keys.current(NOW + 31 * DAY).name == "2026-04"
    assert (tmp_path / "keys" / "2026-05").is_dir()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026-03-31T23:59:59.999999Z", "2026-03"),
        ("2026-04-01T00:00:00Z", "2026-04"),
        ("2026-12-31T23:59:59Z", "2026-12"),
        ("2027-01-01T00:00:00Z", "2027-01"),
    ],
)
def test_a_month_is_a_utc_calendar_month_and_ends_where_the_next_begins(tmp_path, text, name):
    at = instants.parse(text)
    keys = keys_in(tmp_path).current(at)
    assert keys.name == name
    assert keys.start <= at < keys.end


def test_only_the_owner_may_read_a_key(tmp_path):
    keys_in(tmp_path).current(NOW)
    for path in (tmp_path / "keys").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_two_months_and_two_purposes_share_no_key(tmp_path):
    keys_in(tmp_path).current(NOW)
    lines = [path.read_text().split()[2] for path in (tmp_path / "keys").glob("2026-*/*")]
    assert len(lines) == 4
    assert len(set(lines)) == 4


def test_a_restart_reads_the_keys_it_made(tmp_path):
    first, again = (keys_in(tmp_path).current(NOW) for _ in range(2))
    assert first.patient("chu", "P1") == again.patient("chu", "P1")
    id_ = RUN + bytes(8)
    assert again.unseal(id_, first.seal(id_, b"text")) == b"text"


def test_keys_that_were_taken_away_are_asked_for_and_never_replaced(tmp_path):
    keys_in(tmp_path).current(NOW)
    shutil.rmtree(tmp_path / "keys" / "2026-03")
    with pytest.raises(LedgerUnavailable, match=r"keys of 2026-03 are missing .* put that folder back"):
        keys_in(tmp_path).current(NOW)
    assert not (tmp_path / "keys" / "2026-03").exists()
    assert keys_in(tmp_path).reading(NOW) is None


def test_one_key_file_of_two_missing_is_said(tmp_path):
    keys_in(tmp_path).current(NOW)
    (tmp_path / "keys" / "2026-03" / "content").unlink()
    with pytest.raises(LedgerUnavailable, match="`keys/2026-03/content` cannot be read"):
        keys_in(tmp_path).current(NOW)


@pytest.mark.parametrize(
    "garble",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text.replace("2026-03", "2026-04"),
        lambda text: text.replace("pseudonym", "content"),
        lambda text: text[:20] + ("1" if text[20] == "0" else "0") + text[21:],
        lambda text: text.upper(),
        lambda text: "not a key",
        lambda text: "é" * 40,
        lambda text: text * 2,
    ],
    ids=["empty", "cut", "month", "kind", "one digit", "upper case", "words", "not ascii", "twice"],
)
def test_a_garbled_key_is_said_and_never_used(tmp_path, garble):
    keys_in(tmp_path).current(NOW)
    path = tmp_path / "keys" / "2026-03" / "pseudonym"
    path.write_text(garble(path.read_text()))
    with pytest.raises(LedgerUnavailable, match="`keys/2026-03/pseudonym` is garbled: put it back from its copy"):
        keys_in(tmp_path).current(NOW)


def test_a_crash_while_keys_are_made_leaves_none_and_the_next_start_makes_them(tmp_path):
    def stopping(_count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keys_in(tmp_path, stopping).current(NOW)
    assert not (tmp_path / "keys" / "2026-03").exists()
    assert keys_in(tmp_path).current(NOW).name == "2026-03"


def test_a_clock_that_goes_back_finds_the_keys_of_then(tmp_path):
    keys = keys_in(tmp_path)
    keys.current(NOW)
    assert keys.current(NOW - 60 * DAY).name == "2025-12"
    assert keys.current(NOW).name == "2026-03"
