"""What a Casbin model or policy may not say: each fault with file, line and the next step, all in one go."""

import pytest

from sidecar.core.casbin_enforcer_load import load
from sidecar.errors import PolicyFault
from tests.casbin.examples import AND_DENY, BASIC, BASIC_ROWS, OVERRIDE, RBAC, RBAC_ROWS, model

MODEL = model(BASIC)
ROLES = model(RBAC, roles=["_, _"])
RULES = model("eval(p.rule) && r.act == p.act", row="rule, act")


def found(model_text: str, policy_text: str) -> list[str]:
    with pytest.raises(PolicyFault) as raised:
        load(model_text, policy_text)
    return [str(fault) for fault in raised.value.faults]


def line(text: str, part: str) -> int:
    return next(number for number, each in enumerate(text.split("\n"), 1) if part in each)


# What replaces what in the model, the part whose line is named, and what is said.
MODELS = {
    "an unknown section": (
        "[matchers]",
        "[matcher]",
        "[matcher]",
        "unknown section `[matcher]`; the sections are request_",
    ),
    "a section in capitals": ("[matchers]", "[Matchers]", "[Matchers]", "unknown section `[Matchers]`"),
    "a line that defines nothing": (
        "r = sub, obj, act",
        "sub, obj, act",
        "sub, obj",
        "defines nothing; write `name = value`",
    ),
    "a definition twice": (
        "m = ",
        "m = True\nm = ",
        "m = r.sub",
        "`m` is defined twice, first in line 11; Casbin keeps",
    ),
    "a second matcher": ("m = ", "m2 = True\nm = ", "m2 =", "`m2` would never be asked: questions go by r, p, e and m"),
    "a second kind of row": ("p = ", "p2 = sub\np = ", "p2 =", "`p2` would never be asked"),
    "another name": ("m = ", "matcher = True\nm = ", "matcher =", "`matcher` is not a definition of this section"),
    "a field twice": (
        "r = sub, obj, act",
        "r = sub, obj, sub",
        "r =",
        "`sub` stands twice; Casbin keeps the last value alone",
    ),
    "an empty field": ("r = sub, obj, act", "r = sub,, act", "r =", "`` is not a field: letters, digits and _"),
    "a comment behind the fields": (
        "r = sub, obj, act",
        "r = sub, obj, act # who",
        "r =",
        "a comment needs a line of its own",
    ),
    "a field called priority": (
        "p = sub, obj, act",
        "p = sub, obj, act, priority",
        "p =",
        "rows are sorted by a field `priority`",
    ),
    "a priority effect": (
        OVERRIDE,
        "priority(p.eft) || deny",
        "e =",
        "a priority effect makes the order of rows decide; write",
    ),
    "a priority of subjects": (
        OVERRIDE,
        "subjectPriority(p.eft) || deny",
        "e =",
        "a priority effect makes the order of rows",
    ),
    "allow by default": (
        OVERRIDE,
        "!some(where (p.eft == deny))",
        "e =",
        "allows by default permits whoever no row names",
    ),
    "an unknown effect": (OVERRIDE, "all(where (p.eft == allow))", "e =", "this effect is not accepted; write `some("),
    "an effect spaced otherwise": (
        OVERRIDE,
        "some(where(p.eft==allow))",
        "e =",
        "PyCasbin compares effects letter by letter",
    ),
    "an empty matcher": (f"m = {BASIC}", "m =", "m =", "an empty matcher; write one"),
    "a control character": ("r.sub == p.sub", "r.sub\x0b== p.sub", "m =", "control character '\\x0b'"),
    "an unknown field": (
        "r.obj == p.obj",
        "r.object == p.obj",
        "m =",
        "unknown field `r.object`; the fields of `r` are sub, obj, act",
    ),
    "an unknown field of rows": ("r.obj == p.obj", "r.obj == p.what", "m =", "unknown field `p.what`"),
    "an attribute of a row": ("p.obj", "p.obj.id", "m =", "`p.obj.id`: a row holds texts, which have no attributes"),
    "a bare word": ("r.obj == p.obj", "obj == p.obj", "m =", "`obj` is not a name; write `r.<field>`, `p.<field>`"),
    "a name with an underscore": ("r.obj == p.obj", "r_obj == p_obj", "m =", "`r_obj` is not a name"),
    "a hidden attribute": ("r.obj == p.obj", "r.obj.__class__ == p.obj", "m =", "an attribute starts with a letter"),
    "a role that is not defined": (
        "r.sub == p.sub",
        "g(r.sub, p.sub)",
        "m =",
        "unknown function `g`; the functions are keyMatch",
    ),
    "an unknown function": ("r.sub == p.sub", "matches(r.sub, p.sub)", "m =", "unknown function `matches`"),
    "a clock": ("r.sub == p.sub", "timeMatch(p.sub, p.obj)", "m =", "unknown function `timeMatch`"),
    "a method of Python": (
        "r.sub == p.sub",
        "r.sub.startswith(p.sub)",
        "m =",
        "`r.sub.startswith(…)` calls Python, not Casbin",
    ),
    "a type of Python": ("r.sub == p.sub", "r.sub in list(p.sub)", "m =", "unknown function `list`"),
    "brackets after a text": ("r.sub == p.sub", '"g"(r.sub)', "m =", "brackets after a value that is not a function"),
    "a function of too few arguments": (
        "r.sub == p.sub",
        "keyMatch(r.sub)",
        "m =",
        "`keyMatch` takes 2 arguments, not 1",
    ),
    "eval of a request": (
        "r.sub == p.sub",
        "eval(r.sub)",
        "m =",
        "`eval` takes a field of the row, as in `eval(p.rule)`",
    ),
    "a pattern of the request": (
        "r.sub == p.sub",
        "regexMatch(p.sub, r.sub)",
        "m =",
        "the pattern of `regexMatch` comes from the request",
    ),
    "a pattern that backtracks": (
        "r.sub == p.sub",
        'regexMatch(r.sub, "(a)\\\\1")',
        "m =",
        "is not matched in linear time (invalid escape",
    ),
    "marks without spaces": (
        "r.sub == p.sub && r.obj",
        "r.sub == p.sub&&r.obj",
        "m =",
        "PyCasbin reads `a&&b` as one name; put spaces",
    ),
    "a mark touching at its right": (
        "r.sub == p.sub && r.obj",
        "r.sub == p.sub ||r.obj",
        "m =",
        "`||` without a space on each side",
    ),
    "words of Python": ("&& r.obj", "and r.obj", "m =", "`and` is not Casbin as PyCasbin reads it; write `&&`"),
    "a negation of Python": ("r.obj == p.obj", "not r.obj == p.obj", "m =", "write `!`"),
    "lower-case true": ("r.obj == p.obj", "r.obj == true", "m =", "write `True`"),
    "one equals sign": ("r.obj == p.obj", "r.obj = p.obj", "m =", "`=` is not a comparison; write `==`"),
    "one ampersand": ("&& r.obj", "& r.obj", "m =", "`&` is not a mark; write `&&`"),
    "a text that does not end": (
        "r.obj == p.obj",
        'r.obj == "data',
        "m =",
        'the text `"data && r.act == p.act` does not end',
    ),
    "letters before a text": ("r.obj == p.obj", 'r.obj == r.act"x"', "m =", "letters touch the text"),
    "an escape that means nothing": (
        "r.obj == p.obj",
        'r.obj == "\\d"',
        "m =",
        "`\\d` in a text; a backslash is written `\\\\`",
    ),
    "one text behind in": (
        "r.obj == p.obj",
        'r.obj in ("data1")',
        "m =",
        "would look inside the text; write `in ['data1']`",
    ),
    "an index": ("r.obj == p.obj", "r.obj[0] == p.obj", "m =", "an index `[…]` or a `*` here is Python, not Casbin"),
    "a power": ("r.obj == p.obj", "r.obj ** 2 == 4", "m =", "are Python, not Casbin"),
    "a bracket too many": (
        "r.obj == p.obj",
        "r.obj == p.obj)",
        "m =",
        "cannot be read; check its brackets, commas and marks",
    ),
    "a negation behind a comparison": ("r.obj == p.obj", "r.obj == !p.obj", "m =", "cannot be read"),
    "braces": ("r.obj == p.obj", "r.obj in {}", "m =", "`{} && r.act == p.act` cannot be read"),
    "brackets without end": (
        "r.obj == p.obj",
        f"{'(' * 60}r.obj{')' * 60} == p.obj",
        "m =",
        "more than 50 brackets inside one another",
    ),
    "an endless sum": ("r.obj == p.obj", f"r.obj == {'1 + ' * 300}1", "m =", "more than 200 marks of arithmetic"),
    "an endless matcher": ("r.obj == p.obj", " && ".join(["r.obj == p.obj"] * 700), "m =", "characters; at most 10000"),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_taken_is_refused_at_its_line(case):
    old, new, part, said = MODELS[case]
    assert old in MODEL
    changed = MODEL.replace(old, new, 1)
    faults = found(changed, BASIC_ROWS)
    assert faults[0].startswith(f"model.conf:{line(changed, part)}: "), faults
    assert said in faults[0]


ROLE_LINES = {
    "a role that skips a number": (
        "g = _, _",
        "g = _, _\ng3 = _, _",
        "g3 =",
        "`g3` where `g2` is next: Casbin stops reading",
    ),
    "a role of another name": (
        "g = _, _",
        "g = _, _\nroles = _, _",
        "roles =",
        "`roles` is not a role; roles are g, g2, g3",
    ),
    "a role of one name": ("g = _, _", "g = _", "g = _", "`_` is not a role; write `_, _`"),
    "a role of four names": ("g = _, _", "g = _, _, _, _", "g = _", "is not a role"),
    "a conditional role": ("g = _, _", "g = _, _, (_, _)", "g = _", "conditional roles need a function of yours"),
    "a role asked with a domain": ("g(r.sub, p.sub)", "g(r.sub, p.sub, r.obj)", "m =", "`g` takes 2 arguments, not 3"),
}


@pytest.mark.parametrize("case", ROLE_LINES)
def test_a_role_that_cannot_be_taken_is_refused_at_its_line(case):
    old, new, part, said = ROLE_LINES[case]
    changed = ROLES.replace(old, new, 1)
    faults = found(changed, RBAC_ROWS)
    assert faults[0].startswith(f"model.conf:{line(changed, part)}: "), faults
    assert said in faults[0]


@pytest.mark.parametrize("letter", ["r", "p", "e", "m"])
def test_a_definition_missing_from_a_model_is_asked_for(letter):
    kept = [each for each in MODEL.split("\n") if not each.startswith(f"{letter} = ")]
    assert found("\n".join(kept), BASIC_ROWS)[0].startswith(f"model.conf:1: `{letter}` is missing; add `{letter} = …`")


# A model, the row added behind two good ones, and what is said of it.
ROWS = {
    "an unknown type": (
        MODEL,
        "q, alice, data1, read",
        "unknown row type `q`, which Casbin would drop; the types are p",
    ),
    "a type in capitals": (MODEL, "P, alice, data1, read", "unknown row type `P`"),
    "a role the model does not have": (MODEL, "g, alice, admin", "unknown row type `g`"),
    "a leading comma": (MODEL, ", p, alice, data1, read", "unknown row type ``"),
    "a field missing": (MODEL, "p, alice, data1", "`p` has 3 fields (sub, obj, act), not 2"),
    "a field too many": (MODEL, "p, alice, data1, read, x", "`p` has 3 fields (sub, obj, act), not 4"),
    "a link with a field too many": (ROLES, "g, alice, admin, north", "`g` has 2 fields (member, role), not 3"),
    "a quoted field": (MODEL, 'p, alice, "data1", read', 'rows have no quotes: PyCasbin keeps those of `"data1"`'),
    "a quoted comma": (MODEL, 'p, alice, "data1,data2", read', "rows have no quotes"),
    "a quote that does not end": (MODEL, 'p, alice, "data1, read', "rows have no quotes"),
    "single quotes": (MODEL, "p, alice, 'data1', read", "rows have no quotes"),
    "a bracket without end": (MODEL, "p, alice, (data1, read", "( ) and [ ] do not balance, in texts too"),
    "a bracket without beginning": (MODEL, "p, alice, data1), read", "( ) and [ ] do not balance"),
    "a bracket in a text of a rule": (RULES, 'p, r.sub == "a)b", read', "( ) and [ ] do not balance"),
    "a comma in a text of a rule": (RULES, 'p, r.sub == "a,b", read', "`p` has 2 fields (rule, act), not 3"),
    "a trailing comment": (
        MODEL,
        "p, alice, data1, read # always",
        "PyCasbin reads a trailing comment as part of the last",
    ),
    "a row that is indented": (MODEL, "  p, alice, data1, read", "a row starts in the first column"),
    "a tab": (MODEL, "p, alice,\tdata1, read", "control character '\\t'"),
    "a null": (MODEL, "p, alice, da\x00ta1, read", "control character '\\x00'"),
    "a line separator": (MODEL, "p, alice, da\u2028ta1, read", "control character '\\u2028'"),
    "a rule with a bare word": (RULES, "p, mfa, read", "`mfa` is not a name"),
    "a rule with a word in lower case": (RULES, "p, true, read", "write `True`"),
    "a rule within a rule": (RULES, "p, eval(p.rule), read", "`eval` inside a rule; write the rule out"),
    "a rule with an unknown function": (RULES, "p, f(r.sub), read", "unknown function `f`"),
    "a rule that is empty": (RULES, "p, , read", "an empty expression"),
    "a rule with a trailing comment": (RULES, "p, r.act == r.act#x, read", "`#x` cannot be read"),
    "a range of addresses that is none": (
        RULES,
        'p, ipMatch(r.sub, "10.0.0.0/99"), read',
        "ipMatch: `10.0.0.0/99` is no address and no range",
    ),
    "look-around": (RULES, 'p, regexMatch(r.sub, "(?=a)b"), read', "is not matched in linear time"),
    "a possessive mark": (RULES, 'p, regexMatch(r.sub, "a*+"), read', "is not matched in linear time"),
    "a count RE2 does not take": (RULES, 'p, regexMatch(r.sub, "a{1001}"), read', "is not matched in linear time"),
    "an end only Python knows": (RULES, 'p, regexMatch(r.sub, "a\\\\Z"), read', "is not matched in linear time"),
    "an end only Go knows": (RULES, 'p, regexMatch(r.sub, "a\\\\z"), read', "PyCasbin cannot read `a\\z`"),
    "a count read differently": (RULES, 'p, regexMatch(r.sub, "a{,3}"), read', "`{,n}` is read differently"),
    "a class of letters by name": (RULES, 'p, regexMatch(r.sub, "[[:alpha:]]"), read', "write the letters out"),
    "a group keyMatch4 would count": (RULES, 'p, keyMatch4(r.sub, "/(a)/{x}"), read', "keyMatch4 counts brackets"),
    "an open class in a glob": (RULES, 'p, globMatch(r.sub, "[]"), read', "`[` that is not closed within its segment"),
    "a backslash in a glob": (RULES, 'p, globMatch(r.sub, "\\\\*"), read', "holds a backslash"),
    "an empty glob": (RULES, 'p, globMatch(r.sub, ""), read', "an empty pattern matches nothing"),
    "slashes doubled in a glob": (RULES, 'p, globMatch(r.sub, "/a//b"), read', "once is enough"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_that_cannot_be_taken_is_refused_at_its_line(case):
    model_text, row, said = ROWS[case]
    good = {MODEL: BASIC_ROWS, ROLES: RBAC_ROWS, RULES: "p, r.sub == r.act, read\n# a comment\n"}[model_text]
    faults = found(model_text, f"{good}{row}\n")
    assert len(faults) == 1, faults
    assert faults[0].startswith(f"policy.csv:{good.count(chr(10)) + 1}: "), faults
    assert said in faults[0]


EFFECTS = {
    "capitals": (AND_DENY, "Deny", "effect `Deny` is none: Casbin would drop the row; write allow or deny"),
    "another word": (AND_DENY, "denied", "effect `denied` is none"),
    "a denial nobody hears": (OVERRIDE, "deny", "this model's effect takes no notice of deny; write `e = some("),
}


@pytest.mark.parametrize("case", EFFECTS)
def test_an_effect_that_would_be_lost_is_refused(case):
    effect, eft, said = EFFECTS[case]
    text = model(BASIC, row="sub, obj, act, eft", effect=effect)
    faults = found(text, f"p, alice, data1, read, allow\np, alice, data1, write, {eft}\n")
    assert len(faults) == 1
    assert faults[0].startswith("policy.csv:2: ")
    assert said in faults[0]


def test_roles_in_a_circle_are_refused_at_each_of_their_links():
    faults = found(ROLES, RBAC_ROWS + "g, a, b\ng, b, c\ng, c, a\ng, d, a\n")
    assert [fault.split(": ")[0] for fault in faults] == ["policy.csv:6", "policy.csv:7", "policy.csv:8"]
    assert all("are roles of each other; remove a link" in fault for fault in faults)
    assert "`a` and `a` are roles of each other" in found(ROLES, "p, a, x, y\ng, a, a\n")[0]


def test_a_chain_of_roles_longer_than_pycasbin_follows_is_refused_and_one_as_long_is_not():
    def chain(links: int) -> str:
        return "p, n0, x, y\n" + "".join(f"g, n{n + 1}, n{n}\n" for n in range(links))

    assert load(ROLES, chain(9)).enforce(("n9", "x", "y")).allow
    faults = found(ROLES, chain(10))
    assert faults == [
        "policy.csv:11: `n10` is under 10 links in a row; at most 9, where PyCasbin stops without a word: "
        "flatten the roles"
    ]


def test_a_rule_to_evaluate_needs_a_row():
    assert found(RULES, "# none\n") == ["policy.csv:1: no row of p, and `eval` of the matcher has no rule; add a row"]


def test_all_faults_of_a_policy_are_found_in_one_go():
    text = model("eval(p.rule) && regexMatch(r.act, p.act)", row="rule, act", roles=["_, _"])
    rows = "p, mfa, read\nq, x\np, r.sub, (\np, r.sub, a**\np, r.sub\ng, a, a\n"
    assert [fault.split(": ")[0] for fault in found(text, rows)] == [f"policy.csv:{n}" for n in range(1, 7)]


def test_all_faults_of_a_model_are_found_in_one_go():
    faults = found(MODEL.replace("obj, act", "obj, obj").replace(OVERRIDE, "deny"), "")
    assert [fault.split(": ")[0] for fault in faults] == ["model.conf:2", "model.conf:5", "model.conf:8"]
