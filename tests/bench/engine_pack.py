"""Packs of any number of rules, as folders of text: what the engine's and the reload's figures are measured on.

`shaped(rules)` has the model, the words, the gates, the grounds, the matrix and the duties of the hospital pack, and
as many rows as it is told to. It grows by professions and categories: one question always meets CANDIDATES rows,
of ten as of a hundred thousand. `extended(rules)` is the hospital pack itself with such professions beside its own,
so that it answers every question about the hospital as before. `crowded(rules)` is the worst case: one profession,
one category, every row a candidate, no two conditions alike.

`python -m tests.bench.engine_pack FOLDER RULES [shaped|extended|crowded]` writes one.
"""

import math
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from sidecar.authoring.bundle import Bundle, compile_bundle, decode_pack, digest
from sidecar.core.policy import PolicySet

HOSPITAL = Path(__file__).parents[2] / "policies" / "hospital"
TEXTS = ("pack.toml", "model.conf", "roles.csv", "texts/fr.toml", "texts/en.toml")
RULES = ("break_glass.csv", "gates.csv", "grounds.csv", "matrix.csv", "obligations.csv")
LINES = 8_000  # rows of one file: a pack's file is at most 1 MiB
CANDIDATES = 10  # rows one question meets in `shaped`: SHARED, those of its profession, its cell

SHARED = (
    "p, G-SUB-2, tous, tout, toute_action, tout_motif, !r.subject.active, deny, SUBJECT_INACTIVE, -, S-85",
    "p, G-AUTH-1, humain, protege, toute_action, tout_motif, !r.authentication.mfa, deny, MFA_REQUIRED, -, S-82",
    "p, G-PUR-1, tous, tout, toute_action, tout_motif, !r.subject.purpose_allowed(r.purpose), deny,"
    " PURPOSE_NOT_ALLOWED, -, S-47",
    "p, G-WILL-1, tous, masquable, toute_action, tout_motif, r.patient.blocked_subject, deny, BLOCKED_BY_PATIENT, -,"
    " L-53",
    "p, G-WILL-2, tous, masquable, acces, tout_motif, r.resource.masked_for_subject && !r.subject.is_author"
    " && !r.subject.in_producing_unit && !r.context.vital_override, deny, MASKED, -, S-126",
    "p2, O-1, tous, tout, toute_action, tout_motif, True, LOG_FULL, S-155",
)
CELLS = (
    "True",
    "!r.resource.sensitive",
    "!r.resource.sensitive || r.subject.is_author",
    "!r.resource.sensitive || r.subject.in_tag_unit",
)
OWN = 3  # rows a profession has beside its cells


def shaped(rules: int) -> dict[str, str]:
    """The files of a pack of `rules` rows, of which one question meets CANDIDATES; at least ten."""
    more = rules - len(SHARED)
    return _files([*SHARED, *_rows(more)], more)


def extended(rules: int) -> dict[str, str]:
    """The files of the hospital pack with further professions, `rules` rows in all."""
    own = {f"rules/{name}": (HOSPITAL / "rules" / name).read_text() for name in RULES}
    more = rules - sum(map(rows_in, own.values()))
    return own | _files(_rows(more), more)


def crowded(rules: int) -> dict[str, str]:
    """The files of a pack whose one cell has `rules` candidates: grounds, each with days of its own."""
    own = (_team(0), f"p3, M-1, {profession(0)}, {category(0)}, usage, True, allow, -, L-7")
    grounds = [_ground(0, within) for within in range(1, rules - len(SHARED) - len(own) + 1)]
    return _files([*SHARED, *own, *grounds], OWN + 1)


def compiled(files: dict[str, str]) -> PolicySet:
    """These files as the product loads them."""
    return compile_bundle(Bundle(decode_pack(files["pack.toml"]), files, digest(files)))


def written(files: dict[str, str], folder: Path) -> Path:
    """The folder, with these files in it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def width(more: int) -> int:
    """How many categories `more` generated rows speak of: about as many as professions."""
    return max(1, math.isqrt(more) - 1)


def professions(rules: int) -> int:
    """How many professions of `shaped(rules)` have all their rows."""
    more = rules - len(SHARED)
    return more // (OWN + width(more))


def categories(rules: int) -> int:
    """How many categories `shaped(rules)` speaks of."""
    return width(rules - len(SHARED))


def profession(n: int) -> str:
    """The n-th profession."""
    return f"m{n:03}"


def category(n: int) -> str:
    """The n-th category."""
    return f"c{n:03}"


def days(n: int) -> int:
    """For how many days after a stay the n-th profession may read what dates from it."""
    return 1 + n % 30


def cell(n: int, about: int) -> str:
    """On which condition the n-th profession may see a category."""
    return CELLS[(n + about) % len(CELLS)]


def rows_in(text: str) -> int:
    """How many rows a rule file has."""
    return sum(1 for line in text.split("\n") if line and not line.startswith("#"))


def _rows(more: int) -> list[str]:
    """`more` rows: one profession after the other, the last one cut where they end."""
    return list(islice(_professions(width(more)), more))


def _professions(wide: int) -> Iterator[str]:
    for n in count():
        yield _team(n)
        yield _ground(n, days(n))
        yield (
            f"p2, A-02, {profession(n)}, tout, usage, prise_en_charge, r.subject.left_unit_less_than({days(n)})"
            " || r.subject.in_team_at_death, CACHE_MAX_AGE(60), L-5"
        )
        for about in range(wide):
            yield f"p3, M-1, {profession(n)}, {category(about)}, usage, {cell(n, about)}, allow, -, L-7"


def _team(n: int) -> str:
    return (
        f"p, A-01, {profession(n)}, tout, usage, prise_en_charge, r.subject.in_care_team"
        " && (r.subject.named_in_care || !r.patient.protected_record), allow, ALLOW_CARE_TEAM, -, S-8"
    )


def _ground(n: int, within: int) -> str:
    return (
        f"p, A-02, {profession(n)}, tout, lecture, prise_en_charge, r.subject.left_unit_less_than({within})"
        " && (r.resource.created_before_leaving || r.subject.signed_request_for(r.resource))"
        " && !r.patient.protected_record, allow, ALLOW_POST_STAY,"
        " RELATION_EXPIRED when r.subject.was_in_care_team && !r.patient.protected_record, L-5"
    )


def _files(rows: list[str], more: int) -> dict[str, str]:
    """The hospital's parameters, groups and texts, with the names that `more` generated rows need, and `rows`."""
    files = {name: (HOSPITAL / name).read_text() for name in TEXTS}
    wide = width(more)
    deep = -(-more // (OWN + wide))
    names = ", ".join(f'"{category(n)}"' for n in range(wide))
    files["pack.toml"] = files["pack.toml"].replace("categories = [", f"categories = [{names},", 1) + "".join(
        f'\n[vocabulary.profiles.{profession(n)}]\nkinds = ["professionnel", "personnel"]\n'
        'purposes = ["prise_en_charge", "rendez_vous"]\n'
        for n in range(deep)
    )
    files["roles.csv"] += "".join(f"g, {profession(n)}, clinique\n" for n in range(deep))
    files["roles.csv"] += "".join(f"g2, {category(n)}, MED\n" for n in range(wide))
    for first in range(0, len(rows), LINES):
        files[f"rules/grown-{first // LINES:03}.csv"] = "\n".join(rows[first : first + LINES]) + "\n"
    return files


KINDS = {"shaped": shaped, "extended": extended, "crowded": crowded}

if __name__ == "__main__":
    print(written(KINDS[(*sys.argv[3:], "shaped")[0]](int(sys.argv[2])), Path(sys.argv[1])))
