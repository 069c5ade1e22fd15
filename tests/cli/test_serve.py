"""`serve` and `certs demo`: from a settings file to a process that answers and stops when told."""

import json
import re
import signal
import socket
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from sidecar.certs import make_demo
from tests.cli.commands import Said, finish, run, start, until_said
from tests.cli.world import PACK, question

TLS = """
[listen]
grpc = "127.0.0.1:0"
admin = "127.0.0.1:0"

[listen.tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_ca = "tls/ca.pem"
"""
LOCAL = """
[listen]
native = "unix:run/sidecar.sock"
admin = "127.0.0.1:0"
"""


def written(folder: Path, listen: str = LOCAL, pack: Path = PACK, more: str = "") -> Path:
    """Settings written by hand."""
    path = folder / "settings.toml"
    path.write_text(
        f"""{more}
data = "data"
{listen}
[policy]
pack = {json.dumps(str(pack))}

[facts.required]
stay = ["adt"]

[[callers]]
name = "dpi"
san_uri = "spiffe://demo/dpi"
token_sha256 = "{sha256(b"jeton").hexdigest()}"
roles = ["dpi", "auditor"]
controllers = ["330000001"]
hds = "certified"
may_assert = ["identity"]
"""
    )
    (folder / "dpi.token").write_text("jeton\n")
    return path


def refused(settings: Path) -> Said:
    """What `serve` says when it cannot."""
    return run("serve", "--config", settings)


def address(lines: list[str]) -> str:
    """The first address a log says the sidecar listens on."""
    return next(line["address"] for line in map(json.loads, lines) if line["event"] == "listening")


def test_it_answers_as_file_and_environment_say_until_told_to_stop_and_leaves_with_zero(short_folder):
    changed = {"SIDECAR_DATA": str(short_folder / "elsewhere")}
    process = start("serve", "--config", written(short_folder), environment=changed)
    where = address(until_said(process, '"started"'))
    asked = short_folder / "question.json"
    asked.write_text(json.dumps(question()))
    said = run("check", asked, "--address", where, "--token-file", short_folder / "dpi.token", "--json")
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (short_folder / "elsewhere").is_dir() and not (short_folder / "data").exists()
    assert (said.code, said.json["reason"]) == (1, "FACTS_UNAVAILABLE")
    assert (ended.code, ended.out) == (0, "")
    assert json.loads(ended.err.splitlines()[-1])["event"] == "stopped"


def test_a_stop_while_starting_is_a_stop(short_folder):
    process = start("serve", "--config", written(short_folder))
    until_said(process, "policy in force")
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0


def test_over_tls_certificates_made_for_trying_are_enough(tmp_path):
    assert run("certs", "demo", tmp_path / "tls").code == 0
    process = start("serve", "--config", written(tmp_path, TLS))
    port = address(until_said(process, '"started"')).rpartition(":")[2]
    asked = tmp_path / "question.json"
    asked.write_text(json.dumps(question()))

    def ask(certificate: str, key: str) -> Said:
        files = (f"--certificate={tmp_path}/tls/{certificate}.pem", f"--key={tmp_path}/tls/{key}.key")
        return run("check", asked, f"--address=localhost:{port}", f"--ca={tmp_path}/tls/ca.pem", *files)

    proven, stranger, crossed, lost = ask("dpi", "dpi"), ask("feed", "feed"), ask("dpi", "feed"), ask("dpi", "none")
    process.terminate()
    assert finish(process).code == 0
    assert (proven.code, proven.out.splitlines()[0]) == (1, "DENY  FACTS_UNAVAILABLE")
    assert (stranger.code, stranger.out) == (5, "")
    assert crossed.code == 4
    assert crossed.err == f"dpi-sidecar: {tmp_path}/tls/dpi.pem and {tmp_path}/tls/feed.key are no pair: not its key\n"
    assert (lost.code, lost.err) == (
        4,
        f"dpi-sidecar: {tmp_path}/tls/none.key: cannot be read: No such file or directory\n",
    )


def test_certificates_are_never_written_over_anything(tmp_path):
    (tmp_path / "kept").touch()
    said = run("certs", "demo", tmp_path)
    assert said.code == 4
    assert "not empty" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("listen", "more", "sentence"),
    [
        (LOCAL, "dta = 1", "unknown field `dta`"),
        (LOCAL, "[limits]\nin_flight = true", "limits.in_flight"),
        (LOCAL, "data = ", "not TOML"),
        ('[listen]\nadmin = "127.0.0.1:0"', "", "neither `listen.native` nor `listen.grpc` is set"),
        ('[listen]\ngrpc = "0.0.0.0:4443"\nadmin = "127.0.0.1:0"', "", "without TLS only"),
        (TLS, "", "tls/server.pem"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tmp_path, listen, more, sentence):
    said = refused(written(tmp_path, listen, more=more))
    assert said.code == 4
    assert said.err.splitlines()[-1].startswith("dpi-sidecar: ")
    assert sentence in said.err.splitlines()[-1]


def test_settings_that_are_not_there_are_a_wrong_command_line(tmp_path):
    assert refused(tmp_path / "none.toml").code == 2
    assert run("serve").code == 2


def test_an_address_that_is_taken_is_named(tmp_path):
    make_demo(tmp_path / "tls", datetime.now(UTC))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for listen in (TLS.replace('grpc = "127.0.0.1:0"', f'grpc = "127.0.0.1:{port}"'),
                       TLS.replace('admin = "127.0.0.1:0"', f'admin = "127.0.0.1:{port}"')):  # fmt: skip
            said = finish(start("serve", "--config", written(tmp_path, listen)))
            assert said.code == 4, said
            assert str(port) in said.err.splitlines()[-1]


def test_two_sidecars_never_share_a_data_folder(short_folder):
    settings = written(short_folder)
    process = start("serve", "--config", settings)
    until_said(process, '"started"')
    second = refused(settings)
    process.terminate()
    assert finish(process).code == 0
    assert second.code in {3, 4}
    assert "another" in second.err.splitlines()[-1]


def test_with_a_pack_at_fault_it_starts_is_not_ready_and_answers_nothing(short_folder):
    empty = short_folder / "pack"
    empty.mkdir()
    process = start("serve", "--config", written(short_folder, pack=empty))
    lines = until_said(process, '"started"')
    reach = ("--address", address(lines), "--token-file", short_folder / "dpi.token")
    asked = short_folder / "question.json"
    asked.write_text(json.dumps(question()))
    status, check = run("status", *reach), run("check", asked, *reach)
    process.terminate()
    assert finish(process).code == 0
    assert "the policy is at fault" in "".join(lines)
    assert (status.code, bool(re.search("policy +NO", status.out))) == (1, True)
    assert (check.code, check.out) == (3, "")
