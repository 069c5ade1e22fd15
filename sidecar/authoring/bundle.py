"""A pack as it is in a folder: its texts, its parameters and the digest that names them."""

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from sidecar.core import pack_check
from sidecar.core.casbin_text import MODEL_FILE, ROLES_FILE
from sidecar.core.expression import Nouns
from sidecar.core.loading import load
from sidecar.core.model import PolicyRef
from sidecar.core.pack import Pack
from sidecar.core.pack_check import PACK_FILE, Texts
from sidecar.core.policy import PolicySet
from sidecar.core.situation import Situation
from sidecar.core.slices import Situations
from sidecar.core.vocabulary import NOUNS
from sidecar.core.words import WORDS, Words
from sidecar.errors import Fault, PolicyFault

Made = TypeVar("Made")

LANGUAGES = ("fr", "en")
FILE_BYTES = 1 << 20
FOLDER_BYTES = 8 << 20
FILES = 200

REQUIRED = (PACK_FILE, MODEL_FILE, ROLES_FILE, *(f"texts/{language}.toml" for language in LANGUAGES))
FOLDERS = {"rules": ".csv", "texts": ".toml"}
BESIDE = ("tests",)  # the pack's stories: no part of what decides


class Bundle(Struct, frozen=True):
    """A pack's texts by name, its parameters, and the SHA-256 of the texts in hexadecimal."""

    pack: Pack
    files: dict[str, str]
    digest: str
    revision: str = "folder"


def read_folder(path: Path) -> Bundle:
    """The pack in a folder. Raises PolicyFault: a file missing, too long, not text, or one nothing would read."""
    names, faults = _listed(path)
    files: dict[str, str] = {}
    for name in names:
        try:
            files[name] = _read(path / name)
        except (OSError, ValueError) as error:
            faults.append(Fault(name, 1, getattr(error, "strerror", None) or str(error)))
    if sum(map(len, files.values())) > FOLDER_BYTES:
        faults.append(Fault(PACK_FILE, 1, f"the pack's files are over {FOLDER_BYTES} bytes together; split the pack"))
    if faults:
        raise PolicyFault(sorted(faults, key=lambda fault: (fault.file, fault.line)))
    return Bundle(decode_pack(files[PACK_FILE]), files, digest(files))


def compile_bundle(
    bundle: Bundle, nouns: Nouns = NOUNS, words: Words = WORDS, situations: Situations = Situation
) -> PolicySet:
    """The bundle's rules, checked and compiled. Raises PolicyFault with every fault found."""
    ref = PolicyRef(bundle.pack.pack.name, bundle.revision, bundle.digest)
    return load(bundle.pack, bundle.files, sentences(bundle.files), ref, nouns, words, situations)


def decode_pack(text: str) -> Pack:
    """The parameters that pack.toml states. Raises PolicyFault."""
    return _converted(_toml(text, PACK_FILE), Pack, text, PACK_FILE)


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over names and contents, in the order of names, each preceded by its length."""
    made = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode()):
            made.update(len(part).to_bytes(8, "big"))
            made.update(part)
    return made.hexdigest()


def sentences(files: Mapping[str, str]) -> Texts:
    """What the pack's texts say: language, table, code. Raises PolicyFault."""
    texts = {}
    for language in LANGUAGES:
        name = f"texts/{language}.toml"
        texts[language] = _converted(_toml(files[name], name), dict[str, dict[str, str]], files[name], name)
    return texts


def _listed(path: Path) -> tuple[list[str], list[Fault]]:
    """The names of the pack's files, and a fault for each entry that has no place in a pack."""
    names, faults = [], []
    if not path.is_dir():
        return [], [Fault(PACK_FILE, 1, f"there is no folder `{path}`; give the folder of a pack")]
    for entry in sorted(path.iterdir()):
        if entry.name in REQUIRED:
            names.append(entry.name)
        elif entry.name in FOLDERS and entry.is_dir() and not entry.is_symlink():
            for inner in sorted(entry.iterdir()):
                name = f"{entry.name}/{inner.name}"
                if inner.suffix == FOLDERS[entry.name] and (entry.name != "texts" or name in REQUIRED):
                    names.append(name)
                else:
                    faults.append(Fault(name, 1, f"nothing reads this file; {entry.name}/ holds {_held(entry.name)}"))
        elif entry.name not in BESIDE and entry.suffix != ".md":
            faults.append(Fault(entry.name, 1, "nothing reads this in a pack; move it to rules/ or remove it"))
    faults += [Fault(name, 1, "this file is missing; add it") for name in REQUIRED if name not in names]
    if len(names) > FILES:
        faults.append(Fault(PACK_FILE, 1, f"{len(names)} files; at most {FILES}: join some"))
        names = []
    return names, faults


def _held(folder: str) -> str:
    return "*.csv" if folder == "rules" else ", ".join(f"{language}.toml" for language in LANGUAGES)


def _read(path: Path) -> str:
    """The text of one regular file. Raises OSError, ValueError."""
    # O_NOFOLLOW: a link would let who writes the folder have any file of the machine read. O_NONBLOCK: no pipe waits.
    if path.is_symlink():
        raise ValueError("a pack holds no symbolic links; copy the file")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("not a regular file; a pack holds files only")
        content = file.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise ValueError(f"over {FILE_BYTES} bytes; split it")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line ([0-9]+)", str(error))
        raise PolicyFault([Fault(file, int(found[1]) if found else 1, f"not TOML: {error}")]) from None
    except RecursionError:
        raise PolicyFault([Fault(file, 1, "values inside one another without end; write plain tables")]) from None


def _converted(raw: dict[str, Any], kind: type[Made], text: str, file: str) -> Made:
    """The value of a TOML text. Raises PolicyFault at the line of the key at fault."""
    try:
        return msgspec.convert(raw, kind, strict=True)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `$")
        path = tuple(re.findall(r"\.([A-Za-z0-9_-]+)", place))
        raise PolicyFault(
            [Fault(file, pack_check.line_of(text, path), f"{said} (at {'.'.join(path) or 'top'})")]
        ) from None
