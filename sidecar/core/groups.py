"""Role links flattened: for every name, who has it."""

from collections.abc import Collection, Iterable, Mapping

from sidecar.core.casbin_text import Link
from sidecar.errors import Fault

LONGEST_CHAIN = 9  # links; PyCasbin looks at ten names in a row, and no further, without a word

Members = Mapping[str, frozenset[str]]  # group → itself and every name under it


def flattened(links: Iterable[Link]) -> tuple[Members, list[Fault]]:
    """The members of every group of one section, with the faults of its links: cycles and chains too long."""
    found = tuple(links)
    under: dict[str, set[str]] = {}
    for link in found:
        under.setdefault(link.group, set()).add(link.member)
    members: dict[str, frozenset[str]] = {}
    depth: dict[str, int] = {}
    # Groups whose members are all flattened come next, until none is left or only cycles are.
    waiting = dict(under)
    while ready := [group for group, names in waiting.items() if not names & waiting.keys()]:
        for group in ready:
            names = waiting.pop(group)
            members[group] = frozenset({group}).union(*(members.get(name, frozenset({name})) for name in names))
            depth[group] = 1 + max(depth.get(name, 0) for name in names)
    # What merely stands above a circle is not of it: a group that no group left has as a member goes.
    circular = set(waiting)
    while loose := circular - {name for group in circular for name in waiting[group]}:
        circular -= loose
    faults = [
        link.at.fault(f"`{link.member}` and `{link.group}` are members of each other, through one link or several;"
                      " remove a link")
        for link in found
        if link.group in circular and link.member in circular
    ]  # fmt: skip
    faults += [
        link.at.fault(
            f"`{link.group}` is over {depth[link.group]} links in a row; at most {LONGEST_CHAIN}, PyCasbin follows no"
            " more: flatten the groups"
        )
        for link in found
        if depth.get(link.group, 0) > LONGEST_CHAIN
    ]
    return members, faults


def names(listed: Iterable[str], members: Members, known: Collection[str]) -> tuple[str, ...]:
    """The names of the vocabulary `known` that a list of names and groups stands for, sorted."""
    every = {name for item in listed for name in members.get(item, (item,))}
    return tuple(sorted(every.intersection(known)))
