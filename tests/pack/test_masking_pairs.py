"""What the patient keeps from somebody leaves no trace for them: pairs of questions that differ in nothing else.

Each pair goes through the real corridor and the bytes of the wire, and must be answered alike, apart from ids, after
trying as many rows and reading as many facts. Who was refused anyway sees the refusal there was; who would have been
permitted sees one and the same refusal, whatever it is that the patient wills.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from msgspec.structs import replace

from sidecar.core.model import Directive, Fact, Period, Scope, Target
from sidecar.v1 import access_pb2
from tests.differential.campaign import cases
from tests.differential.chance import CONTROLLER
from tests.differential.hospital import a_service, at_work, the_hospital
from tests.differential.packs import Written
from tests.differential.worlds import Case
from tests.pack.pairs import Corridor, Said, tagged, unwilled, willed, with_facts

LONGER = 10 if os.environ.get("SOAK") else 1
SEEDS, EACH = 70 * LONGER, 5
TAGS = ("psy", "vih", "secret_mineur")
DOCUMENTS = ("doc-1", "doc-2", "doc-3")


@cache
def questions() -> list[Case]:
    """Questions to the hospital about a patient, in worlds where nothing is kept from anybody; some permitted."""
    oracle = the_hospital().read()
    work, found = at_work(oracle), []
    for seed in range(SEEDS):
        random = Random(seed)
        setting = replace(a_service(oracle, work, random), unusual=0.06, edges=0.25)
        for case in cases(random, setting, EACH):
            plain = unwilled(case)
            if case.opening is None and plain.request.resource.patient_id:
                found.append(plain)
    return found


@pytest.fixture(scope="module")
def corridor() -> Corridor:
    return Corridor(the_hospital().compiled())


def pairs(corridor: Corridor) -> Iterator[tuple[str, Said, Said]]:
    """Every pair: what the patient wills, the answer without it, the answer with it."""
    for plain in questions():
        without = corridor.ask(plain)
        for name, case in willed(plain).items():
            yield name, without, corridor.ask(case)


def reason(said: Said) -> str:
    return access_pb2.CheckAccessResponse.FromString(said.said).reason


def test_a_refusal_is_the_same_to_the_byte_whatever_the_patient_wills(corridor, capsys):
    tried: Counter[str] = Counter()
    for name, without, said in pairs(corridor):
        if not without.permits:
            tried[name] += 1
            assert said.said == without.said, (name, reason(without), reason(said))
    with capsys.disabled():
        print(f"\n  {tried.total()} pairs of refusals, {len(tried)} wills")
    assert min(tried.values()) >= 100


def test_a_refusal_takes_as_many_rows_and_facts_whatever_the_patient_wills(corridor):
    for name, without, said in pairs(corridor):
        if not without.permits:
            assert (said.rows, said.facts) == (without.rows, without.facts), (name, reason(without))


def test_who_would_be_permitted_is_refused_in_one_way_whatever_the_patient_wills(corridor, capsys):
    shut: Counter[str] = Counter()
    for plain in questions():
        if corridor.ask(plain).permits:
            refused = {name: said for name, case in willed(plain).items() if not (said := corridor.ask(case)).permits}
            shut.update(refused.keys())
            assert len({said.said for said in refused.values()}) <= 1, list(refused)
    with capsys.disabled():
        print(f"\n  {shut.total()} permits shut: {dict(shut)}")
    assert shut["mask for everyone"] and shut["block"] and shut["opposition"] and shut["mask the request states"]


def test_a_sensitive_tag_tells_nobody_who_was_refused_without_it(corridor, capsys):
    tried = 0
    for plain in questions():
        without = corridor.ask(plain)
        for tag, case in tagged(plain, TAGS).items():
            said = corridor.ask(case)
            # Who may read a tagged object alone, such as one's own notes of a specialty, is permitted by the tag.
            if not without.permits and not said.permits:
                tried += 1
                assert said.said == without.said, (tag, reason(without), reason(said))
    with capsys.disabled():
        print(f"\n  {tried} pairs of refusals")
    assert tried >= 100


def test_a_masked_document_changes_nothing_of_what_is_said_of_the_others_in_a_list(corridor):
    lists = shut = 0
    for plain in questions():
        asked = [replace(plain.request, resource=replace(plain.request.resource, id=name)) for name in DOCUMENTS]
        before = corridor.ask_all(plain, asked)
        after = corridor.ask_all(masking(plain, DOCUMENTS[0]), asked)
        lists += 1
        shut += before[0].permits and not after[0].permits
        assert [each.said for each in after[1:]] == [each.said for each in before[1:]]
        assert before[0].permits or after[0].said == before[0].said
        assert before[0].permits or (after[0].rows, after[0].facts) == (before[0].rows, before[0].facts)
    assert (lists >= 100, shut > 0) == (True, True)


def masking(case: Case, document: str) -> Case:
    """The case in which the patient masks one document."""
    mask = Directive(
        "mask", case.request.resource.patient_id, target=Target(everyone=True), scope=Scope((), (document,))
    )
    fact = Fact("will", "dpi", CONTROLLER, case.now, Period(case.now - 10), directive=mask)
    return replace(case, world=with_facts(case.world, iter((*case.world.facts, fact))))


def test_without_the_concealment_the_pairs_are_told_apart(capsys):
    """The twin: with the pack's `mask_disclosure` on, some strangers see that the patient willed something."""
    written = the_hospital()
    settings = dict(written.parameters["settings"])
    settings["mask_disclosure"] = {**settings["mask_disclosure"], "value": "type"}
    telling = Corridor(Written({**written.parameters, "settings": settings}, written.files).compiled())
    apart: Counter[str] = Counter()
    for name, without, said in pairs(telling):
        apart[name] += not without.permits and said.said != without.said
    with capsys.disabled():
        print(f"\n  told apart: {apart.total()} pairs, {dict(apart)}")
    assert apart.total() > 0
