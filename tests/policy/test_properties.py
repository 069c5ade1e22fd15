"""What must hold for any rows: order and repetition mean nothing, a prohibition never permits, text never crashes."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.authoring import bundle
from sidecar.authoring.bundle import Bundle
from sidecar.core import casbin_text, generated
from sidecar.core.model import Effect
from sidecar.errors import PolicyFault
from tests.policy.lighthouse import (
    CALLER,
    NOUNS,
    NOW,
    SHIPPED,
    WORDS,
    Said,
    a_board,
    a_policy,
    a_request,
    a_snapshot,
    decide,
    edited,
)
from tests.policy.test_pycasbin import REQUESTS, Row, worlds

RULES = [name for name in SHIPPED.files if name.startswith("rules/")]
QUESTIONS = [
    a_request(profile, category, action, purpose)
    for profile in ("gardien", "plongeur")
    for category in ("carte", "journal")
    for action in ("read", "write")
    for purpose in ("veille", "vente")
]
WHENS = st.sampled_from(
    [
        "True",
        "r.subject.near",
        "!r.subject.senior",
        "r.resource.old && r.subject.author",
        "r.resource.frozen || !r.resource.tagged(" + '"rouge")',
        "r.subject.away || r.subject.acts_for(r.resource)",
    ]
)
DENIES = st.builds(
    "p, {}, {}, {}, {}, {}, {}, deny, {}, -, S-1\n".format,
    st.sampled_from(["G-SUB-5", "G-LIFE-2", "G-WILL-9", "A-7-1"]),
    st.sampled_from(["tous", "humain", "gardien", "plongeur"]),
    st.sampled_from(["tout", "papiers", "carte"]),
    st.sampled_from(["toute_action", "lecture", "write"]),
    st.sampled_from(["tout_motif", "service", "veille"]),
    WHENS,
    st.sampled_from(["AWAY", "FROZEN", "HIDDEN", "COSIGN"]),
).filter(lambda row: _case(row) not in SHIPPED.files["rules/grounds.csv"])


def _case(row: str) -> str:
    """Where and when a refusal applies; one in the place and case of a row that allows is refused with the pack."""
    return row.split(", ", 2)[2].partition(", deny,")[0]


def shuffled(seed: int) -> Bundle:
    """The same rows, some of them twice, in another order and spread over other files."""
    source = random.Random(seed)
    rows = [row for name in RULES for row in SHIPPED.files[name].split("\n") if row and not row.startswith("#")]
    rows += source.sample(rows, 5)
    source.shuffle(rows)
    half = len(rows) // 2
    edits = dict.fromkeys(RULES, "") | {RULES[0]: "\n".join(rows[:half]), RULES[1]: "\n".join(rows[half:])}
    links = SHIPPED.files["roles.csv"].split("\n")
    source.shuffle(links)
    return edited({**edits, "roles.csv": "\n".join(link for link in links if not link.startswith("#"))})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 16), REQUESTS, worlds(unknown=2))
def test_order_and_repetition_of_rows_mean_nothing(seed, request, answers):
    assert decide(answers, request, pack=shuffled(seed)) == decide(answers, request)


@settings(max_examples=60, deadline=None)
@given(DENIES, worlds(unknown=2))
def test_a_prohibition_added_turns_no_refusal_into_a_permit(row, answers):
    more = edited({"rules/gates.csv": lambda text: text + row})
    before, after = a_policy(answers), a_policy(answers, more)
    assert not newly_permitted(before, after)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 16), worlds(unknown=2))
def test_a_ground_or_a_cell_removed_turns_no_refusal_into_a_permit(seed, answers):
    name = ("rules/grounds.csv", "rules/matrix.csv")[seed % 2]
    rows = [row for row in SHIPPED.files[name].split("\n") if row]
    allowing = [row for row in rows if ", allow," in row]
    gone = allowing[seed // 2 % len(allowing)]
    less = edited({name: "\n".join(row for row in rows if row != gone)})
    assert not newly_permitted(a_policy(answers), a_policy(answers, less))


def newly_permitted(before, after) -> list:
    return [
        question
        for question in QUESTIONS
        if before.evaluate(question, CALLER, "c1", a_snapshot(), NOW).effect is Effect.DENY
        and after.evaluate(question, CALLER, "c1", a_snapshot(), NOW).effect is Effect.PERMIT
    ]


@settings(max_examples=60, deadline=None)
@given(REQUESTS, worlds(unknown=2), st.lists(st.sampled_from(["resource.frozen", "patient.blocked", "subject.away"])))
def test_knowing_less_of_a_restriction_never_permits_more(request, answers, forgotten):
    less = {**answers, **dict.fromkeys(forgotten)}
    if decide(less, request).effect is Effect.PERMIT:
        assert decide(answers, request).effect is Effect.PERMIT


@settings(max_examples=40, deadline=None)
@given(
    REQUESTS, worlds(unknown=1), st.sampled_from(["subject.named", "resource.frozen", "subject.near", "resource.old"])
)
def test_a_word_that_raises_never_permits_more(request, answers, word):
    broken = decide({**answers, word: ZeroDivisionError()}, request)
    if broken.effect is Effect.PERMIT:
        assert decide(answers, request).effect is Effect.PERMIT
    else:
        assert broken.reason == "POLICY_ERROR" or broken.reason == decide(answers, request).reason


# ---- any text at all

NOISE = st.text(
    st.one_of(
        st.sampled_from(list(",.()[]{}\"'#!&|= \t\r\n-_pgr23TF\\`;:\x00\x85\u2028é")), st.characters(codec="utf-8")
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SHIPPED.files)), st.integers(0, 1 << 16), st.integers(0, 30), NOISE)
@example("rules/gates.csv", 3, 0, "(" * 500 + ")" * 500)
@example("rules/gates.csv", 0, 0, "p, " + "!" * 1900 + "True")
@example("pack.toml", 0, 0, "a = " + "[" * 3000)
@example("roles.csv", 0, 0, "".join(f"g, n{n}, n{n + 1}\n" for n in range(3000)))
def test_damaged_text_is_a_fault_with_file_and_line_or_a_pack_never_a_crash(file, place, removed, noise):
    text = SHIPPED.files[file]
    at = place % (len(text) + 1)
    files = {**SHIPPED.files, file: text[:at] + noise + text[at + removed :]}
    try:
        a_policy(pack=Bundle(bundle.decode_pack(files["pack.toml"]), files, bundle.digest(files)))
    except PolicyFault as fault:
        assert fault.faults
        assert all(each.file in files and each.line >= 1 and each.text for each in fault.faults)


EXPRESSIONS = [
    "!r.subject.near && (r.subject.author || r.resource.old)",
    'r.resource.tagged("rouge", "noir") || !r.subject.named',
    "r.subject.acts_for(r.resource) && True",
    "r.subject.purpose_allowed(r.purpose)",
]
MARKS = ["!", "&&", "||", "(", ")", " ", "&", "|", "=", "True", "False", "not ", ",", ".", "r", "0", '"', "and"]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXPRESSIONS), st.integers(0, 60), st.integers(0, 3), st.sampled_from(MARKS), worlds(unknown=0))
def test_an_expression_that_is_not_refused_means_to_pycasbin_what_it_means_here(text, place, removed, mark, answers):
    damaged = (text[:place] + mark + text[place + removed :]).strip()
    row = f"p, B-9, humain, tout, toute_action, service, {damaged}, allow, ALLOW_NEAR, -, S-8"
    rows, faults = casbin_text.read_rows({"rules/x.csv": row}, NOUNS, {"tags": ("rouge", "noir")})
    if faults:
        return
    answered = generated.function(generated.code([rows.rules[0].when.node]), WORDS)(a_board(Said(answers), a_request()))
    assert {0: False, 1: True, 2: None}[answered] is Row(row).matches(a_request(), answers)
