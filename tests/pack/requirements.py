"""What docs/requirements.toml claims, held to the pack, its stories and the tree; and the page made from it.

`python -m tests.pack.requirements` (make docs) writes docs/requirements.md.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, convert

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies" / "hospital"
CLAIMS, PAGE = ROOT / "docs" / "requirements.toml", ROOT / "docs" / "requirements.md"

LAST = {"S": 197, "L": 95}  # the founding documents; law and official guidance
LATER = {
    "hospital pack": "more rows of the hospital pack, and the fields of facts they need",
    "practice pack": "`policies/practice`: practices of physicians and paramedics, online appointments, insurers",
    "shared record pack": "`policies/shared_record`: the circle, consents, visibility and hosts of a shared record",
    "overlays": "an establishment's own rows over a pack, which only narrow it unless a reason is given",
    "policy signing": "policies from signed revisions, approved by somebody else than their author",
    "policy analysis": "lint, answers of a policy not yet in force, dated cells",
    "governance pages": "what a controller hands to an inspector or puts in an impact assessment",
    "journal extracts": "the journal for a patient, a provider, a breach, a European log",
    "habilitation review": "the yearly review of who holds what, and what is never used",
    "detectors and alerts": "what reads the journal by itself, warns and alerts",
    "lifecycle job": "archiving, erasure and retention at their dates",
    "backup and drills": "backup, restore, and the exercises that prove them",
    "sealed store": "facts at rest sealed, as the records are",
    "administrators' console": "pages for administrators, who prove themselves and see no names",
    "copy register": "imports, exports and prints, followed by masks and exclusions",
    "information of patients": "notices to patients, what a mask does and how masks are used",
    "national identities": "levels of proof and roles as Pro Santé Connect states them",
}  # the parts of the product that are to carry what is not there yet
NUMBERS = [f"{letter}-{number}" for letter, last in LAST.items() for number in range(1, last + 1)]


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement: what its source says, and what carries it."""

    says: str
    rules: tuple[str, ...] = ()
    stories: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    planned: str = ""
    later: str = ""
    not_ours: str = ""

    @property
    def status(self) -> str:
        if self.not_ours:
            return "not ours"
        if not self.planned:
            return "carried"
        return "in part" if self.rules or self.components else "planned"


Claims = Mapping[str, Claim]


