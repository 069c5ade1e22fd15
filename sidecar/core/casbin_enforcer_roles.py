"""Roles flattened: for every name, the roles it has, through one link or several."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from sidecar.core.casbin_model import Link
from sidecar.errors import Fault

LONGEST_CHAIN = 9  # links; PyCasbin's role manager looks at ten names in a row and no further

NONE: frozenset[str] = frozenset()
Above = Mapping[str, frozenset[str]]  # name → the roles it has, itself left out


class Roles(Struct, frozen=True):
    """One role definition. `above` and `below` go by domain; a role without domains has the domain ``""``."""

    above: Mapping[str, Above]
    below: Mapping[str, Above]

    def linked(self, member: object, role: object, domain: object = "") -> bool:
        """Whether `member` is `role`, or has it."""
        return member == role or role in self.roles(member, domain)

    def roles(self, member: object, domain: object = "") -> frozenset[str]:
        """The roles of a member in a domain, itself left out. Casbin reads any domain as text."""
        return self.above.get(str(domain), {}).get(member, NONE) if isinstance(member, str) else NONE

    def members(self, role: object, domain: object = "") -> frozenset[str]:
        """Who has a role in a domain, itself left out."""
        return self.below.get(str(domain), {}).get(role, NONE) if isinstance(role, str) else NONE


def flattened(links: Iterable[Link], both_ways: bool, file: str) -> tuple[Roles, list[Fault]]:
    """The roles of one definition, with the faults of its links: circles and chains too long."""
    by_domain: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_domain[link.domain].append(link)
    above: dict[str, Above] = {}
    below: dict[str, Above] = {}
    faults: list[Fault] = []
    for domain, found in by_domain.items():
        above[domain], said = _above(found, file)
        faults += said
        if both_ways and not said:
            below[domain] = _above([Link(link.role, link.member, domain, link.line) for link in found], file)[0]
    return Roles(above, below), faults


def _above(links: list[Link], file: str) -> tuple[Above, list[Fault]]:
    direct: dict[str, set[str]] = defaultdict(set)
    for link in links:
        direct[link.member].add(link.role)
    waiting = {name: sum(role in direct for role in held) for name, held in direct.items()}
    members: dict[str, list[str]] = defaultdict(list)
    for name, held in direct.items():
        for role in held:
            if role in direct:
                members[role].append(name)
    above: dict[str, frozenset[str]] = {}
    depth: dict[str, int] = {}
    shared: dict[frozenset[str], frozenset[str]] = {}  # members of the same roles share one set
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        del waiting[name]
        roles = frozenset(direct[name])
        depth[name] = 1 + max(depth.get(role, 0) for role in roles)
        if depth[name] <= LONGEST_CHAIN:
            if roles not in shared:
                shared[roles] = roles.union(*(above[role] for role in roles if role in above))
            above[name] = shared[roles]
        for member in members[name]:
            waiting[member] -= 1
            if not waiting[member]:
                ready.append(member)
    # Who is merely under a circle is not of it: what no name left has as a role goes.
    circular = set(waiting)
    while loose := circular - {role for name in circular for role in direct[name]}:
        circular -= loose
    return above, _faults(links, circular, depth, file)


def _faults(links: list[Link], circular: set[str], depth: Mapping[str, int], file: str) -> list[Fault]:
    faults = [
        Fault(file, link.line, f"`{link.member}` and `{link.role}` are roles of each other; remove a link")
        for link in links
        if link.member in circular and link.role in circular
    ]
    for link in links:
        if depth.get(link.member, 0) > LONGEST_CHAIN:
            text = (
                f"`{link.member}` is under {depth[link.member]} links in a row; at most {LONGEST_CHAIN}, where PyCasbin"
            )
            faults.append(Fault(file, link.line, f"{text} stops without a word: flatten the roles"))
    return faults
