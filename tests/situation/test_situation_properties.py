"""What holds of every situation, whatever is known."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar.core.bundle import FOREVER
from sidecar.core.model import References, Scope, Target
from sidecar.core.situation import LIFECYCLES
from sidecar.core.vocabulary import NOUNS
from tests.situation.builders import (
    CONTROLLER,
    DAY,
    FEED,
    HOUR,
    NOW,
    alias,
    asking,
    assignment,
    contract,
    delegation,
    directive,
    grant,
    record,
    relation,
    situation,
    stay,
)

SOME = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
INSTANTS = st.sampled_from(
    [None, *(NOW + hours * HOUR for hours in (-2400, -800, -240, -48, -24, -3, -1, 0, 1, 2, 24, 36, 240))]
)
PATIENTS, PEOPLE, UNITS = (
    st.sampled_from(["P1", "P1", "P2"]),
    st.sampled_from(["dr-card", "dr-b", "s-card"]),
    st.sampled_from(["UF-CARD", "UF-REA"]),
)
SCOPES = st.builds(
    Scope,
    categories=st.sampled_from([(), (), ("cr",), ("biologie",)]),
    documents=st.sampled_from([(), (), ("doc-1",), ("doc-2",)]),
    stay_id=st.sampled_from(["", "", "S-1"]),
)
TARGETS = st.sampled_from(
    [
        Target(everyone=True), Target(subject_id="dr-card"), Target(subject_id="dr-b"), Target(profession="60"),
        Target(structure="S1"), Target(unit="UF-REA"),
    ]
)  # fmt: skip


def facts_of(**changed):
    """Facts of every kind in any period, as old as any; `changed` fixes a field of all."""
    common = {
        "start": INSTANTS,
        "end": INSTANTS,
        "as_of": st.sampled_from([NOW - hours * HOUR for hours in (0, 0, 3, 23, 24, 167, 168)]),
        "id": st.integers(0, 10**9).map(str),
        "source": st.sampled_from([FEED, "other"]),
    }
    common |= {name: st.just(value) for name, value in changed.items()}
    about = common | ({} if "patient_id" in changed else {"patient_id": PATIENTS})
    about = about | ({"patient_id": st.just(changed["patient_id"])} if "patient_id" in changed else {})
    staff = {name: value for name, value in common.items() if name != "patient_id"}
    return st.one_of(
        st.builds(
            stay,
            **about,
            unit=UNITS,
            status=st.sampled_from(["active", "active", "planned", "cancelled"]),
            stay_id=st.sampled_from(["", "S-1"]),
            responsible_id=st.one_of(st.just(""), PEOPLE),
        ),
        st.builds(
            relation,
            st.sampled_from(["REL_TEAM", "REL_APPT", "REL_REQ", "REL_TICKET"]),
            **about,
            subject_id=st.one_of(st.just(""), PEOPLE),
            unit=st.one_of(st.just(""), UNITS),
            scope=SCOPES,
            ref=st.sampled_from(["", "T-1"]),
            requester_id=st.one_of(st.just(""), PEOPLE),
        ),
        st.builds(
            directive,
            st.sampled_from(["mask", "block", "opposition"]),
            **about,
            target=TARGETS,
            scope=SCOPES,
            except_=st.sampled_from([(), ("dr-card",)]),
            modes=st.sampled_from([(), ("normal",), ("bris_de_glace",)]),
        ),
        st.builds(
            record,
            **about,
            death_date=st.sampled_from(["", "2026-03-09", "2026-02-07"]),
            last_care=st.sampled_from([None, NOW - 7305 * DAY + 5 * HOUR]),
            lifecycle=st.sampled_from(["", "gele", "actif"]),
            flags=st.sampled_from([(), ("detenu",), ("litige",)]),
        ),
        st.builds(
            alias, st.sampled_from(["merge", "unmerge"]), st.just("P2"), **common | {"patient_id": st.just("P1")}
        ),
        st.builds(alias, st.just("same_person"), PEOPLE, **about),
        st.builds(
            assignment,
            **staff,
            subject_id=PEOPLE,
            unit=UNITS,
            on_call=st.booleans(),
            profile=st.sampled_from(["medecin", "infirmier"]),
        ),
        st.builds(
            delegation,
            **staff,
            from_subject_id=st.just("dr-b"),
            to_subject_id=PEOPLE,
            categories=st.sampled_from([(), ("cr",)]),
            documents=st.sampled_from([("doc-1",), ("doc-2",)]),
        ),
        st.builds(contract, **staff, approved=st.booleans()),
    )


FACTS = st.lists(facts_of(), max_size=8)
REQUESTS = st.builds(
    lambda emergency, author, unit, masked, lifecycle, made, senior: asking(
        subject={"supervised_by": senior, "structure": "PR1", "valid_until": NOW + 5 * HOUR},
        resource={
            "author": author, "unit": unit, "masked_for": masked, "lifecycle": lifecycle, "created_at": made,
        },
        context={
            "access_mode": "bris_de_glace" if emergency else "normal", "grant": "g1", "refs": References(ticket="T-1"),
        },
    ),
    st.booleans(),
    st.sampled_from(["", "dr-card", "dr-b"]),
    UNITS,
    st.sampled_from([None, (), ("unit:UF-REA",)]),
    st.sampled_from([None, "actif"]),
    st.sampled_from([None, NOW - 30 * DAY]),
    st.sampled_from(["", "dr-b"]),
)  # fmt: skip
MARKS = st.dictionaries(
    st.tuples(
        st.just(CONTROLLER),
        st.sampled_from(["dpi", FEED]),
        st.sampled_from(["directive", "record_state", "alias", "stay", "assignment", "relation"]),
    ),
    st.sampled_from([NOW, NOW - 3 * HOUR, NOW - 23 * HOUR, NOW - 24 * HOUR, NOW - 99 * DAY]),
)
ARGUMENTS = {"int": 30, "str": "psy", "strs": "psy", "purpose": "soins"}
CHOSEN = {"flags": "detenu", "settings": "adm_mfa", "references": "ticket"}
KNOWN = {"grants": (grant(),)}
TIMELESS = {"unrelated", "ungranted", "unconsented"}  # nothing ends them
SPARING = {*TIMELESS, "in_use", "unmarked", "unwilled"}
WORDS = [(noun, name) for noun, words in NOUNS.items() for name in words]


def asked_of(facts, request, now=NOW, **known):
    """The situation, where the delegator may do whatever is asked."""
    made = situation(*facts, request=request, now=now, told=NOW, **KNOWN | known)
    made.delegate = lambda outer, request: True
    return made


def answer(made, noun, name):
    """What one word says."""
    held, word = getattr(getattr(made, noun), name), NOUNS[noun][name]
    if word.args is None:
        return held
    values = ARGUMENTS | ({"str": CHOSEN[word.names]} if word.names in CHOSEN else {})
    return held(*(made.resource if kind == "resource" else values[kind] for kind in word.args))


def answers(made):
    """What every word says."""
    return {f"{noun}.{name}": answer(made, noun, name) for noun, name in WORDS}


def of_kind(kind, said):
    return {
        f"{noun}.{name}": said[f"{noun}.{name}"]
        for noun, words in NOUNS.items()
        for name, word in words.items()
        if word.kind == kind
    }


@SOME
@given(FACTS, REQUESTS, MARKS, st.booleans(), st.sampled_from([None, *LIFECYCLES]))
def test_a_word_that_is_false_before_it_is_asked_would_have_been_false_and_rested_on_the_same(
    facts, request, marks, named, lifecycle
):
    resource = replace(request.resource, lifecycle=lifecycle)
    request = replace(
        request, resource=resource, context=request.context if named else replace(request.context, grant="")
    )
    spared = [
        (noun, name, word.without) for noun, words in NOUNS.items() for name, word in words.items() if word.without
    ]
    assert {without for _, _, without in spared} == SPARING
    for noun, name, without in spared:
        spare, asked = (asked_of(facts, request, marks=marks) for _ in range(2))
        if getattr(spare, without):
            assert answer(asked, noun, name) is False, name
            assert spare.relied == asked.relied, name
            assert spare.ends == asked.ends or without in TIMELESS, name
            assert not asked.unknown


@SOME
@given(FACTS, REQUESTS, MARKS, st.data())
def test_no_word_changes_before_the_instant_it_is_said_to_end(facts, request, marks, data):
    made = asked_of(facts, request, marks=marks)
    first = answers(made)
    assert made.ends > NOW
    last = min(made.ends - 1, NOW + 30 * DAY)
    for at in (last, data.draw(st.integers(NOW, last))):
        assert answers(asked_of(facts, request, now=at, marks=marks)) == first


@SOME
@given(FACTS, REQUESTS, MARKS, st.data())
def test_a_word_asked_alone_says_the_same_and_ends_no_later_than_it_changes(facts, request, marks, data):
    all_of_them = answers(asked_of(facts, request, marks=marks))
    for noun, name in WORDS:
        alone = asked_of(facts, request, marks=marks)
        assert answer(alone, noun, name) == all_of_them[f"{noun}.{name}"]
        at = min(alone.ends - 1, NOW + 30 * DAY)
        assert answer(asked_of(facts, request, now=at, marks=marks), noun, name) == all_of_them[f"{noun}.{name}"], name


@SOME
@given(FACTS, REQUESTS, MARKS, st.lists(facts_of(controller_id="C2"), min_size=1, max_size=4))
def test_what_another_controller_knows_of_its_patients_changes_nothing(facts, request, marks, foreign):
    foreign = [each for each in foreign if each.kind not in ("assignment", "delegation", "contract")]
    assert answers(asked_of(facts + foreign, request, marks=marks)) == answers(asked_of(facts, request, marks=marks))


@SOME
@given(FACTS, REQUESTS, MARKS, st.lists(facts_of(patient_id="P9"), min_size=1, max_size=4))
def test_what_is_known_of_another_patient_changes_nothing(facts, request, marks, foreign):
    foreign = [each for each in foreign if each.kind not in ("assignment", "delegation", "contract", "alias")]
    foreign += [alias("same_person", "dr-card", patient_id="P9")]
    assert answers(asked_of(facts + foreign, request, marks=marks)) == answers(asked_of(facts, request, marks=marks))


@SOME
@given(FACTS, REQUESTS)
def test_a_fact_past_its_age_limit_gives_no_ground(facts, request):
    """Left out or too old: whatever permits is the same. Merges have no age limit, and are the same in both."""
    aged = [each for each in facts if each.kind not in ("alias", "directive")]
    kept = [each for each in facts if each.kind in ("alias", "directive")]
    ancient = [replace(each, as_of=NOW - 400 * DAY) for each in aged]
    permitting = {
        name: said
        for name, said in of_kind("ground", answers(asked_of(kept + ancient, request, marks={}))).items()
        if said is True
    }
    bare = of_kind("ground", answers(asked_of(kept, request, marks={})))
    assert {name: bare[name] for name in permitting} == permitting


@SOME
@given(FACTS, REQUESTS, MARKS, st.data())
def test_taking_a_watermark_away_never_makes_a_prohibition_known_absent(facts, request, marks, data):
    before = of_kind("restriction", answers(asked_of(facts, request, marks=marks)))
    fewer = {key: mark for key, mark in marks.items() if data.draw(st.booleans())}
    after = of_kind("restriction", answers(asked_of(facts, request, marks=fewer)))
    for name, said in after.items():
        # A claim that nobody vouches for any more does not suspend expiry: the record is expired, not archived.
        if said is False and not (name == "resource.archived" and after["resource.expired"]):
            assert before[name] is False, name


@SOME
@given(FACTS, REQUESTS, MARKS, facts_of().filter(lambda each: each.kind in ("directive", "record_state")))
def test_one_more_prohibition_never_makes_another_absent(facts, request, marks, more):
    before = of_kind("restriction", answers(asked_of(facts, request, marks=marks)))
    after = of_kind("restriction", answers(asked_of([*facts, more], request, marks=marks)))
    # A later last care or a claim keeps a record from falling due; a date of death says how long ago it was not.
    told = {"resource.expired", "resource.archived", "patient.deceased_since_more_than"}
    names = set(after) - (told if more.kind == "record_state" else set())
    for name in names:
        if after[name] is False:
            assert before[name] is False, name


@SOME
@given(FACTS, REQUESTS, MARKS)
def test_a_lenient_reading_differs_only_where_a_prohibition_was_unknown(facts, request, marks):
    strict, loose = asked_of(facts, request, marks=marks), asked_of(facts, request, marks=marks, lenient=True)
    one, other = answers(strict), answers(loose)
    changed = {name for name in one if one[name] != other[name]}
    assert all(one[name] is None and other[name] is False for name in changed)
    assert changed == set(of_kind("restriction", one)) & {name for name in one if one[name] is None}
    assert set(strict.unknown) == set(loose.unknown)


@SOME
@given(FACTS, REQUESTS, MARKS)
def test_taking_the_will_away_only_loosens_the_patients_will(facts, request, marks):
    made = asked_of(facts, request, marks=marks)
    plain = made.without_will()
    one, other = answers(made), answers(plain)
    will = {"resource.masked_for_subject", "patient.blocked_subject", "patient.opposed_to_subject"}
    through = {"subject.delegation_covers", "subject.delegated_for"}  # a refused delegator is no delegator
    assert {name for name in one if one[name] != other[name]} <= will | through
    assert not any(other[name] is True for name in will)
    for name in will:
        if other[name] is None:
            assert one[name] is not False


@SOME
@given(FACTS, REQUESTS, MARKS, st.booleans())
def test_two_names_of_one_patient_get_the_same_answers(facts, request, marks, turned):
    """While P1 and P2 are merged, asking about either is asking about both."""
    facts = [each for each in facts if each.alias is None or each.alias.kind == "same_person"]
    facts.append(alias("merge", "P1", patient_id="P2") if turned else alias("merge", "P2"))
    other = replace(request, resource=replace(request.resource, patient_id="P2"))
    assert answers(asked_of(facts, request, marks=marks)) == answers(asked_of(facts, other, marks=marks))


@SOME
@given(FACTS, REQUESTS, MARKS)
def test_what_an_answer_rests_on_is_known_once_and_in_force_or_told(facts, request, marks):
    made = asked_of(facts, request, marks=marks)
    answers(made)
    assert len({id(known) for known in made.relied}) == len(made.relied)
    assert made.ends <= FOREVER
    assert all(known.fact in facts for known in made.relied)
