"""What a day takes from the Synthea sets: who the patients are, when they come and how long they stay."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

SETS = ("bordeaux", "worcester")
MINUTE = 60 * 1_000_000


@dataclass(frozen=True)
class Model:
    """A Synthea patient: a birth date, and the encounters of each class as (minute of the day, minutes)."""

    born: str
    visits: dict[str, tuple[tuple[int, int], ...]]


def repository_data() -> Path:
    """The shared input data, which lies beside the repository."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "fhir-synthea"
    assert folder.is_dir(), f"a generated day reads {folder}: put the shared input data beside the repository"
    return folder


@cache
def models() -> tuple[Model, ...]:
    """Every Synthea patient, in the order of their files."""
    return tuple(_model(bundle) for name in SETS for bundle in _bundles(repository_data() / name))


@cache
def shapes(sort: str) -> tuple[tuple[int, int], ...]:
    """(minute of the day, minutes) of every encounter of a class: IMP, EMER or AMB."""
    return tuple(shape for model in models() for shape in model.visits.get(sort, ()))


def _bundles(folder: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / "patients.ndjson.gz") as lines:
        yield from map(json.loads, lines)


def _model(bundle: dict[str, Any]) -> Model:
    born, visits = "", {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            born = resource["birthDate"]
        elif resource["resourceType"] == "Encounter":
            start, end = (datetime.fromisoformat(resource["period"][key]) for key in ("start", "end"))
            minutes = max(1, int((end - start).total_seconds() // 60))
            visits.setdefault(resource["class"]["code"], []).append((start.hour * 60 + start.minute, minutes))
    return Model(born, {sort: tuple(found) for sort, found in visits.items()})
