"""`ledger keygen`, `rotate` and `retire`: keys made, changed and erased from the command line."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey
from tests.cli.commands import run
from tests.cli.world import CALLERS, World
from tests.server.client import TOKEN
from tests.server.process import a_caller, running, settings, toml, until


@pytest.fixture(scope="module")
def kept() -> Iterator[World]:
    """A sidecar with an administrator."""
    with TemporaryDirectory(prefix="sc-") as name:
        folder = Path(name)
        asked = settings(folder, (*CALLERS, a_caller("admin", "administrator")))
        with running(folder, asked) as sidecar:
            (folder / "admin.token").write_text(TOKEN + "admin")
            yield World(folder, sidecar.addresses["native"])


def test_a_key_is_made_once_and_its_verifier_key_fits_it(tmp_path):
    file = tmp_path / "witness.key"
    made = run("ledger", "keygen", "witness-1", file)
    assert made.code == 0
    key = checkpoint.signing_key(file.read_text())
    assert checkpoint.verifier_key(made.out.strip()) == key.public
    assert key.name == "witness-1"
    assert file.stat().st_mode & 0o777 == 0o600
    again = run("ledger", "keygen", "witness-1", file)
    assert (again.code, again.out) == (1, "")
    assert checkpoint.signing_key(file.read_text()).skey == key.skey


def test_a_name_no_note_can_hold_is_refused(tmp_path):
    assert run("ledger", "keygen", "two words", tmp_path / "key").code == 4
    assert run("ledger", "keygen", "a+b", tmp_path / "key").code == 4
    assert run("ledger", "keygen", "name").code == 2
    assert run("ledger", "keygen").code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_first_signing_key_can_be_made_before_the_sidecar_runs_and_is_the_one_that_signs(short_folder):
    asked = settings(short_folder)
    path = short_folder / "asked.toml"
    path.write_text(toml(msgspec.to_builtins(asked)))
    made = run("ledger", "keygen", "--config", path)
    assert made.code == 0
    again = run("ledger", "keygen", "--config", path)
    assert (again.code, again.out) == (1, made.out)
    with running(short_folder, asked):
        assert until(lambda: (short_folder / "data/ledger/tree/checkpoint").exists())
    note = (short_folder / "data/ledger/tree/checkpoint").read_bytes()
    assert checkpoint.opened(note, [checkpoint.verifier_key(made.out.strip())]).origin == asked.ledger.origin


def test_a_new_key_signs_and_who_verifies_takes_both(kept, tmp_path):
    handover = tmp_path / "handover"
    done = kept.run("ledger", "rotate", "--handover", handover, caller="admin")
    assert done.code == 0, done
    former, following = map(checkpoint.verifier_key, done.out.split())
    assert former != following
    note = handover.read_bytes()
    assert checkpoint.opened(note, [former]) == checkpoint.opened(note, [following])
    tree = kept.folder / "data/ledger"
    now = (tree / "tree/checkpoint").read_bytes()
    assert checkpoint.opened(now, [following])
    verified = run("ledger", "verify", tree, "--key", tree / "keys/signing/vkeys")
    assert verified.code == 0, verified
    [record] = kept.run("ledger", "show", "--limit", 1, "--json", caller="auditor").json_lines
    assert record["what"] == "rotate_key"
    assert record["opened"]["detail"] == f"{former.vkey} -> {following.vkey}"
    assert record["caller"]["id"] == "admin"


def test_a_witness_follows_the_change_when_it_is_given_the_new_key_and_not_before(kept, tmp_path):
    ledger, kept_by_witness = kept.folder / "data/ledger", tmp_path / "kept"
    vkeys = ledger / "keys/signing/vkeys"
    before = vkeys.read_text().split()[-1]

    def witnessed(*keys: object) -> int:
        named = [word for key in keys for word in ("--key", key)]
        return run("ledger", "witness", ledger, "--keep", kept_by_witness, *named).code

    assert witnessed(before) == 0
    done = kept.run("ledger", "rotate", caller="admin")
    former, following = done.out.split()
    assert former == before
    assert witnessed(former) != 0
    assert witnessed(former, following) == 0
    assert witnessed(vkeys) == 0


def test_a_month_in_use_is_refused_and_so_is_who_may_not(kept):
    [record] = kept.run("ledger", "show", "--limit", 1, "--json", caller="auditor").json_lines
    month = record["at"][:7]
    refused = kept.run("ledger", "retire", month, "--confirm", month, caller="admin")
    assert refused.code == 4
    assert "not over yet" in refused.err
    assert kept.run("ledger", "retire", "1999-12", caller="admin").code == 4
    assert kept.run("ledger", "retire", "1999-12", "--confirm", "1999-11", caller="admin").code == 2
    for verb in (("retire", "1999-12"), ("rotate",)):
        assert kept.run("ledger", *verb, caller="auditor").code == 5
        assert kept.run("ledger", *verb, caller="dpi").code == 5


def test_no_private_key_is_ever_printed(kept):
    said = kept.run("ledger", "rotate", caller="admin")
    assert said.code == 0
    assert "PRIVATE" not in said.out + said.err
    signing = kept.folder / "data/ledger/keys/signing"
    key: SigningKey = checkpoint.signing_key((signing / "key").read_text())
    everything = b"".join(path.read_bytes() for path in kept.folder.rglob("*") if path.is_file() and path.name != "key")
    assert key.skey.rpartition("+")[2].encode() not in everything
