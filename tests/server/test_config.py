"""Settings: a file, the environment over it, and a sentence that names what cannot be used."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidecar import config
from sidecar.errors import ConfigFault
from tests.server.process import ROOT, Running, settings, toml

TOKEN = "a" * 64
SOUND = f"""
data = "data"
[policy]
pack = "pack"
[facts.required]
stay = ["adt"]
[listen]
native = "unix:run/s.sock"
[[callers]]
name = "dpi"
token_sha256 = "{TOKEN}"
"""


def load(folder: Path, text: str = SOUND, **environment: str) -> config.Config:
    path = folder / "settings.toml"
    path.write_text(text)
    return config.load(path, environment)


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        SIDECAR_LISTEN__ADMIN="127.0.0.1:9999",
        SIDECAR_LIMITS__IN_FLIGHT="17",
        SIDECAR_LEDGER__MODE="strict",
        SIDECAR_FACTS__REQUIRED='{ directive = ["dpi", "portail"] }',
        SIDECAR_LIMITS__DRAIN_SECONDS="0.5",
        SIDECAR_POLICY__PACK="/etc/pack",
        ELSEWHERE="ignored",
    )
    assert read.listen.admin == "127.0.0.1:9999"
    assert (read.limits.in_flight, read.limits.drain_seconds) == (17, 0.5)
    assert (read.ledger.mode, read.policy.pack) == ("strict", "/etc/pack")
    assert read.facts.required == {"directive": ("dpi", "portail")}
    assert read.listen.native == f"unix:{tmp_path}/run/s.sock"


def test_relative_paths_are_taken_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    text = SOUND + '[listen.tls]\ncertificate = "c.pem"\nkey = "../k.pem"\nclient_ca = "/etc/ca.pem"\n'
    read = load(tmp_path, text)
    assert read.listen.tls is not None
    assert (read.data, read.policy.pack) == (f"{tmp_path}/data", f"{tmp_path}/pack")
    assert Path(read.listen.tls.key).resolve() == tmp_path.parent / "k.pem"
    assert (read.listen.tls.certificate, read.listen.tls.client_ca) == (f"{tmp_path}/c.pem", "/etc/ca.pem")
    assert load(tmp_path, SOUND.replace('"unix:run/s.sock"', '"127.0.0.1:5000"')).listen.native == "127.0.0.1:5000"
    over_grpc = SOUND.replace("native =", "grpc =")
    assert load(tmp_path, over_grpc).listen.grpc == f"unix:{tmp_path}/run/s.sock"


Edit = Callable[[str], str]
FAULTS: dict[str, tuple[Edit, dict[str, str], str]] = {
    "an unknown setting": (lambda s: "adress = 1\n" + s, {}, "`adress`"),
    "an unknown setting of a table": (lambda s: s + "rols = []\n", {}, r"`rols`.*callers"),
    "a wrong type": (lambda s: s.replace('"data"', "1", 1), {}, r"`str`, got `int`.*data"),
    "a wrong type in a table": (lambda s: s + "[limits]\nin_flight = 'x'\n", {}, r"`int`.*limits\.in_flight"),
    "a word of no list": (lambda s: s + "[ledger]\nmode = 'fast'\n", {}, r"'fast'.*ledger\.mode"),
    "a missing setting": (lambda s: s.replace('data = "data"\n', ""), {}, "`data`"),
    "no callers": (lambda s: s[: s.index("[[callers]]")] , {}, "callers"),
    "an empty list of callers": (lambda s: "callers = []\n" + s[: s.index("[[callers]]")], {}, "`callers` is empty"),
    "no address": (lambda s: s.replace('native = "unix:run/s.sock"', ""), {}, "`listen.native` nor `listen.grpc`"),
    "a caller without proof": (lambda s: s.replace(f'token_sha256 = "{TOKEN}"', ""), {}, "caller `dpi` has neither"),
    "a token that is no hash": (lambda s: s.replace(TOKEN, "secret"), {}, "caller `dpi`: `token_sha256` is 64 hex"),
    "two callers of one name": (lambda s: s + s[s.index("[[callers]]") :], {}, "two callers"),
    "no source of any kind": (lambda s: s.replace('stay = ["adt"]', ""), {}, r"`facts\.required` is empty"),
    "no TOML": (lambda s: s + "= 1\n", {}, "not TOML"),
    "an unknown variable": (lambda s: s, {"SIDECAR_LISTN__ADMIN": "x"}, "`listn`"),
    "an unknown variable of a table": (lambda s: s, {"SIDECAR_LISTEN__ADRESS": "x"}, r"`adress`.*listen"),
    "a variable of a wrong type": (lambda s: s, {"SIDECAR_LIMITS__IN_FLIGHT": "many"}, r"limits\.in_flight"),
    "a variable through a text": (lambda s: s, {"SIDECAR_DATA__X": "1"}, "SIDECAR_DATA__X: `data` is not a table"),
    "a number below its least": (lambda s: s + "[limits]\nin_flight = 0\n", {}, r"limits\.in_flight"),
    "a negative time": (lambda s: s + "[limits]\ndrain_seconds = -1.0\n", {}, r"limits\.drain_seconds"),
    "a segment of nothing": (lambda s: s + "[ledger]\nsegment_bytes = 0\n", {}, r"ledger\.segment_bytes"),
    "a flush that never waits": (lambda s: s + "[ledger]\nflush_ms = 0\n", {}, r"ledger\.flush_ms"),
    "an empty name": (lambda s: s.replace('name = "dpi"', 'name = ""'), {}, "name"),
    "a kind of fact that is none": (lambda s: s.replace("stay =", "stays ="), {}, r"facts\.required.*`?stays"),
    "a kind that nobody reports": (lambda s: s.replace('["adt"]', "[]"), {}, r"facts\.required.*stay"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_used_is_named(tmp_path: Path, fault: str) -> None:
    edit, environment, sentence = FAULTS[fault]
    with pytest.raises(ConfigFault) as caught:
        load(tmp_path, edit(SOUND), **environment)
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"settings\.toml: cannot be read"):
        config.load(tmp_path / "settings.toml", {})
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigFault, match="not TOML"):
        config.load(tmp_path / "settings.toml", {})


def test_every_setting_and_its_default_is_documented() -> None:
    rows = dict(re.findall(r"^\| `([\w.\[\]]+)` \| ([^|]+) \|", (ROOT / "docs/settings.md").read_text(), re.M))
    assert rows.keys() == set(names(config.Config))


def names(kind: type[msgspec.Struct], path: str = "") -> list[str]:
    """The path of every setting, a list of tables with []."""
    found = []
    for field in msgspec.structs.fields(kind):
        inner = msgspec.inspect.type_info(field.type)
        tables = inner.item_type if isinstance(inner, msgspec.inspect.VarTupleType) else inner
        parts = tables.types if isinstance(tables, msgspec.inspect.UnionType) else (tables,)
        struct = next((part.cls for part in parts if isinstance(part, msgspec.inspect.StructType)), None)
        name = path + field.name + ("[]" if tables is not inner and struct else "")
        found += names(struct, name + ".") if struct else [name]
    return found


def test_settings_written_out_are_read_back(folder: Path) -> None:
    asked = settings(folder)
    path = folder / "settings.toml"
    path.write_text(toml(msgspec.to_builtins(asked)))
    read = config.load(path, {})
    assert msgspec.structs.replace(read, data="data") == asked


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"policy": config.PolicySettings("/nowhere")}, "/nowhere"),
        ({"listen": config.Listen("0.0.0.0:0")}, "without TLS only a Unix socket or a loopback address is served"),
        ({"listen": config.Listen(grpc="0.0.0.0:0")}, "without TLS only a Unix socket or a loopback address is served"),
        ({"listen": config.Listen("unix:/tmp/s.sock")}, "open to every user of the machine"),
        ({"data": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
def test_what_only_a_start_can_tell_is_a_sentence_and_an_exit_code(
    folder: Path, more: dict[str, Any], sentence: str
) -> None:
    sidecar = Running(folder, settings(folder, **more))
    if sidecar.addresses:
        # A policy at fault does not keep the sidecar from saying so: it runs, and is not ready.
        sidecar.until_ready(False)
        assert sentence in sidecar.said()
        assert sidecar.stop() == 0
    else:
        assert sidecar.wait() == 4
        assert sentence in sidecar.said()
    assert "Traceback" not in sidecar.said()
