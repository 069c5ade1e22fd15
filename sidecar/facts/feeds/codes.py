"""Codes of a feed as words of the pack, by mapping tables."""

import re
from collections.abc import Iterable, Iterator, Mapping

from sidecar.facts.feeds.resources import Coding, Concept

# The health profession (TRE_G15) says least of what somebody does: a function or a specialty goes before it.
PROFESSION = "TRE_G15"
# A French nomenclature by its short name, whichever of its addresses a feed uses: `TRE_G15-ProfessionSante`,
# `TRE-G15-ProfessionSante`, `JDV_J47-…`.
_FRENCH = re.compile(r"\b(TRE|JDV)[_-]([A-Z]\d+)")
_HL7 = "http://terminology.hl7.org/CodeSystem/"


def short(system: str) -> str:
    """The short name of a French nomenclature (`TRE_G15`) or of an HL7 code system (`v3-ActCode`), or the system."""
    french = _FRENCH.search(system)
    if french is not None:
        return f"{french[1]}_{french[2]}"
    return system.removeprefix(_HL7)


def codings(concepts: Iterable[Concept]) -> Iterator[Coding]:
    """Every coding of these concepts."""
    return (coding for concept in concepts for coding in concept.coding)


def word(coding: Coding, table: Mapping[str, str]) -> str:
    """What a mapping table makes of a code, or empty.

    It is looked up by `system|code`, then with the short name of the system, then by entries that end with `*`.
    """
    name = f"{short(coding.system)}|{coding.code}"
    found = table.get(coding.key) or table.get(name)
    return found or next((said for key, said in table.items() if key.endswith("*") and name.startswith(key[:-1])), "")


def first_word(concepts: Iterable[Concept], table: Mapping[str, str]) -> str:
    """What the first mapped code means, or empty."""
    return next(filter(None, (word(coding, table) for coding in codings(concepts))), "")


def profile(concepts: Iterable[Concept], table: Mapping[str, str]) -> str:
    """The profile of the first mapped code, a profession after all others; empty when none is mapped."""
    ordered = sorted(codings(concepts), key=lambda coding: short(coding.system) == PROFESSION)
    return next(filter(None, (word(coding, table) for coding in ordered)), "")


def named(concepts: Iterable[Concept]) -> str:
    """These codes for a report."""
    return ", ".join(coding.key for coding in codings(concepts)) or "no code"
