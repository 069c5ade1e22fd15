"""What a day takes from the Synthea sets: who the patients are, when they come and how long they stay."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct, field

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


class _Coded(Struct):
    code: str = ""


class _Period(Struct):
    start: str = ""
    end: str = ""


class _Resource(Struct, rename="camel"):
    """What is read of a resource of any type."""

    resource_type: str
    birth_date: str = ""
    period: _Period | None = None
    class_: _Coded = field(default_factory=_Coded, name="class")


class _Entry(Struct):
    resource: _Resource


class _Bundle(Struct):
    entry: list[_Entry]


def _bundles(folder: Path) -> Iterator[_Bundle]:
    decoder = msgspec.json.Decoder(_Bundle)
    with gzip.open(folder / "patients.ndjson.gz") as lines:
        yield from map(decoder.decode, lines)


def _model(bundle: _Bundle) -> Model:
    born, visits = "", {}
    for entry in bundle.entry:
        resource = entry.resource
        if resource.resource_type == "Patient":
            born = resource.birth_date
        elif resource.resource_type == "Encounter" and resource.period is not None:
            start, end = datetime.fromisoformat(resource.period.start), datetime.fromisoformat(resource.period.end)
            minutes = max(1, int((end - start).total_seconds() // 60))
            visits.setdefault(resource.class_.code, []).append((start.hour * 60 + start.minute, minutes))
    return Model(born, {sort: tuple(found) for sort, found in visits.items()})
