"""Random histories of changes, in a small world where everything collides."""

from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar.core.change import FactsChange
from sidecar.core.model import (
    Alias,
    Assignment,
    Call,
    Contract,
    Delegation,
    Directive,
    Fact,
    Period,
    RecordState,
    Relation,
    Retraction,
    Stay,
    Target,
    Watermark,
)
from tests.facts.naive import MINUTE, NOON, a_change

PATIENTS = ("P1", "P2", "P3", "P4")
CONTROLLERS = ("C1", "C2")
_patients, _subjects, _units = st.sampled_from(PATIENTS), st.sampled_from(("s1", "s2")), st.sampled_from(("U1", "U2"))

_aliases = st.builds(Alias, _patients, _patients, st.sampled_from(("merge", "merge", "unmerge"))) | st.builds(
    Alias, _patients, _subjects, st.just("same_person")
)
_bodies = st.one_of(
    st.fixed_dictionaries({"stay": st.builds(Stay, _patients, _units, st.just("active"))}),
    st.fixed_dictionaries({"alias": _aliases}),
    st.fixed_dictionaries({"alias": _aliases}),
    st.fixed_dictionaries({"assignment": st.builds(Assignment, _subjects, _units, st.just("clinicien"))}),
    st.fixed_dictionaries(
        {
            "relation": st.builds(
                Relation,
                st.just("REL_TICKET"),
                patient_id=st.just("") | _patients,
                ref=st.sampled_from(("", "T1", "T2")),
            )
        }
    ),
    st.fixed_dictionaries(
        {"directive": st.builds(Directive, st.just("mask"), _patients, target=st.just(Target(everyone=True)))}
    ),
    st.fixed_dictionaries({"delegation": st.builds(Delegation, _subjects, _subjects, st.just("") | _patients)}),
    st.fixed_dictionaries({"record_state": st.builds(RecordState, _patients, lifecycle=st.just("actif"))}),
    st.fixed_dictionaries({"contract": st.builds(Contract, st.sampled_from(("E1", "E2")), approved=st.booleans())}),
    st.fixed_dictionaries({"call": st.builds(Call, _patients, _subjects)}),
)
_ids = st.sampled_from(("f1", "f2", "f3", "f4", "f5"))
_sources = st.sampled_from(("adt", "dpi"))
_instants = st.none() | st.integers(-3, 3).map(lambda n: NOON + n * MINUTE)
_facts = st.builds(
    lambda id_, source, controller, as_of, start, body: Fact(
        id_, source, controller_id=controller, as_of=as_of, period=Period(start), **body
    ),
    _ids,
    _sources,
    st.sampled_from(("", *CONTROLLERS)),
    _instants,
    _instants,
    _bodies,
)
_marks = st.builds(
    Watermark, _sources, st.just(("alias",)) | st.just(("directive", "stay")), st.integers(NOON - MINUTE, NOON + MINUTE)
)


def _coherent(change: FactsChange) -> FactsChange:
    """The change with each key said once, and watermarks of each source once."""
    facts = {(fact.controller_id or change.controller_id, fact.source, fact.id): fact for fact in change.facts}
    gone = {(gone.source, gone.id): gone for gone in change.retract}
    kept = [gone for (source, id_), gone in gone.items() if (change.controller_id, source, id_) not in facts]
    marks = {(mark.source, mark.kinds): mark for mark in change.watermarks}
    return replace(change, facts=tuple(facts.values()), retract=tuple(kept), watermarks=tuple(marks.values()))


def _numbered(parts: list[tuple[list[Fact], list[Retraction], list[Watermark], str]], tenant: str) -> list[FactsChange]:
    return [
        _coherent(
            a_change(number, *facts, retract=tuple(gone), watermarks=tuple(marks), controller=controller, tenant=tenant)
        )
        for number, (facts, gone, marks, controller) in enumerate(parts, 1)
    ]


def histories(tenant: str = "t1", most: int = 8) -> st.SearchStrategy[list[FactsChange]]:
    """Changes of one tenant, in order."""
    part = st.tuples(
        st.lists(_facts, max_size=4),
        st.lists(st.builds(Retraction, _sources, _ids), max_size=2),
        st.lists(_marks, max_size=2),
        st.sampled_from(CONTROLLERS),
    )
    return st.lists(part, min_size=1, max_size=most).map(lambda parts: _numbered(parts, tenant))
