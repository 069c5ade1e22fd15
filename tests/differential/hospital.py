"""The hospital pack with generated facts."""

import tomllib
from pathlib import Path
from random import Random

from tests.differential.chance import Setting, setting_of
from tests.differential.packs import Written

FOLDER = Path(__file__).parents[2] / "policies" / "hospital"


def the_hospital() -> Written:
    """The shipped pack, as its files say it."""
    names = ["model.conf", "roles.csv", *(f"rules/{path.name}" for path in sorted((FOLDER / "rules").glob("*.csv")))]
    files = {name: (FOLDER / name).read_text() for name in names}
    return Written(tomllib.loads((FOLDER / "pack.toml").read_text()), files)


def a_service(written: Written, random: Random) -> Setting:
    """Few of the pack's names at a time, the usual ones most often, so that most questions are meaningful."""
    vocabulary = written.parameters["vocabulary"]
    people = ("medecin", "medecin", "interne", "infirmier", "secretaire_medicale")
    others = ("agent_admission", "maintenance", "job_interfaces")
    profile = random.choice(people) if random.random() < 0.8 else random.choice(others)
    usual = {
        "agent_admission": (("identite", "sejour", "alertes"), ("admin_sejour", "soins_urgence")),
        "maintenance": (("technique",), ("maintenance",)),
        "job_interfaces": (("sejour", "biologie"), ("soins",)),
        "secretaire_medicale": (("cr", "synthese", "agenda"), ("soins",)),
    }
    categories, purposes = usual.get(
        profile, (("cr", "notes", "alertes", "prescription", "biologie", "soins"), ("soins", "soins", "soins_urgence"))
    )
    odd = random.random() < 0.15
    return setting_of(
        written.parameters,
        "medecin",
        unusual=0.15,
        profiles=(profile,),
        categories=random.choices(vocabulary["categories"] if odd else categories, k=2),
        actions=random.choices(vocabulary["actions"] if odd else ("read", "read", "list", "create", "update"), k=1),
        purposes=random.choices(vocabulary["purposes"] if odd else purposes, k=1),
    )
