"""What was worked out of facts for one question and holds for those that come after, kept with these facts.

Facts that change are other facts (`bundle`): nothing here outlives them.
"""

from msgspec import Struct

from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.model import Known, RecordState, Stay
from sidecar.core.pack import Pack
from sidecar.core.standing import Standing, together


class Stays(Struct, frozen=True):
    """The stays of a patient under these names that are neither planned nor cancelled."""

    names: tuple[str, ...]
    active: tuple[tuple[Known, Stay], ...]


class Record(Struct, frozen=True):
    """The states of a record under these names, in [at, until), and what they say together."""

    names: tuple[str, ...]
    at: int
    until: int
    states: tuple[tuple[Known, RecordState], ...]
    standing: Standing


UNTOLD = Record((), NEVER, FOREVER, (), together(()))


class Assigned(Struct, frozen=True):
    """The assignments of a member of staff that are in force and fresh in [at, until), by this pack's limits."""

    pack: Pack
    at: int
    until: int
    current: tuple[Known, ...]
