"""What the states of one record say together (3.1.6)."""

from collections.abc import Iterable
from typing import NamedTuple

from sidecar.core.model import RecordState

NO_CARE = -(1 << 62)  # no last care is known


class Standing(NamedTuple):
    """What the record's states say together: lifecycles, flags, and the dates from which its retention runs.

    Where feeds differ the later date counts: nothing falls due while one of them says it is kept.
    """

    lifecycles: frozenset[str]
    flags: frozenset[str]
    deaths: frozenset[str]
    last_care: int
    born: str


def together(states: Iterable[RecordState]) -> Standing:
    """What these states of one record say."""
    lifecycles: set[str] = set()
    flags: set[str] = set()
    deaths: set[str] = set()
    last_care, born = NO_CARE, ""
    for state in states:
        lifecycles.add(state.lifecycle)
        flags.update(state.flags)
        if state.death_date:
            deaths.add(state.death_date)
        if state.last_care is not None and state.last_care > last_care:
            last_care = state.last_care
        if state.birth_date > born:
            born = state.birth_date
    return Standing(frozenset(lifecycles), frozenset(flags), frozenset(deaths), last_care, born)
