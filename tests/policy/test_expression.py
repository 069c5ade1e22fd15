"""The `when` of a row: three values, the same for any order of terms, and nothing but the vocabulary."""

from collections.abc import Callable, Mapping
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core import generated
from sidecar.core.expression import (
    DEEPEST,
    MOST_WORDS,
    Both,
    Constant,
    Either,
    ExpressionFault,
    Node,
    Term,
    faults,
    parse,
)
from tests.policy.lighthouse import NOUNS

THREE = (True, False, None)
AND = {pair: (False if False in pair else None if None in pair else True) for pair in product(THREE, THREE)}
OR = {pair: (True if True in pair else None if None in pair else False) for pair in product(THREE, THREE)}
NOT = {True: False, False: True, None: None}


class Nobody:
    """A situation whose unknown words stay unknown."""

    ends = 0

    def __init__(self) -> None:
        self.held_at: dict[int, int] = {}

    def unanswered(self, noun: str, word: str) -> None:
        return None


def answer(node: Node, words: Mapping[str, Callable[..., bool | None]]) -> bool | None:
    """What one row with this condition answers."""
    ask = generated.function(generated.code([node]), {"n": words})
    return {0: False, 1: True, 2: None}[ask(Nobody())]


def asked(text: str, **words: bool | None) -> bool | None:
    return answer(parse(text), {word: lambda s, said=said: said for word, said in words.items()})


@pytest.mark.parametrize(("a", "b"), list(product(THREE, THREE)))
def test_logic_is_kleenes(a, b):
    assert asked("r.n.a && r.n.b", a=a, b=b) is AND[a, b]
    assert asked("r.n.a || r.n.b", a=a, b=b) is OR[a, b]
    assert asked("!r.n.a", a=a) is NOT[a]
    assert asked("!r.n.a && r.n.b", a=a, b=b) is AND[NOT[a], b]
    assert asked("r.n.a || !r.n.b", a=a, b=b) is OR[a, NOT[b]]
    assert asked("!(r.n.a && r.n.b)", a=a, b=b) is NOT[AND[a, b]]
    assert asked("!(r.n.a || !r.n.b)", a=a, b=b) is NOT[OR[a, NOT[b]]]


@pytest.mark.parametrize("values", list(product(THREE, THREE, THREE)))
def test_the_order_of_terms_never_matters(values):
    words = dict(zip("abc", values, strict=True))
    for template in ("{} && {} && {}", "{} || {} || {}"):
        answers = {asked(template.format(*(f"r.n.{w}" for w in order)), **words) for order in permutations("abc")}
        assert len(answers) == 1


def test_and_binds_tighter_than_or_and_not_tighter_than_both():
    assert asked("r.n.a || r.n.b && r.n.c", a=True, b=False, c=False) is True
    assert asked("(r.n.a || r.n.b) && r.n.c", a=True, b=False, c=False) is False
    assert asked("!r.n.a && r.n.b", a=False, b=True) is True
    assert asked("!!r.n.a", a=None) is None


def test_constants_are_worked_out_when_the_row_is_read():
    assert parse("True") == Constant(True)
    assert parse("!True") == Constant(False)
    assert parse("r.n.a && True") == parse("r.n.a")
    assert parse("r.n.a || True") == Constant(True)
    assert parse("r.n.a && (r.n.b && False)") == Constant(False)


def test_arguments_reach_the_word_as_numbers_and_strings_and_nouns_are_known_to_the_situation():
    seen = []
    text = 'r.n.w(30) && r.n.w("a", "b-c:d") && r.n.w(r.resource) && r.n.w(r.purpose)'
    assert answer(parse(text), {"w": lambda s, *args: not seen.append(args)}) is True
    assert seen == [(30,), ("a", "b-c:d"), (), ()]


def test_each_word_is_asked_once_and_not_after_the_answer_is_settled():
    asked_words = []
    words = {word: lambda s, word=word: asked_words.append(word) or word == "a" for word in "abc"}
    assert answer(parse("r.n.a && r.n.b && r.n.c"), words) is False
    assert asked_words == ["a", "b"]


TEXTS = st.recursive(
    st.sampled_from(["r.n.a", "r.n.b", "r.n.c", "True", "False"]),
    lambda inner: st.one_of(
        inner.map(lambda text: f"!({text})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " && ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " || ".join(parts) + ")"),
    ),
    max_leaves=12,
)


class Kleene:
    """The same logic read plainly by Python's own parser: `&` and `|` on objects."""

    def __init__(self, value):
        self.value = value

    def __and__(self, other):
        return Kleene(AND[self.value, other.value])

    def __or__(self, other):
        return Kleene(OR[self.value, other.value])

    def __invert__(self):
        return Kleene(NOT[self.value])


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.tuples(*[st.sampled_from(THREE)] * 3))
def test_a_compiled_expression_says_what_a_plain_reading_says(text, values):
    words = dict(zip("abc", values, strict=True))
    plain = text.replace("&&", "&").replace("||", "|").replace("!", "~").replace("r.n.", "")
    names = {name: Kleene(value) for name, value in {**words, "T": True, "F": False}.items()}
    expected = eval(plain.replace("True", "T").replace("False", "F"), {}, names)
    assert asked(text, **words) is expected.value


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.tuples(*[st.sampled_from(THREE)] * 3), st.booleans())
def test_rows_asked_together_answer_what_each_says_alone(texts, values, dated):
    words = {word: lambda s, said=said: said for word, said in zip("abc", values, strict=True)}
    nodes = [parse(text) for text in texts]
    together = Nobody()
    bits = generated.function(generated.code(nodes, dated), {"n": words})(together)
    alone = [answer(node, words) for node in nodes]
    assert [bits >> n & 1 == 1 for n in range(len(nodes))] == [said is True for said in alone]
    assert [bits >> len(nodes) + n & 1 == 1 for n in range(len(nodes))] == [said is None for said in alone]
    dates = [sum(mask >> n & 1 for mask in together.held_at) for n in range(len(nodes))]
    assert dates == [int(dated and said is not False) for said in alone]


