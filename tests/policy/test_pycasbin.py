"""Stock PyCasbin reads the same files, row by row, and must agree with the policy set on every decision.

An unknown word is tried True and False: a row whose answer differs is unknown. What follows from the rows is
then put together here by the plain sentences of 3.0.4.
"""

from itertools import product

import casbin
import pytest
from casbin.core_enforcer import EnforceContext
from casbin.persist.adapters.string_adapter import StringAdapter
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.model import Effect
from tests.policy.lighthouse import (
    CALLER,
    NOUNS,
    NOW,
    SHIPPED,
    USUAL,
    WILL,
    Noun,
    Said,
    a_board,
    a_policy,
    a_request,
    a_snapshot,
    decide,
)

FILES = SHIPPED.files
ROLES = FILES["roles.csv"]
ROWS = [
    line
    for name in sorted(FILES)
    if name.startswith("rules/")
    for line in FILES[name].split("\n")
    if line and not line.startswith("#")
]
WORDS = (
    "subject.named",
    "subject.away",
    "subject.purpose_allowed",
    "resource.frozen",
    "resource.hidden",
    "subject.author",
    "patient.blocked",
    "subject.senior",
    "subject.near",
    "subject.was_near",
    "subject.acts_for",
    "resource.old",
    "context.grant_open",
    "resource.tagged(rouge)",
    "resource.tagged(noir)",
    "resource.tagged(rouge,noir)",
    "context.setting(sealed)",
)
BY_KIND = {
    "p": EnforceContext("r", "p", "e", "m"),
    "p2": EnforceContext("r", "p2", "e", "m2"),
    "p3": EnforceContext("r", "p3", "e", "m3"),
}


def enforcer(rows: list[str]) -> casbin.Enforcer:
    model = casbin.model.Model()
    model.load_model_from_text(FILES["model.conf"])
    made = casbin.Enforcer(model, StringAdapter("\n".join([ROLES, *rows])), False)
    made.configure_logging({"version": 1, "disable_existing_loggers": False})
    return made


class Row:
    """One row in an enforcer of its own; whether it matches is asked of its allowing twin."""

    def __init__(self, text: str) -> None:
        self.kind, *self.fields = [field.strip() for field in casbin.persist.adapter._extract_tokens(text)]
        self.deny = "deny" in self.fields
        self.enforcer = enforcer([text.replace(", deny,", ", allow,")])

    def matches(self, request, answers) -> bool | None:
        unknown = [word for word, answer in answers.items() if answer is None]
        seen = set()
        for guess in product((True, False), repeat=len(unknown)):
            board = a_board(Said({**answers, **dict(zip(unknown, guess, strict=True))}), request)
            seen.add(self.enforcer.enforce(BY_KIND[self.kind], *nouns(board, request)))
        return seen.pop() if len(seen) == 1 else None


class Named:
    """A noun with the request's own value beside its words."""

    def __init__(self, noun, **values) -> None:
        self.__dict__.update(values)
        self._noun = noun

    def __getattr__(self, word):
        return getattr(self._noun, word)


def nouns(board, request) -> list:
    subject = Named(Noun(board, "subject"), profile=request.subject.profile)
    resource = Named(Noun(board, "resource"), category=request.resource.category)
    return [
        subject,
        None,
        None,
        None,
        request.action,
        resource,
        request.purpose,
        *(Noun(board, name) for name in ("patient", "context")),
    ]


JUDGES = [Row(text) for text in ROWS]

REQUESTS = st.builds(
    a_request,
    profile=st.sampled_from(["gardien", "plongeur", "robot"]),
    category=st.sampled_from(["carte", "journal", "moteur"]),
    action=st.sampled_from(["read", "list", "write"]),
    purpose=st.sampled_from(["veille", "sauvetage", "vente"]),
)


def worlds(unknown: int):
    """What every word answers: mostly what lets a question pass the gates, with at most `unknown` not known."""
    usual = {word: bool(USUAL.get(word, False)) for word in WORDS}
    flips = st.lists(st.sampled_from(WORDS), max_size=5, unique=True)
    nones = st.lists(st.sampled_from(WORDS), max_size=unknown, unique=True)
    return st.builds(
        lambda flipped, none: usual | {w: not usual[w] for w in flipped} | dict.fromkeys(none), flips, nones
    )


def rows_say(request, answers) -> str:
    """PERMIT, DENY or doubt, from the rows that match and those of which it is not known."""
    verdicts = [(row, row.matches(request, answers)) for row in JUDGES if row.kind in ("p", "p3")]
    denies = [verdict for row, verdict in verdicts if row.deny]
    grounds = [verdict for row, verdict in verdicts if row.kind == "p" and not row.deny]
    cells = [verdict for row, verdict in verdicts if row.kind == "p3" and not row.deny]
    allowed = True in grounds and True in cells and True not in denies and None not in denies
    return "PERMIT" if allowed else "DENY"


@settings(max_examples=60, deadline=None)
@given(REQUESTS, worlds(unknown=2))
def test_pycasbin_row_by_row_and_the_policy_set_agree(request, answers):
    assert decide(answers, request).effect == rows_say(request, answers)


@settings(max_examples=60, deadline=None)
@given(REQUESTS, worlds(unknown=0))
def test_pycasbin_with_all_rows_at_once_agrees_when_everything_is_known(request, answers):
    board = a_board(Said(answers), request)
    asked = nouns(board, request)
    permit = WHOLE.enforce(BY_KIND["p"], *asked) and WHOLE.enforce(BY_KIND["p3"], *asked)
    assert (decide(answers, request).effect is Effect.PERMIT) is permit


WHOLE = enforcer(ROWS)


@settings(max_examples=40, deadline=None)
@given(REQUESTS, worlds(unknown=1))
def test_the_rows_that_add_obligations_are_those_pycasbin_matches_or_cannot_tell(request, answers):
    decision = decide(answers, request)
    if decision.effect is Effect.PERMIT:
        owed = [row.fields[0] for row in JUDGES if row.kind == "p2" and row.matches(request, answers) is not False]
        assert sorted(rule for rule in decision.rules if rule.startswith("D-")) == sorted(owed)


def test_a_judge_that_reads_an_unknown_prohibition_as_absent_would_permit_wrongly():
    """The twin: how many answers the third value saves on this pack."""
    policy, wrong = {}, 0
    for word in ("subject.away", "resource.frozen", "patient.blocked", "resource.hidden"):
        careless = decide({"subject.near": True, word: False})
        silent = {name: None if name == word else False for name in WILL}
        careful = decide(Said({"subject.near": True, word: None}, without_will=silent))
        policy[word] = careful.reason
        wrong += careless.effect is Effect.PERMIT and careful.effect is Effect.DENY
    assert set(policy.values()) == {"FACTS_UNAVAILABLE"}
    assert wrong == 4


@pytest.mark.parametrize("row", ROWS, ids=lambda text: text.split(",")[1].strip())
def test_pycasbin_splits_each_row_into_the_fields_we_read(row):
    from sidecar.core.casbin_text import split

    assert split(row) == casbin.persist.adapter._extract_tokens(row)


def test_every_word_of_the_rules_is_among_those_tried():
    tried = {word.split("(")[0] for word in WORDS} | {"context.grant_ended", "subject.may_act"}
    known = {f"{noun}.{word}" for noun, words in NOUNS.items() for word in words} - {"subject.seen_within"}
    assert known == tried
    policy = a_policy({**dict.fromkeys(WILL, True), "subject.near": True})
    assert policy.evaluate(a_request(), CALLER, "c1", a_snapshot(will=True), NOW).reason == "NOT_AVAILABLE"
