"""The pages about the pack name what is in it, and say what its texts say."""

import re
import tomllib
from pathlib import Path

import msgspec

from sidecar.core.pack import Pack

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies" / "hospital"
PAGE = re.sub(r"```.*?```", "", (ROOT / "docs" / "packs.md").read_text(), flags=re.DOTALL)
NAMED = set(re.findall(r"[\w.-]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))


def keys(struct: type[msgspec.Struct]) -> set[str]:
    """The keys of a table and of the tables in it, as pack.toml writes them."""
    found: set[str] = set()
    for info in msgspec.structs.fields(struct):
        inner = [info.type, *getattr(info.type, "__args__", ())]
        tables = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        found |= keys(tables[0]) if tables else {info.encode_name}
    return found


def test_every_key_of_a_pack_is_described() -> None:
    tables = set(re.findall(r"^### `?\[([\w.]+)", PAGE, re.MULTILINE))
    described = {part for name in NAMED | tables for part in name.split(".")}
    assert keys(Pack) - described == set()


def test_every_group_and_setting_is_described() -> None:
    rows = [line.split(", ") for line in (PACK / "roles.csv").read_text().splitlines() if line.startswith("g")]
    settings = tomllib.loads((PACK / "pack.toml").read_text())["settings"]
    assert {row[2] for row in rows} - NAMED == set()
    assert settings.keys() - NAMED == set()


def test_the_reasons_page_quotes_the_sentences_users_read() -> None:
    page = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/reasons.md").read_text(), re.M)
    french, english = (tomllib.loads((PACK / f"texts/{name}.toml").read_text())["reasons"] for name in ("fr", "en"))
    assert {code: (fr, en) for code, fr, en, _ in page} == {code: (french[code], english[code]) for code in french}