def test_an_expression_of_as_many_words_as_are_let_in_compiles():
    deep = "r.n.a"
    for n in range(DEEPEST):
        deep = f"r.n.a {('&&', '||')[n % 2]} ({deep})"
    for text in (" && ".join(["r.n.a"] * MOST_WORDS), " || ".join(["r.n.a"] * MOST_WORDS), deep):
        assert asked(text, a=True) is True


BAD = {
    " && ".join(["r.a.b"] * 41): "41 words; at most 40: split the row",
    "mfa": "`mfa` is not a word; write `r.<noun>.<word>`",
    "r.subject": "`r.subject` is not a word",
    "r.subject.near.x": "is not a word",
    "r2.subject.near": "is not a word",
    "r.subject..near": "is not a word",
    "not r.subject.near": "`not` is not Casbin; write `!`",
    "r.subject.near and r.subject.named": "write `&&`",
    "and": "write `&&`",
    "true": "write `True` or `False`",
    "1": "write `True` or `False`",
    "r.subject.near == True": "`== True` cannot be read",
    "r.subject.near &&": "`&&` cannot be read",
    "r.subject.near && ": "`&&` cannot be read",
    "r.subject.near&& r.subject.named": "with a space on each side",
    "r.subject.near &&r.subject.named": "with a space on each side",
    "r.subject.near||r.subject.named": "with a space on each side",
    "&& r.subject.near": "cannot be read",
    "(&& r.subject.near)": "cannot be read",
    "(r.subject.near": "where `)` is expected",
    "r.subject.near)": "`)` is not expected here",
    "": "`the end` where a word",
    "r.subject.seen_within(30": "where `)` is expected",
    "r.subject.seen_within(07)": "cannot be read",
    "r.subject.seen_within(3.5)": "cannot be read",
    "r.subject.seen_within(r.patient)": "is not an argument",
    "r.subject.seen_within(,)": "is not an argument",
    'r.resource.tagged("a.b")': "cannot be read",
    'r.resource.tagged("a!b")': "cannot be read",
    'r.resource.tagged("")': "cannot be read",
    "r.resource.tagged('rouge')": "cannot be read",
    '"rouge"': "where a word",
    "__import__": "is not a word",
    "(" * 13 + "r.subject.near" + ")" * 13: "more than 12 parentheses",
    "r.subject.near && " * 200 + "r.subject.near": "at most 2000: split the row",
}


@pytest.mark.parametrize("text", BAD)
def test_what_casbin_and_we_would_not_read_alike_is_refused_with_the_next_step(text):
    with pytest.raises(ExpressionFault) as fault:
        parse(text)
    assert BAD[text] in str(fault.value)


WRONG_WORDS = {
    "r.moon.near": "unknown noun `r.moon`; the nouns are context, patient, resource, subject",
    "r.subject.nare": "unknown word `r.subject.nare`; the words of `r.subject` are",
    "r.subject.near()": "takes no arguments; write it without parentheses",
    "r.subject.seen_within": "needs arguments (int)",
    "r.subject.seen_within()": "takes (int), not ()",
    'r.subject.seen_within("3")': "takes (int), not (3)",
    "r.subject.seen_within(1, 2)": "takes (int), not (1, 2)",
    "r.subject.acts_for(r.purpose)": "takes (resource), not (r.purpose)",
    "r.resource.tagged()": "takes (strs), not ()",
    'r.resource.tagged("vert")': '`r.resource.tagged` knows no "vert"; the tags are noir, rouge',
    'r.context.setting("seeled")': 'knows no "seeled"',
}


@pytest.mark.parametrize("text", WRONG_WORDS)
def test_a_word_outside_the_vocabulary_or_with_wrong_arguments_is_named(text):
    found = faults(parse(text), NOUNS, {"tags": ["rouge", "noir"], "settings": ["sealed"]})
    assert len(found) == 1 and WRONG_WORDS[text] in found[0]


def test_every_wrong_word_of_an_expression_is_named_at_once():
    found = faults(parse("r.moon.a || !r.subject.b && r.subject.near"), NOUNS, {})
    assert len(found) == 2


def test_negations_stand_on_words_alone():
    def words_only(node: Node) -> bool:
        if isinstance(node, Both | Either):
            return all(map(words_only, node.parts))
        return isinstance(node, Term | Constant)

    node = parse("!(r.n.a && !(r.n.b || r.n.c))")
    assert words_only(node)
    assert node == parse("!r.n.a || (r.n.b || r.n.c)")
