"""docs/api.md says what the table and the statuses say."""

import re
from pathlib import Path

import grpc

from sidecar import errors
from sidecar.api.methods import method_table
from sidecar.api.wire import INTERNAL, STATUSES
from tests.api.corridor import Corridor

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
SIZES = {1024: "1 KiB", 65_536: "64 KiB", 4_194_304: "4 MiB"}


def test_every_method_is_on_the_page_with_its_roles_and_its_limit() -> None:
    corridor = Corridor()
    table = method_table(corridor, corridor, corridor, corridor, lambda: True, lambda: 0)
    rows = re.findall(r"^\| `([\w./]+)` \| ?(.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (name.removeprefix("/"), ", ".join(sorted(method.roles)), SIZES[method.limit]) for name, method in table.items()
    ]


def test_every_status_is_on_the_page_with_its_reason() -> None:
    names = {code.value[0]: code.name for code in grpc.StatusCode}
    told = {(names[code], kind.reason) for kind, (code, _) in STATUSES.items()}
    told.add((names[INTERNAL[0]], errors.SidecarError.reason))
    assert told == set(re.findall(r"^\| ([A-Z_]+) \| `(\w+)` \|", PAGE, re.MULTILINE))
