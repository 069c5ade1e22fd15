"""The demo's fictitious hospital behind a real server process, and the questions asked about it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sidecar import config
from sidecar.core import instants
from sidecar.server import wall_clock
from tests.cli.commands import ROOT, Said, run
from tests.server.client import TOKEN
from tests.server.process import a_caller, running, settings

HOSPITAL = ROOT / "sidecar/demo/hospital.json"
PACK = ROOT / "policies/hospital"
BY_FHIR, BY_DPI = ("assignment", "stay", "relation", "record_state"), ("directive", "alias")
CALLERS = (a_caller("dpi", "dpi", "feed"), a_caller("feed", "feed"), a_caller("auditor", "auditor"))


class World:
    """Where the sidecar answers, and the files of those who ask."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        for caller in (*(each.name for each in CALLERS), "nobody"):
            (folder / f"{caller}.token").write_text(TOKEN + caller)

    def reach(self, caller: str = "dpi") -> list[str]:
        """The options that reach the sidecar as this caller."""
        return ["--address", self.address, "--token-file", str(self.folder / f"{caller}.token"), "--deadline", "60"]

    def run(self, *arguments: object, caller: str = "dpi") -> Said:
        """A command that asks the sidecar."""
        return run(*arguments, *self.reach(caller))

    def file(self, content: object) -> Path:
        """A file with this text, or this JSON."""
        path = self.folder / "said.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def know_the_hospital(self) -> None:
        """Import the hospital, and say that the record system told every directive and alias."""
        mapping = ("--mapping", PACK / "pack.toml")
        assert self.run("facts", "import", "--complete", HOSPITAL, *mapping, caller="feed").code == 0
        mark = {"source": "dpi", "kinds": list(BY_DPI), "complete_until": instants.text(wall_clock())}
        assert self.run("facts", "write", self.file({"request_id": "told", "watermarks": [mark]})).code == 0


@contextmanager
def a_world(folder: Path) -> Iterator[World]:
    """A sidecar that knows the hospital."""
    required = dict.fromkeys(BY_FHIR, ("fhir",)) | dict.fromkeys(BY_DPI, ("dpi",))
    with running(folder, settings(folder, CALLERS, facts=config.FactsSettings(required))) as sidecar:
        world = World(folder, sidecar.addresses["native"])
        world.know_the_hospital()
        yield world


def who(name: str, profile: str, unit: str) -> dict[str, Any]:
    """A member of staff in front of a workstation of the hospital, just authenticated."""
    return {
        "subject": {
            "id": name,
            "kind": "professionnel",
            "profile": profile,
            "units": [unit],
            "account_type": "nominatif",
            "status": "actif",
        },
        "authentication": {"mfa": True, "time": instants.text(wall_clock()), "idle_s": 0, "remote": "none"},
        "device": {"class": "workstation", "managed": True, "compromised": False},
    }


def question(name: str = "dr-cardio", unit: str = "UF-CARD", purpose: str = "soins", **context: Any) -> dict[str, Any]:
    """May this physician read report doc-1 of P1?"""
    resource = {"patient_id": "P1", "category": "cr", "id": "doc-1", "tags": [], "masked_for": [], "visibility": []}
    return who(name, "medecin", unit) | {
        "action": "read",
        "resource": resource | {"lifecycle": "actif"},
        "purpose": purpose,
        "context": {"language": "en"} | context,
    }


def opening(name: str = "dr-nuit", **more: Any) -> dict[str, Any]:
    """A physician on duty asks to pass the care-team rule for P1."""
    return (
        who(name, "medecin", "UF-SAU")
        | {"patient_id": "P1", "motive": "URGENCE_VITALE", "justification": "Équipe du service non joignable"}
        | more
    )
