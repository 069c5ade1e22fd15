"""A story is read strictly: whatever is wrong is said with its file, its line and what to do."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.authoring import story_reading, yaml_lines
from sidecar.authoring.core_asker import run_pack
from sidecar.core import instants
from sidecar.core.model import Fact, Request
from sidecar.errors import PolicyFault
from tests.stories import hospital

HEAD = """\
story: A story.
pack: hospital
now: 2026-03-10T10:00:00+01:00
facts:
  - {id: s1, source: adt, stay: {patient_id: P1, unit: UF-CARD, status: active}}
ask:
"""
EMPTY = HEAD + "  []\n"
NOW = "2026-03-10T10:00:00+01:00"
ASK = "{subject: {id: dr, profile: medecin}, action: read, resource: {patient_id: P1, category: cr}, purpose: soins}"


def read(text: str):
    return story_reading.read(text, "a.yaml", hospital.pack().pack)


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyFault) as refused:
        read(text)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("story: [", "a.yaml:2: not YAML: did not find expected node content"),
        ("", "a.yaml:1: the file is empty"),
        ("story: A\nstory: B\n", "a.yaml:2: `story` is said twice"),
        ("story: !!python/name:os.system ''\n", "a.yaml:1: no tag is read here: `tag:yaml.org,2002:python"),
        ("story: A\n", "a.yaml:1: Object missing required field `pack` - at `$`"),
        (HEAD + "  - {request: " + ASK + "}\ncolour: red\n", "a.yaml:8: Object contains unknown field `colour`"),
        (EMPTY.replace(NOW, "yesterday"), "a.yaml:3: not an RFC 3339 instant"),
        (EMPTY.replace(NOW, "2026-03-10T10:00:00"), "a.yaml:3: not an RFC 3339 instant"),
        (EMPTY.replace("active", "open"), "a.yaml:5: Invalid enum value 'open' - at `$.facts[0].stay"),
        (EMPTY.replace("unit: UF-CARD", "ward: UF-CARD"), "a.yaml:5: Object contains unknown field `ward`"),
        (EMPTY.replace("pack: hospital", "pack: clinic"), "a.yaml:2: a story of `clinic`, read with `hospital`"),
        (EMPTY + "complete: [stays]\n", "a.yaml:8: unknown kind of fact `stays`: one of assignment"),
        (EMPTY + "settings: {colour: red}\n", "a.yaml:8: the pack has no setting `colour`"),
        (HEAD + "  - {}\n", "a.yaml:7: a step is exactly one of request, open, close, review, write, batch"),
        (HEAD + "  - {request: " + ASK + ", write: []}\n", "a.yaml:7: a step is exactly one of request"),
        (HEAD + "  - {review: {grant: g1}}\n", "a.yaml:7: Object missing required field `id` - at `$.ask[0].review"),
        (
            HEAD + "  - {review: {subject: {id: a, profile: reviewer_bg}, grant: g1, verdict: bien}}\n",
            "a.yaml:7: Invalid enum value 'bien' - at `$.ask[0].review.verdict`",
        ),
        (HEAD + "  - request: {subject: {id: 7, profile: medecin}}\n", "a.yaml:7: "),
        (
            HEAD + "  - request:\n      " + ASK.replace("id: dr", "id: 7") + "\n",
            "a.yaml:8: Expected `str`, got `int` - at `$.ask[0].request.subject.id`",
        ),
        (HEAD + "  - {request: " + ASK + ", expect: {effect: MAYBE}}\n", "a.yaml:7: Invalid enum value 'MAYBE'"),
        (HEAD + "  - {request: " + ASK + ", expect: {resaon: X}}\n", "a.yaml:7: Object contains unknown field"),
        (HEAD + "  - {caller: {nickname: x}, request: " + ASK + "}\n", "a.yaml:7: Object contains unknown"),
        (HEAD + "  - {write: [{id: f, source: s}]}\n", "a.yaml:7: a fact has exactly one of assignment"),
        (HEAD + "  - {write: [{watermark: {source: s, kinds: [mask], complete_until: 2026-03-10T10:00:00Z}}]}\n",
         "a.yaml:7: unknown kind of fact `mask`"),
        (HEAD + "  - {at: 2026-03-10T09:59:59+01:00, request: " + ASK + "}\n", "a.yaml:7: instants never go back"),
        (HEAD + "  - {batch: {subject: {id: d, profile: medecin}, purpose: soins, patient_id: P1}}\n",
         "a.yaml:7: items are a list of action and resource - at `$.ask[0].batch.items`"),
        (HEAD + "  - {batch: {items: [], semantics: all}}\n", "a.yaml:7: semantics are execute_all or"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_line(text, said):
    assert [fault for fault in faults(text) if fault.startswith(said)], faults(text)


def test_every_fault_of_a_file_is_said_at_once():
    text = HEAD + "  - {}\n  - {review: {}}\n  - {request: " + ASK.replace("id: dr", "id: [dr]") + "}\n"
    assert [fault.split(":")[1] for fault in faults(text)] == ["7", "8", "9"]


def told(first: str, second: str, between: str = "", flip: int = 0) -> str:
    return (
        f"{HEAD}  - {{{first}, expect: {{effect: PERMIT}}}}\n{between}"
        f"  - {{{second}, expect: {{effect: DENY}}, flip_of: {flip}}}\n"
    )


@pytest.mark.parametrize(
    ("second", "between", "flip"),
    [
        ("request: " + ASK.replace("soins}", "coordination}"), "", 0),
        ("request: " + ASK.replace("profile: medecin", "profile: infirmier"), "", 0),
        ("request: " + ASK.replace("profile: medecin", "profile: medecin, status: null"), "", 0),
        ("request: " + ASK.replace("action:", "device: null, action:"), "", 0),
        ("caller: {channel: portal}, request: " + ASK, "", 0),
        ("at: 2026-03-10T10:00:01+01:00, request: " + ASK, "", 0),
        (
            "request: " + ASK,
            "  - {write: [{id: s1, source: adt, stay: {patient_id: P1, unit: U, status: active}}]}\n",
            0,
        ),
    ],
)
def test_a_flip_changes_one_attribute_one_instant_or_one_fact(second, between, flip):
    assert read(told("request: " + ASK, second, between, flip)).steps[-1].flip_of == flip


@pytest.mark.parametrize(
    ("second", "between", "flip", "said"),
    [
        ("request: " + ASK, "", 0, "this one changes nothing"),
        (
            "request: " + ASK.replace("soins}", "audit}").replace("read", "list"),
            "",
            0,
            "this one changes action, purpose",
        ),
        (
            "at: 2026-03-10T10:00:01+01:00, request: " + ASK.replace("category: cr", "category: notes"),
            "",
            0,
            "this one changes resource.category, the instant",
        ),
        (
            "request: " + ASK.replace("category: cr", "category: notes"),
            "  - {write: [{id: s9, source: adt, stay: {patient_id: P1, unit: U, status: active}}]}\n",
            0,
            "this one changes resource.category, fact `s9`",
        ),
        ("request: " + ASK.replace("soins}", "audit}"), "", 1, "flips an ask told before it, counted from 0"),
    ],
)
def test_a_flip_that_changes_anything_else_is_refused(second, between, flip, said):
    assert [fault for fault in faults(told("request: " + ASK, second, between, flip)) if said in fault]


def test_a_flip_that_expects_the_same_is_none():
    text = told("request: " + ASK, "request: " + ASK.replace("read", "list")).replace("DENY", "PERMIT")
    assert "so it flips nothing" in faults(text)[0]


def test_a_story_says_what_it_does_not_say_by_its_defaults():
    step = read(HEAD + "  - {request: " + ASK + "}\n").steps[0]
    request = step.what
    assert isinstance(request, Request)
    assert (request.subject.account_type, request.subject.status, request.subject.kind) == (
        "nominatif",
        "actif",
        "professionnel",
    )
    authentication, device = request.authentication, request.device
    assert authentication is not None
    assert device is not None
    assert (authentication.mfa, authentication.idle_s, authentication.remote) == (True, 0, "none")
    assert authentication.time == step.at
    assert (device.class_, device.managed, device.compromised) == ("workstation", True, False)
    assert (request.resource.tags, request.resource.controller_id) == ((), "hospital")
    assert (step.caller.id, step.caller.channel, step.caller.hds) == ("dpi", "dpi", "certified")


def test_null_takes_a_default_away():
    ask = ASK.replace("profile: medecin", "profile: medecin, account_type: null").replace(
        "category: cr", "category: cr, tags: null"
    )
    request = (
        read(HEAD + "  - {request: " + ask.replace("action:", "authentication: null, action:") + "}\n").steps[0].what
    )
    assert isinstance(request, Request)
    assert (request.subject.account_type, request.resource.tags, request.authentication) == ("", None, None)


def test_an_answer_that_is_not_as_told_is_a_failure_with_its_line():
    story = read(
        HEAD
        + "  - request: "
        + ASK
        + "\n    expect: {effect: PERMIT, reason: ALLOW_CARE_TEAM, obligations: [LOG_FULL]}\n"
    )
    failures = [str(failure) for failure in run_pack(hospital.pack(), [story]).failures]
    assert failures[0].startswith("a.yaml:7: ask 0: expected effect PERMIT, got DENY (reason NO_RELATIONSHIP")
    assert len(failures) == 3


def test_nothing_more_refuses_obligations_and_advice_that_are_not_named():
    asked = HEAD + "  - request: " + ASK.replace("action:", "authentication: {mfa: false}, action:")
    for named, failures in (("obligations: [STEP_UP], nothing_more: true", 0), ("nothing_more: true", 1)):
        story = read(f"{asked}\n    expect: {{reason: MFA_REQUIRED, {named}}}\n")
        found = [str(failure) for failure in run_pack(hospital.pack(), [story]).failures]
        assert [text.split(": ")[-1] for text in found] == ["expected no other obligation, got STEP_UP"][:failures]


def test_a_call_that_is_refused_where_the_story_expects_an_answer_is_a_failure():
    for expect in ("", ", expect: {effect: PERMIT}"):
        story = read(HEAD + "  - {request: " + ASK.replace("patient_id: P1, ", "") + expect + "}\n")
        assert "INVALID_ARGUMENT" in str(run_pack(hospital.pack(), [story]).failures[0])


@given(st.text(alphabet="{}[]:,-&*!'\"\n #abc01~", max_size=80))
def test_no_text_at_all_makes_the_reader_do_anything_but_read_or_refuse(text):
    for whole in (text, HEAD + "  - " + text):
        try:
            read(whole)
        except PolicyFault as refused:
            assert all(fault.line >= 1 for fault in refused.faults)


def test_plain_words_stay_words():
    document = yaml_lines.read("{a: yes, b: 007, c: 2026-03-01, d: 7, e: true, f: null, g: 12h, h: 1_000}", "x")
    assert document.value == {
        "a": "yes",
        "b": "007",
        "c": "2026-03-01",
        "d": 7,
        "e": True,
        "f": None,
        "g": "12h",
        "h": "1_000",
    }


def test_aliases_that_unfold_without_end_are_refused():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(PolicyFault, match="aliases may not repeat without end"):
        yaml_lines.read(bomb, "x")


def test_an_instant_in_json_is_text_with_an_offset_and_nothing_else():
    fact = {"id": "s1", "source": "adt", "stay": {"patient_id": "P1", "unit": "U", "status": "active"}}
    said = "2026-03-01T22:00:00+01:00"
    decoded = instants.decode(Fact, {**fact, "period": {"from": said}, "as_of": "2026-03-01T21:00:00.5Z"})
    assert decoded.period.from_ == instants.parse(said) == 1_772_398_800_000_000
    assert decoded.as_of == decoded.period.from_ + instants.SECOND // 2
    for wrong in (1772398800, "2026-03-01T22:00:00", "2026-03-01", "2026-W09-7T22:00:00Z", "2026-02-30T00:00:00Z", ""):
        with pytest.raises(msgspec.ValidationError, match=r"at `\$\.facts\[3\]\.period\.from`"):
            instants.decode(Fact, {**fact, "period": {"from": wrong}}, "$.facts[3]")
