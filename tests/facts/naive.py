"""A plain reading of what is known after a history of changes, and the words to write one.

It keeps a copy of everything for every sequence and looks through all of it: no index, no cache, no SQL.
It shares nothing with the facts room but the values.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from sidecar.core.bundle import PatientFacts, TenantFacts
from sidecar.core.change import FactsChange, GrantChange, Stored
from sidecar.core.model import Alias, Assignment, Fact, Grant, Relation, Retraction, Stay, Watermark
from sidecar.facts.room import FactsRoom, open_room

REQUIRED = {"directive": ("dpi",), "alias": ("dpi", "idv")}
NOON = 1_772_362_800_000_000  # 2026-03-01T12:00:00+01:00
MINUTE = 60_000_000


def a_room(folder: Path, patients: int = 1000) -> FactsRoom:
    """The facts room of a folder, with keys that are the same at each run."""
    return open_room(folder, REQUIRED, patients, random=lambda size: b"k" * size)


def a_change(
    number: int,
    *facts: Fact,
    retract: tuple[Retraction, ...] = (),
    watermarks: tuple[Watermark, ...] = (),
    tenant: str = "t1",
    controller: str = "C1",
    request_id: str | None = None,
    digest: str = "d",
    caller: str = "dpi",
    now: int | None = None,
) -> FactsChange:
    """A change of facts; every one has a request id of its own unless told, and is a minute after the last."""
    return FactsChange(
        change_id=f"{tenant}-{number}",
        tenant=tenant,
        caller_id=caller,
        request_id=f"r{number}" if request_id is None else request_id,
        digest=digest,
        controller_id=controller,
        now=NOON + number * MINUTE if now is None else now,
        facts=facts,
        retract=retract,
        watermarks=watermarks,
    )


def a_grant(id_: str = "g1", **fields: object) -> Grant:
    """An emergency grant of four hours from noon."""
    plain = {
        "tenant": "t1",
        "controller_id": "C1",
        "caller_id": "dpi",
        "subject_id": "dr-nuit",
        "patient_id": "P1",
        "profile": "clinicien",
        "scope": "tout",
        "motive": "URGENCE",
        "justification": "seul en service",
        "opened_at": NOON,
        "until": NOON + 240 * MINUTE,
        "review_due": NOON + 4320 * MINUTE,
    }
    return Grant(id=id_, **{**plain, **fields})  # type: ignore[arg-type]


def grant_change(
    number: int, grant: Grant, what: Literal["open_grant", "close_grant"] = "open_grant", now: int | None = None
) -> GrantChange:
    """A change that opens or closes a grant."""
    at = NOON + number * MINUTE if now is None else now
    return GrantChange(
        f"{grant.tenant}-{number}",
        grant.tenant,
        "dpi",
        f"r{number}",
        "d",
        what,
        grant,
        at,
    )


def a_leaf(seq: int, counts: tuple[int, int, int]) -> bytes:
    """Stands for the bytes of a leaf."""
    return f"leaf {seq} {counts}".encode()


def keep(room: FactsRoom, change: FactsChange | GrantChange, leaf: Callable[..., bytes] = a_leaf) -> Stored:
    """Write a change and acknowledge it, as the corridor does with a ledger that always answers."""
    with room.changing():
        for change_id, _ in room.pending():
            room.acknowledge(change_id, 0)
        stored = room.save_grant(change, leaf) if isinstance(change, GrantChange) else room.write(change, leaf)
        if stored.leaf:
            room.acknowledge(stored.change_id, stored.seq)
    return stored


def a_stay(id_: str, patient: str, unit: str = "UF-CARD", **fact: object) -> Fact:
    """A stay, active from ever to ever unless told."""
    return Fact(id_, "adt", stay=Stay(patient, unit, "active"), **fact)  # type: ignore[arg-type]


def an_alias(id_: str, patient: str, other: str, kind: str = "merge") -> Fact:
    """Two names of one person."""
    return Fact(id_, "idv", alias=Alias(patient, other, kind))  # type: ignore[arg-type]


def an_assignment(id_: str, subject: str, unit: str = "UF-CARD", **fact: object) -> Fact:
    """A member of staff in a unit."""
    return Fact(id_, "rh", assignment=Assignment(subject, unit, "clinicien"), **fact)  # type: ignore[arg-type]


def a_ticket(id_: str, ref: str, patient: str = "") -> Fact:
    """A relation that carries a reference."""
    return Fact(id_, "gmao", relation=Relation("REL_TICKET", patient, ref=ref))


Held = tuple[Fact, int, int]  # the fact without `as_of`, its `as_of`, the sequence of its version
Contents = dict[str, set[tuple[str, str, str, int, int]]]


class Naive:
    """What one tenant knows after each change, by copying everything each time."""

    def __init__(self) -> None:
        self.states: list[dict[tuple[str, str, str], Held]] = [{}]
        self.marks: list[dict[tuple[str, str, str], int]] = [{}]
        self.instants: list[int] = [0]

    @property
    def seq(self) -> int:
        """The last sequence."""
        return len(self.states) - 1

    def write(self, change: FactsChange) -> tuple[int, int, int]:
        """Take a change; gives changed, unchanged, retracted."""
        state, marks, seq = dict(self.states[-1]), dict(self.marks[-1]), self.seq + 1
        changed = unchanged = retracted = 0
        for fact in change.facts:
            fact = replace(fact, controller_id=fact.controller_id or change.controller_id)
            key = (fact.controller_id, fact.source, fact.id)
            as_of = change.now if fact.as_of is None or fact.as_of > change.now else fact.as_of
            plain = replace(fact, as_of=None)
            if key in state and state[key][0] == plain:
                state[key] = (plain, max(as_of, state[key][1]), state[key][2])
                unchanged += 1
            else:
                state[key] = (plain, as_of, seq)
                changed += 1
        for gone in change.retract:
            if state.pop((change.controller_id, gone.source, gone.id), None) is not None:
                retracted += 1
        for mark in change.watermarks:
            for kind in mark.kinds:
                until = min(mark.complete_until, change.now)
                marks[(mark.controller_id or change.controller_id, mark.source, kind)] = until
        self.states.append(state)
        self.marks.append(marks)
        self.instants.append(max(change.now, self.instants[-1]))
        return changed, unchanged, retracted

    def bundle(self, controller: str, patient: str, seq: int) -> Contents:
        """What a patient's bundle must hold, by field."""
        state = [held for key, held in self.states[seq].items() if key[0] == controller]
        names = {patient}
        for _ in state:
            for fact, _, _ in state:
                if fact.alias is not None and fact.alias.kind != "same_person":
                    pair = {fact.alias.patient_id, fact.alias.other_id}
                    names |= pair if names & pair else set()
        contents: Contents = {}
        for fact, as_of, version in state:
            alias = fact.alias
            if alias is not None and alias.kind != "same_person":
                if names & {alias.patient_id, alias.other_id}:
                    contents.setdefault("aliases", set()).add(seen(fact, as_of, version))
                continue
            field = "persons" if alias is not None else f"{fact.kind}s"
            if fact.patient_id in names and field in PatientFacts.__struct_fields__:
                contents.setdefault(field, set()).add(seen(fact, as_of, version))
        return contents

    def staff(self, seq: int) -> dict[str, Contents]:
        """What the tenant's tables must hold, by table and key."""
        tables: dict[str, Contents] = {"assignments": {}, "delegations": {}, "contracts": {}, "refs": {}}
        for fact, as_of, version in self.states[seq].values():
            keys = {
                "assignments": fact.assignment and fact.assignment.subject_id,
                "delegations": fact.delegation and fact.delegation.to_subject_id,
                "contracts": fact.contract and fact.contract.provider_id,
                "refs": fact.relation and fact.relation.ref,
            }
            for table, key in keys.items():
                if key:
                    tables[table].setdefault(key, set()).add(seen(fact, as_of, version))
        return tables


def seen(fact: Fact, as_of: int, seq: int) -> tuple[str, str, str, int, int]:
    """A fact as a value that two readings can be compared by."""
    return fact.source, fact.id, repr(replace(fact, as_of=None)), as_of, seq


def of_patient(patient: PatientFacts) -> Contents:
    """What a bundle holds, by field."""
    fields = [name for name in PatientFacts.__struct_fields__ if isinstance(getattr(patient, name), tuple)]
    held = {name: {seen(known.fact, known.as_of, known.seq) for known in getattr(patient, name)} for name in fields}
    return {name: contents for name, contents in held.items() if contents}


def of_staff(tenant: TenantFacts) -> dict[str, Contents]:
    """What a tenant's tables hold, by table and key."""
    return {
        table: {
            key: {seen(known.fact, known.as_of, known.seq) for known in facts}
            for key, facts in getattr(tenant, table).items()
        }
        for table in ("assignments", "delegations", "contracts", "refs")
    }
