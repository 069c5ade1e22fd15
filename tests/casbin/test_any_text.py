"""Whatever a model, a row or a matcher says: it is refused, or means what PyCasbin reads in it."""

import os
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.casbin_enforcer import CasbinPolicy
from sidecar.core.casbin_enforcer_load import load
from sidecar.errors import EvaluationFault, PolicyFault
from tests.casbin.examples import BASIC, BASIC_ROWS, RBAC, RBAC_ROWS, model
from tests.casbin.stock import Stock

DRAWS = 6_000 if os.environ.get("SOAK") else 600
TOKENS = [
    "r.a",
    "r.a",
    "r.b",
    "p.x",
    "p.x",
    '"t"',
    "'u'",
    "1",
    "2",
    "0.5",
    "True",
    "None",
    "(",
    ")",
    "[",
    "]",
    ",",
    "!",
    "-",
]
JOINTS = ["==", "!=", "<", ">=", "&&", "||", "in", "!in", "+", "*", "%", "/"]
WORLDS = [("t", "u"), ("u", 1), (1, 2), (True, 0.5), (["t", "u"], "t"), (None, "t"), (0.5, -1)]
TEXT = st.text(st.sampled_from("pgrm,()[]!&|=<>\"'#. _1\n\t\\") | st.characters(), max_size=60)
SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3)


def loaded(model_text: str, rows: str) -> CasbinPolicy | None:
    try:
        return load(model_text, rows)
    except PolicyFault:
        return None


def matcher(random: Random) -> str:
    """Tokens and joints in turn, so that one in some ten is an expression."""
    count = random.randint(1, 4)
    parts = []
    for place in range(count):
        parts += random.choices(["!", "(", "-"], k=1) if random.random() < 0.15 else []
        parts.append(random.choice(TOKENS[:12]) if random.random() < 0.93 else random.choice(TOKENS))
        parts += [")"] if random.random() < 0.08 else []
        parts += [random.choice(JOINTS)] if place < count - 1 else []
    return " ".join(parts)


def test_a_matcher_of_drawn_tokens_is_refused_or_answered_as_pycasbin_answers_it():
    random, taken, answered = Random(7), 0, 0
    for _ in range(DRAWS):
        text = model(matcher(random), "a, b", "x")
        ours = loaded(text, "p, t\np, u\n")
        if ours is None:
            continue
        taken += 1
        theirs = Stock(text, "p, t\np, u\n")
        for values in WORLDS:
            said = theirs.enforce(values)
            try:
                answer = ours.enforce(values)
            except EvaluationFault:
                assert isinstance(said, Exception) or "*" in text or "%" in text, (text, values, said)
                continue
            if not isinstance(said, Exception):
                assert (answer.allow, answer.explain) == said, (text, values)
                answered += 1
    print(f"\n{taken} matchers taken, {answered} answers compared")
    assert taken > DRAWS / 4
    assert answered > DRAWS / 2


@settings(max_examples=80, deadline=None)
@given(TEXT)
def test_any_model_is_refused_or_loaded(text):
    loaded(text, BASIC_ROWS)
    loaded(model(BASIC).replace("r.obj == p.obj", text), BASIC_ROWS)


@settings(max_examples=80, deadline=None)
@given(TEXT)
def test_any_row_is_refused_or_loaded(text):
    loaded(model(RBAC, roles=["_, _"]), RBAC_ROWS + text)
    loaded(model("eval(p.rule) && globMatch(r.a, p.path)", "a", "rule, path"), f"p, {text}, /a\np, True, {text}\n")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=3), max_size=4))
def test_any_request_is_answered_or_refused(values):
    policy = load(model(f"{BASIC} && keyMatch2(r.obj, p.obj) || r.sub.age > 3", roles=["_, _"]), BASIC_ROWS)
    try:
        policy.enforce(values)
    except EvaluationFault:
        assert len(values) == 3
    except Exception as error:
        assert type(error).__name__ == "InvalidRequest"
        assert len(values) != 3
