"""The built-in functions of a matcher: as PyCasbin's, but for what docs/casbin.md lists, each pinned here by name."""

import re
from itertools import product
from random import Random

import pytest
from casbin.util import builtin_operators as stock

from sidecar.core.casbin_enforcer_load import load
from sidecar.core.casbin_functions import FUNCTIONS, PatternFault
from sidecar.errors import EvaluationFault, PolicyFault
from tests.casbin.examples import model
from tests.casbin.stock import Stock

NAMES = {
    "keyMatch": "key_match",
    "keyMatch2": "key_match2",
    "keyMatch3": "key_match3",
    "keyMatch4": "key_match4",
    "keyMatch5": "key_match5",
    "keyGet": "key_get",
    "regexMatch": "regex_match",
    "ipMatch": "ip_match",
    "globMatch": "glob_match",
}
PATHS = ["".join(letters) for size in range(6) for letters in product("ab/.", repeat=size)]
PIECES = {
    "keyMatch": ["a", "b", "/", "*", "/*", "."],
    "keyMatch2": ["a", "b", "/", "*", "/*", "/:x", "/:y", ":z", "."],
    "keyMatch3": ["a", "b", "/", "/*", "/{x}", "{y}", "-{x}", "."],
    "keyMatch4": ["a", "b", "/", "/*", "/{x}", "/{x}", "/{y}", "{y}"],
    "keyMatch5": ["a", "b", "/", "/*", "/{x}", "{y}", "."],
    "keyGet": ["a", "b", "/", "*", "/*", "."],
    "regexMatch": [
        "a",
        "b",
        "/",
        "^",
        "$",
        ".",
        "*",
        "+",
        "?",
        "(",
        ")",
        "|",
        "[ab]",
        "[^a]",
        "(?:",
        "{2}",
        "{1,2}",
        r"\.",
        r"\w",
    ],
    "globMatch": ["a", "b", "/", "*", "**", "?", "[ab]", "[!a]", "[.a]", "[+-a]", "/**", "/*", "."],
}


def drawn(random: Random, function: str) -> str:
    return "".join(random.choices(PIECES[function], k=random.randint(1, 5)))