class Pack(Struct, frozen=True):
    """What of a pack the claims speak of: rule and sources of every row, parameters' sources, files of stories."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    stated: frozenset[str]
    stories: frozenset[str]


def claims() -> Claims:
    return convert(tomllib.loads(CLAIMS.read_text()), dict[str, Claim])


def pack() -> Pack:
    said = tomllib.loads((PACK / "pack.toml").read_text())
    lines = [line for file in sorted((PACK / "rules").glob("*.csv")) for line in file.read_text().splitlines()]
    written = [[field.strip() for field in line.split(",")] for line in lines if line and not line.startswith("#")]
    sourced = {
        f"{table}.{name}": each for table in ("settings", "legal_bases") for name, each in said[table].items()
    } | said.get("origins", {})
    return Pack(
        rows=tuple((fields[1], tuple(fields[-1].split())) for fields in written),
        parameters=tuple((name, tuple(each["source"].split())) for name, each in sourced.items()),
        stated=frozenset(said.get("sources", {})),
        stories=frozenset(file.stem for file in (PACK / "tests").glob("*.yaml")),
    )


def faults(claims: Claims, pack: Pack, hits: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """What is wrong with the claims. `hits` are the rules that took part in each story."""
    yield from (f"{number}: missing" for number in NUMBERS if number not in claims)
    rules = {rule for rule, _ in pack.rows}
    for number, claim in claims.items():
        if number not in NUMBERS:
            yield f"{number}: no requirement has this number"
        carried = claim.rules or claim.components
        if claim.not_ours and (carried or claim.planned):
            yield f"{number}: not ours, and carried or planned all the same"
        if bool(claim.planned) != (claim.later in LATER) or (claim.later and not claim.planned):
            yield f"{number}: what is missing and which part is to carry it go together"
        if not (carried or claim.planned or claim.not_ours):
            yield f"{number}: says nothing"
        yield from (f"{number}: no rule `{rule}`" for rule in claim.rules if rule not in rules)
        yield from (f"{number}: no file `{path}`" for path in claim.components if not (ROOT / path).exists())
        for story in claim.stories:
            if story not in pack.stories:
                yield f"{number}: no story `{story}`"
            elif not hits[story] & set(claim.rules):
                yield f"{number}: story `{story}` exercises none of its rules"
        if claim.rules and not claim.stories:
            yield f"{number}: no story shows its rules"
    yield from _source_faults(claims, pack)


def _source_faults(claims: Claims, pack: Pack) -> Iterator[str]:
    for rule, sources in dict.fromkeys(pack.rows):
        for source in sources:
            if source in claims and rule not in claims[source].rules:
                yield f"{source}: a row of `{rule}` names it as its source; list the rule"
    for what, sources in dict.fromkeys((*pack.rows, *pack.parameters)):
        for source in sources:
            if source not in claims and source not in pack.stated:
                yield f"{what}: unknown source `{source}`; state it in [sources] of pack.toml"


def page(claims: Claims) -> str:
    """docs/requirements.md."""
    return "\n".join(_lines(claims)) + "\n"


TITLES = {
    "S": "From the founding documents",
    "L": "From law and official guidance",
}
MEANS = {
    "carried": "rules with their stories, or a component, carry it",
    "in part": "what is there is named, and what is missing",
    "planned": "nothing carries it yet",
    "not ours": "and why",
}


INTRODUCTION = (
    "Made from [requirements.toml](requirements.toml) by `make docs`. A test holds every rule, story and file it names",
    "to the tree, every story to its rules, and every source a row of the hospital pack cites to this page. S-n are",
    "asked by the CNIL's and parliament's texts on patient records, L-n by law and official guidance; many rest on",
    "drafts and secondary sources, so this page claims no conformity with any of them.",
)
HEAD = ("| number | what the source says | status | carried by |", "|---|---|---|---|")


def _lines(claims: Claims) -> Iterator[str]:
    yield "# What is asked of the product, and what carries it"
    yield ""
    yield from (*INTRODUCTION, "")
    yield "| status | of S | of L | means |"
    yield "|---|---|---|---|"
    for status, means in MEANS.items():
        counts = [
            sum(claim.status == status for number, claim in claims.items() if number.startswith(letter))
            for letter in LAST
        ]
        yield f"| {status} | {counts[0]} | {counts[1]} | {means} |"
    yield from ("", "What is missing, by the part of the product that is to carry it:", "")
    yield from ("| part | numbers | what it is |", "|---|---|---|")
    for part, means in LATER.items():
        waiting = ", ".join(number for number in NUMBERS if number in claims and claims[number].later == part)
        yield f"| {part} | {waiting} | {means} |"
    for letter, title in TITLES.items():
        yield from (
            "",
            f"## {title}",
            "",
            *HEAD,
        )
        for number in NUMBERS:
            claim = claims[number]
            if number.startswith(letter):
                yield f"| {number} | {_text(claim.says)} | {claim.status} | {_carried(claim)} |"


def _carried(claim: Claim) -> str:
    parts = []
    if claim.rules:
        parts.append(f"rules {', '.join(claim.rules)}")
    if claim.stories:
        files = "../policies/hospital/tests"
        parts.append(f"stories {', '.join(f'[{story}]({files}/{story}.yaml)' for story in claim.stories)}")
    if claim.components:
        parts.append(", ".join(f"[{path}](../{path})" for path in claim.components))
    if claim.planned:
        parts.append(f"*missing:* {_text(claim.planned)} (*{claim.later}*)")
    if claim.not_ours:
        parts.append(_text(claim.not_ours))
    return "; ".join(parts)


def _text(text: str) -> str:
    return re.sub(r"([|<>])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(claims()), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
