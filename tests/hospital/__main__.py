"""`python -m tests.hospital SEED FOLDER [--patients N] [--asks N] [--day YYYY-MM-DD]`: a day as files (README.md)."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from sidecar.core import instants
from tests.hospital.day import ASKS, DATE, PATIENTS, Day, Moment, a_day


def lines(day: Day) -> dict[str, list[object]]:
    """The files of a day, each a list of JSON values: the forms the command line and the stories read."""
    return {
        "facts.ndjson": [instants.encode(fact) for fact in day.facts],
        "watermarks.ndjson": [instants.encode(mark) for mark in day.marks],
        "stream.ndjson": [_moment(moment) for moment in day.moments],
    }


def _moment(moment: Moment) -> object:
    said: dict[str, object] = {"at": instants.text(moment.at)}
    if moment.ask is None:
        return said | {"facts": [instants.encode(fact) for fact in moment.facts]}
    effect, reason = moment.expected
    return said | {"sort": moment.sort, "ask": instants.encode(moment.ask), "effect": effect, "reason": reason}


def write(day: Day, folder: Path) -> None:
    """One value a line; the same bytes for the same day."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in lines(day).items():
        (folder / name).write_text("".join(map(_line, values)), encoding="utf-8")


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n"


def show(counts: Iterable[tuple[str, int]]) -> None:
    for name, count in counts:
        print(f"{count:7} {name}")


def main() -> None:
    said = argparse.ArgumentParser(prog="python -m tests.hospital", description=__doc__)
    said.add_argument("seed", type=int)
    said.add_argument("folder", type=Path)
    said.add_argument("--patients", type=int, default=PATIENTS)
    said.add_argument("--asks", type=int, default=ASKS)
    said.add_argument("--day", type=date.fromisoformat, default=DATE)
    asked = said.parse_args()
    day = a_day(asked.seed, asked.patients, asked.asks, asked.day)
    write(day, asked.folder)
    show(sorted(Counter(one.sort for one in day.patients).items()))
    show(sorted(Counter(f"{m.sort}: {' '.join(m.expected)}" for m in day.moments if m.ask is not None).items()))
    print(f"written: {', '.join(str(asked.folder / name) for name in lines(day))}")


if __name__ == "__main__":
    main()