def unread(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return True
    return False


@pytest.mark.parametrize("function", PIECES)
def test_a_function_answers_as_pycasbins_for_drawn_patterns(function):
    random, theirs = Random(function), getattr(stock, NAMES[function])
    taken = answered = 0
    for _ in range(300):
        pattern = drawn(random, function)
        try:
            ours = FUNCTIONS[function](pattern)
        except PatternFault:
            continue
        taken += 1
        for path in random.sample(PATHS, 60):
            said = ours(path)
            assert said == theirs(path, pattern), (pattern, path)
            answered += bool(said)
    assert taken > 60
    assert answered > 300


def test_what_is_refused_of_drawn_regular_expressions_is_what_python_cannot_read_either():
    random = Random(1)
    for _ in range(500):
        pattern = drawn(random, "regexMatch")
        try:
            FUNCTIONS["regexMatch"](pattern)
        except PatternFault:
            possessive = re.search(r"[*+?}]\+", pattern)  # Python knows it since 3.11
            assert possessive or unread(pattern), pattern


ADDRESSES = ["10.0.0.1", "10.0.1.1", "192.168.2.123", "::1", "2001:db8::7", "255.255.255.255"]
RANGES = ["10.0.0.0/24", "10.0.0.1", "10.0.0.77/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1"]


@pytest.mark.parametrize("range_", RANGES)
def test_an_address_is_in_a_range_as_pycasbin_says(range_):
    assert [FUNCTIONS["ipMatch"](range_)(each) for each in ADDRESSES] == [
        stock.ip_match(each, range_) for each in ADDRESSES
    ]


CAPTURED = [
    ("keyGet2", "/resource1", "/:resource", "resource", "resource1"),
    ("keyGet2", "/a/1/b/2", "/a/:x/b/:y", "y", "2"),
    ("keyGet2", "/a/1/b/2", "/a/:x/b/:y", "z", ""),
    ("keyGet2", "/a", "/a/:x", "x", ""),
    ("keyGet2", "/a", "*", "x", ""),
    ("keyGet3", "project/proj_project1_admin/", "project/proj_{project}_admin/", "project", "project1"),
    ("keyGet3", "/a/1/b/2", "/a/{x}/b/{y}", "x", "1"),
    ("keyGet3", "/a/1/c", "/a/{x}/b/{y}", "x", ""),
]


@pytest.mark.parametrize(("function", "path", "pattern", "name", "part"), CAPTURED)
def test_a_named_part_is_found_as_pycasbin_finds_it(function, path, pattern, name, part):
    assert FUNCTIONS[function](pattern)(path, name) == part
    assert getattr(stock, {"keyGet2": "key_get2", "keyGet3": "key_get3"}[function])(path, pattern, name) == part


# Where we answer otherwise than PyCasbin, on purpose: the function, the value, the pattern, PyCasbin's answer, ours.
OTHERWISE = {
    "a line feed at the end is not passed over": ("regexMatch", "/a\n", "^/a$", True, ValueError),
    "a line feed is no part of a segment": ("keyMatch2", "/patients/1\n", "/patients/:id", True, ValueError),
    "nor of what a star holds": ("keyMatch", "/a/\n", "/a/*", True, ValueError),
    "a control character is refused wherever it stands": ("globMatch", "/a\x00", "/*", True, ValueError),
    "digits are those of ASCII": ("regexMatch", "٣", "^\\d$", True, False),
    "letters are those of ASCII": ("regexMatch", "é", "^\\w$", True, False),
    "a number is no text": ("keyMatch", 5, "5", False, TypeError),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_where_we_answer_otherwise_than_pycasbin_it_is_on_purpose(case):
    function, value, pattern, theirs, ours = OTHERWISE[case]
    assert getattr(stock, NAMES[function])(value, pattern) is theirs
    if isinstance(ours, bool):
        assert FUNCTIONS[function](pattern)(value) is ours
    else:
        with pytest.raises(ours):
            FUNCTIONS[function](pattern)(value)


# As PyCasbin, where Go answers otherwise.
AS_PYCASBIN = [
    ("regexMatch", "topic-secret", "topic", True),  # the end is where `$` says
    ("regexMatch", "xx-topic", "topic", False),  # the start is the start
    ("globMatch", "/foo/", "/foo/*", False),
    ("globMatch", "/foo", "/foo/**", True),
    ("globMatch", "/foo/", "/foo", True),
    ("globMatch", "/.hidden", "/*", False),
    ("globMatch", "/a/b", "*/a/b", True),
    ("keyMatch", "/a", "/a/*", False),
    ("keyMatch2", "/axb", "/a.b", True),  # a dot is any letter, as in Go
    ("keyMatch4", "/b/1/b/1", "/b/{x}/b/{x}", True),
    ("keyMatch4", "/b/1/b/2", "/b/{x}/b/{x}", False),
    ("keyMatch5", "/b/1?x=2", "/b/{x}", True),
]


@pytest.mark.parametrize(("function", "value", "pattern", "said"), AS_PYCASBIN)
def test_where_go_answers_otherwise_we_answer_as_pycasbin(function, value, pattern, said):
    assert FUNCTIONS[function](pattern)(value) is said
    assert getattr(stock, NAMES[function])(value, pattern) is said


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(?:a*)*b$", "^(.*a){20}$"])
def test_a_pattern_that_makes_python_hang_is_answered(pattern):
    """Python's `re` needs some 2^50 000 steps for the first of these: it would not end."""
    assert FUNCTIONS["regexMatch"](pattern)("a" * 50_000 + "!") is False


def test_a_value_that_is_not_unicode_cannot_be_matched():
    policy = load(model("regexMatch(r.sub, p.sub)", "sub", "sub"), "p, ^a$\n")
    with pytest.raises(EvaluationFault):
        policy.enforce(["\ud800"])


# What a model says, where PyCasbin mangles it or answers by accident: ours, and what PyCasbin answers or raises.
MANGLED = {
    "a dot after p in a text": ('r.sub == "a.p.p.l.e"', ["a.p.p.l.e"], True, False),
    "two ampersands in a text": ('r.sub == "a && b"', ["a && b"], True, False),
    "an exclamation mark in a text": ('r.sub == "stop!"', ["stop!"], True, False),
    "a hash in a text": ('r.sub == "a#b"', ["a#b"], True, Exception),
    "an attribute named as a method of dict": ("r.sub.items == 3", [{"items": 3}], True, False),
    "a word of Python as attribute": ("r.sub.class == 3", [{"class": 3}], True, Exception),
}


@pytest.mark.parametrize("case", MANGLED)
def test_a_text_means_what_it_says_where_pycasbin_mangles_it(case):
    matcher, values, ours, theirs = MANGLED[case]
    text = model(matcher, "sub", "sub")
    assert load(text, "p, x\n").enforce(values).allow is ours
    try:
        said = Stock(text, "p, x").enforce(values)
    except Exception as error:
        said = error
    assert isinstance(said, Exception) if theirs is Exception else said[0] is theirs


def test_without_rows_only_what_asks_nothing_of_a_row_holds():
    """PyCasbin reads every field of the missing row as empty, so it lets whoever sends empty texts in."""
    text = model('r.sub == p.sub || r.sub == "root"', "sub", "sub")
    ours, theirs = load(text, ""), Stock(text, "")
    assert (ours.enforce([""]).allow, theirs.enforce([""])[0]) == (False, True)
    assert (ours.enforce(["root"]).allow, theirs.enforce(["root"])[0]) == (True, True)


SPECIAL = {
    "True is 1, as Python has it": ("r.sub == 1", [True], True),
    "a boolean is compared": ("r.sub == True", [True], True),
    "a number of the request is no text of a row": ("r.sub == p.sub", [18], False),
    "a text of the request is no number": ("r.sub == 18", ["18"], False),
    "a decimal number is an answer": ("r.sub", [0.5], True),
    "zero is a no": ("r.sub", [0.0], False),
    "None is a value": ("r.sub == None", [None], True),
    "a negation reaches over a comparison": ("!r.sub == 1", [2], True),
    "a chain of comparisons": ("1 < r.sub < 3", [2], True),
    "not in, as `!` before in": ('r.sub !in ["a", "b"]', ["c"], True),
    "quotes within quotes": ("r.sub == 'say \"a\"'", ['say "a"'], True),
    "a list of the request": ('"a" in r.sub', [["a", "b"]], True),
    "a text of the request is looked into": ('"a" in r.sub', ["cab"], True),
    "remainders": ("r.sub % 2 == 1", [7], True),
    "an object equals no text": ("r.sub == p.sub", [{"a": 1}], False),
    "a list is nobody's role": ("g(r.sub, p.sub)", [["a"]], False),
}


@pytest.mark.parametrize("case", SPECIAL)
def test_values_casbin_treats_specially_are_treated_so(case):
    matcher, values, allow = SPECIAL[case]
    text = model(matcher, "sub", "sub", ["_, _"] if "g(" in matcher else [])
    rows = "p, 18\n"
    assert load(text, rows).enforce(values).allow is allow
    said = Stock(text, rows).enforce(values)
    assert isinstance(said, Exception) or said[0] is allow


@pytest.mark.parametrize(
    ("matcher", "value"),
    [("r.sub", "text"), ("r.sub", 1), ("r.sub.a", {}), ("r.sub.a", "text"), ("r.sub < 3", "2"), ("r.sub * 3 > 1", "a"),
     ("r.sub % 3 == 1", "%d"), ("1 / r.sub > 0", 0), ('ipMatch(r.sub, "::1")', "nowhere"), ("r.sub in p.sub", 3)],
)  # fmt: skip
def test_what_cannot_be_evaluated_permits_nothing_and_names_the_row(matcher, value):
    text = model(matcher, "sub", "sub")
    with pytest.raises(EvaluationFault) as fault:
        load(text, "# a row\np, x\n", "m.conf", "p.csv").enforce([value])
    assert str(fault.value).startswith("p.csv:2: cannot be evaluated: ")
    if "*" not in matcher and "%" not in matcher:  # PyCasbin repeats and formats texts
        assert isinstance(Stock(text, "p, x").enforce([value]), Exception)


def test_a_row_that_denies_and_cannot_be_evaluated_lets_nothing_pass():
    text = model(
        "eval(p.rule)", "sub", "rule, eft", effect="some(where (p.eft == allow)) && !some(where (p.eft == deny))"
    )
    careful = load(text, "p, r.sub.age > 3, allow\np, r.sub.banned, deny\n")
    assert careful.enforce([{"age": 9, "banned": False}]).allow
    with pytest.raises(EvaluationFault):
        careful.enforce([{"age": 9}])
    careless = load(text, "p, r.sub.age > 3, allow\n")  # the twin: skipped, the row would have been a permit
    assert careless.enforce([{"age": 9}]).allow


def test_a_policy_is_told_before_a_model_is_asked_with_another_number_of_values():
    with pytest.raises(PolicyFault):
        load(model("r.sub == p.sub"), "p, alice\n")


def test_rules_that_differ_in_their_texts_and_numbers_alone_keep_their_own():
    rules = [
        ("r.sub.age > 18", {"age": 19}, {"age": 18}),
        ("r.sub.age > 60", {"age": 61}, {"age": 60}),
        ("r.sub.age > 18.5", {"age": 19}, {"age": 18.5}),
        ('r.sub.age > 18 && r.sub.name == "a"', {"age": 19, "name": "a"}, {"age": 19, "name": "b"}),
        ("r.sub.age > 20 && r.sub.name == 'b'", {"age": 21, "name": "b"}, {"age": 20, "name": "b"}),
        ('r.sub.name == "18"', {"name": "18"}, {"name": 18}),
        ("r.sub.name == 18", {"name": 18}, {"name": "18"}),
        ('r.sub.name == "it\'s"', {"name": "it's"}, {"name": "its"}),
        ('r.sub.name == "a" "b"', {"name": "ab"}, {"name": "a"}),
        ('r.sub.name == "a\\\\b"', {"name": "a\\b"}, {"name": "ab"}),
        ("r.sub.x2 - 2 == 1", {"x2": 3}, {"x2": 2}),
        ("r.sub.active == True", {"active": True}, {"active": False}),
        ('r.sub.name in ["a", "b"]', {"name": "a"}, {"name": "c"}),
    ]
    text = model("eval(p.rule) && r.act == p.act", "sub, act", "rule, act")
    rows = "".join(f"p, {rule}, act{number}\n" for number, (rule, _, _) in enumerate(rules))
    ours = load(text, rows)
    for number, (rule, yes, no) in enumerate(rules):
        assert ours.enforce([yes, f"act{number}"]).allow, rule
        assert not ours.enforce([no, f"act{number}"]).allow, rule
        alone = Stock(text, f"p, {rule}, act{number}\n")
        assert [alone.enforce([each, f"act{number}"])[0] for each in (yes, no)] == [True, False], rule
