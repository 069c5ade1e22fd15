"""A pack's text → a PolicySet, or every fault found in it, each with file, line and what to write instead."""

from collections.abc import Mapping

from sidecar.core import casbin_text, groups, pack_check
from sidecar.core.casbin_text import LINKS, MODEL_FILE, ROLES_FILE
from sidecar.core.compiled import Compiled, flat_pack, ordered
from sidecar.core.expression import Domains, Nouns
from sidecar.core.model import PolicyRef
from sidecar.core.pack import Pack
from sidecar.core.pack_check import PACK_FILE, Texts
from sidecar.core.policy import OPENING_REASONS, OWN_REASONS, PolicySet
from sidecar.core.slices import Situations
from sidecar.core.vocabulary import REFERENCES
from sidecar.core.words import Words
from sidecar.errors import Fault, PolicyFault

# Tables of texts that answers about emergencies show beside reasons.
SHOWN = ("actions", "audiences", "categories", "motives", "profiles", "relations")


def load(
    pack: Pack,
    files: Mapping[str, str],
    texts: Texts,
    ref: PolicyRef,
    nouns: Nouns,
    words: Words,
    situations: Situations,
) -> PolicySet:
    """The rules of a pack, compiled. `files` are the pack's texts by name, `texts` its sentences by language.

    `nouns` types the words that rows may use, `words` answers them of what `situations` makes.

    Raises PolicyFault with every fault found.
    """
    faults = casbin_text.model_faults(files.get(MODEL_FILE, ""))
    csv = {name: text for name, text in files.items() if name == ROLES_FILE or name.startswith("rules/")}
    rows, found = casbin_text.read_rows(csv, nouns, domains(pack))
    faults += found
    members: dict[str, groups.Members] = {}
    broken: list[Fault] = []
    for section in LINKS:
        members[section], found = groups.flattened(link for link in rows.links if link.section == section)
        broken += found
    faults += broken
    faults += pack_check.row_faults(pack, rows, OWN_REASONS, nouns)
    own = files.get(PACK_FILE, "")
    named = {section: {link.group for link in rows.links if link.section == section} for section in LINKS}
    pack_faults = (
        *pack_check.pack_faults(pack, named, OWN_REASONS + OPENING_REASONS),
        *(() if broken else pack_check.root_faults(pack, members)),
    )
    for path, text in pack_faults:
        faults.append(Fault(PACK_FILE, pack_check.line_of(own, path), text))
    for language, path, text in pack_check.text_faults(pack, texts):
        file = f"texts/{language}.toml"
        faults.append(Fault(file, pack_check.line_of(files.get(file, ""), path), text))
    if faults:
        raise PolicyFault(sorted(faults, key=lambda fault: (fault.file, fault.line)))
    sentences = {language: {**tables["reasons"], **_named(tables)} for language, tables in texts.items()}
    compiled = Compiled(flat_pack(pack, members), members, words)
    compiled.index.add(ordered(pack, rows))
    return PolicySet(compiled, ref, sentences, situations)


def _named(tables: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What people are shown of codes that are no reasons, by `table.code`: two tables may have the same code."""
    return {f"{table}.{code}": text for table in SHOWN for code, text in tables.get(table, {}).items()}


def domains(pack: Pack) -> Domains:
    """The closed lists that strings in rules must be in."""
    return {
        "tags": pack.vocabulary.tags,
        "flags": pack.vocabulary.flags,
        "settings": [name for name, setting in pack.settings.items() if isinstance(setting.value, bool)],
        "references": REFERENCES,
        "profiles": pack.vocabulary.profiles,
    }
