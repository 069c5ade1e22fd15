"""The hospital pack with generated facts."""

import tomllib
from pathlib import Path
from random import Random

from tests.differential.chance import Setting, setting_of
from tests.differential.packs import Written
from tests.oracle import Oracle

FOLDER = Path(__file__).parents[2] / "policies" / "hospital"


def the_hospital() -> Written:
    """The shipped pack, as its files say it."""
    names = ["model.conf", "roles.csv", *(f"rules/{path.name}" for path in sorted((FOLDER / "rules").glob("*.csv")))]
    files = {name: (FOLDER / name).read_text() for name in names}
    return Written(tomllib.loads((FOLDER / "pack.toml").read_text()), files)


Work = dict[str, list[tuple[str, str]]]  # profile → the categories and actions it may be permitted


def a_service(oracle: Oracle, work: Work, random: Random) -> Setting:
    """One profile at work, with few of the pack's names at a time, such that most questions are meaningful."""
    vocabulary = oracle.pack["vocabulary"]
    profile = random.choice(list(vocabulary["profiles"]))
    usual = work[profile] or [("technique", "read")]
    category, action = random.choice(usual)
    beside = [other for name, other in usual if name == category]
    odd = random.random() < 0.15
    return setting_of(
        oracle.pack,
        "medecin",
        unusual=0.15,
        profiles=(profile,),
        categories=random.choices(vocabulary["categories"], k=2) if odd else [category],
        actions=random.choices(vocabulary["actions"], k=1) if odd else [action, action, random.choice(beside)],
        purposes=random.choices(vocabulary["purposes"], k=1) if odd else vocabulary["profiles"][profile]["purposes"],
    )


def at_work(oracle: Oracle) -> Work:
    """For each profile, the categories and actions its cells open and its grounds may permit."""
    vocabulary = oracle.pack["vocabulary"]
    found: Work = {}
    for profile, rules in vocabulary["profiles"].items():
        opened = [row for row in oracle.rows if row.kind == "p3" and oracle.holds("g", profile, row.said["profile"])]
        grounds = [
            row
            for row in oracle.rows
            if row.kind == "p"
            and not row.denies
            and oracle.holds("g", profile, row.said["profile"])
            and any(oracle.holds("g4", purpose, row.said["purpose"]) for purpose in rules["purposes"])
        ]
        found[profile] = [
            (category, action)
            for category in vocabulary["categories"]
            for action in vocabulary["actions"]
            if all(any(oracle.applies(row, category, action) for row in rows) for rows in (opened, grounds))
        ]
    return found
