"""Each thing wrong with a pack is a fault with file, line and the next step; all of them are found in one go."""

from collections.abc import Callable

import pytest

from sidecar.errors import PolicyFault
from tests.policy.lighthouse import SHIPPED, a_policy, edited

GATES, ROLES, MODEL, TOML = "rules/gates.csv", "roles.csv", "model.conf", "pack.toml"
ROW = "p, G-SUB-9, tous, tout, toute_action, tout_motif, r.subject.away, deny, AWAY, -, S-1"
ONE = ROW.replace("tout_motif", "veille")  # in a place of its own


def add(line: str) -> Callable[[str], str]:
    """A line at the end of the file."""
    return lambda text: f"{text}{line}\n"


def swap(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


def last(file: str) -> int:
    """The line that `add` writes."""
    return SHIPPED.files[file].count("\n") + 1


def line(file: str, part: str) -> int:
    return next(n for n, text in enumerate(SHIPPED.files[file].split("\n"), 1) if part in text)


def found(edits: dict) -> list[str]:
    with pytest.raises(PolicyFault) as fault:
        a_policy(pack=edited(edits))
    return [str(each) for each in fault.value.faults]


@pytest.mark.parametrize(
    ("link", "key", "said"),
    [
        ("g, robot, tous", "profiles", "profile `robot` is under no group that holds them all"),
        ("g2, moteur, tout", "categories", "category `moteur` is under no group that holds them all"),
        ("g3, write, toute_action", "actions", "action `write` is under no group that holds them all"),
        ("g4, vente, tout_motif", "purposes", "purpose `vente` is under no group that holds them all"),
    ],
)
def test_a_name_that_gates_for_all_would_not_meet_is_refused(link, key, said):
    faults = found({ROLES: swap(f"{link}\n", "")})
    assert any(fault.startswith(f"{TOML}:") and said in fault and "in roles.csv" in fault for fault in faults), faults


LINES = {
    "a row type in capitals": ("P" + ROW[1:], "unknown row type `P`; the types are p, p2, p3, g, g2, g3, g4"),
    "a row type misspelt": ("p4" + ROW[1:], "unknown row type `p4`"),
    "a field missing": (ROW.replace(", -,", ","), "`p` has 10 fields"),
    "a field too many": (ROW + ", S-2", "`p` has 10 fields"),
    "an effect in capitals": (ROW.replace("deny", "Deny"), "effect `Deny` is none: PyCasbin would drop the row"),
    "an effect misspelt": (ROW.replace("deny", "denied"), "write allow or deny"),
    "a bare word": (ROW.replace("r.subject.away", "!mfa"), "`mfa` is not a word; write `r.<noun>.<word>`"),
    "a word outside the vocabulary": (ROW.replace("away", "afar"), "unknown word `r.subject.afar`"),
    "an argument of the wrong type": (
        ROW.replace("r.subject.away", 'r.subject.seen_within("3")'),
        "takes (int), not (3)",
    ),
    "a tag nothing carries": (ROW.replace("r.subject.away", 'r.resource.tagged("vert")'), 'knows no "vert"'),
    "a switch the pack does not have": (ROW.replace("r.subject.away", 'r.context.setting("x")'), 'knows no "x"'),
    "a lower-case truth value": (ROW.replace("r.subject.away", "true"), "write `True` or `False`"),
    "a number as truth value": (ROW.replace("r.subject.away", "1"), "write `True` or `False`"),
    "`&&` without spaces": (
        ROW.replace("r.subject.away", "r.subject.away&&r.subject.near"),
        "with a space on each side",
    ),
    "`||` without a space": (ROW.replace("r.subject.away", "r.subject.away ||r.subject.near"), "with a space on each"),
    "words of Python": (ROW.replace("r.subject.away", "r.subject.away and r.subject.near"), "write `&&`"),
    "a comparison": (ROW.replace("r.subject.away", "r.subject.away == True"), "`== True` cannot be read; write words"),
    "a text as truth value": (ROW.replace("r.subject.away", '"rouge"'), '`"rouge"` where a word `r.<noun>.<word>`'),
    "a word with an attribute": (ROW.replace("away", "away.since"), "`r.subject.away.since` is not a word"),
    "a word that takes no arguments": (ROW.replace("away", "away()"), "takes no arguments; write it without"),
    "a decimal number": (ROW.replace("r.subject.away", "r.subject.seen_within(1.5)"), "cannot be read"),
    "a negative number": (ROW.replace("r.subject.away", "r.subject.seen_within(-3)"), "cannot be read"),
    "a number that begins with 0": (ROW.replace("r.subject.away", "r.subject.seen_within(03)"), "cannot be read"),
    "a boolean as argument": (
        ROW.replace("r.subject.away", "r.subject.seen_within(True)"),
        "`True` is not an argument",
    ),
    "single quotes": (
        ROW.replace("r.subject.away", "r.resource.tagged('rouge')"),
        "`'` means something else to PyCasbin",
    ),
    "a comma in a text": (
        ROW.replace("r.subject.away", 'r.resource.tagged("a,b")'),
        "of letters, digits, `_`, `:` and `-`",
    ),
    "a parenthesis in a text": (
        ROW.replace("r.subject.away", 'r.resource.tagged("a)b")'),
        "parentheses do not balance",
    ),
    "a pattern": (ROW.replace("r.subject.away", 'r.resource.tagged("(a+)+b")'), "of letters, digits, `_`, `:` and `-`"),
    "a function of Casbin": (ROW.replace("r.subject.away", 'regexMatch(r.purpose, "a")'), "`regexMatch` is not a word"),
    "nothing to evaluate": (ROW.replace("r.subject.away", ""), "`the end` where a word"),
    "a null": (ROW.replace("tous", "to\x00us"), "control character '\\x00'"),
    "the same under another name": (ROW, "says what `G-SUB-2` of rules/gates.csv:3 says; keep one of the two"),
    "leave that a refusal takes back": (
        ROW.replace("deny, AWAY", "allow, ALLOW_NEAR"),
        "never allows: rules/gates.csv:3 denies in the same place and case; remove one",
    ),
    "a trailing comment": (ROW + " # why", "PyCasbin reads a trailing comment as part of the last field"),
    "a comment after spaces": ("  # why", "a comment starts in the first column"),
    "a line of spaces": ("   ", "a line of spaces raises in PyCasbin"),
    "a leading comma": ("," + ROW, "unknown row type ``"),
    "quotes round a field": (ROW.replace("tous", '"tous"'), '`"tous"` is not a profile'),
    "quotes round an expression": (ROW.replace("r.subject.away", '"r.subject.away"'), "cannot be read"),
    "an open parenthesis": (ROW.replace("r.subject.away", "(r.subject.away"), "parentheses do not balance"),
    "a closed parenthesis": (ROW.replace("r.subject.away", "r.subject.away)"), "parentheses do not balance"),
    "braces": (ROW.replace("S-1", "F{a}"), "`{` means something else to PyCasbin"),
    "brackets": (ROW.replace("S-1", "[P]"), "`[` means something else to PyCasbin"),
    "a tab": (ROW.replace("tous,", "tous,\t"), "control character '\\t'"),
    "a carriage return": (ROW + "\r", "control character '\\r'"),
    "a vertical tab in a comment": ("# a\x0bp, b", "control character '\\x0b'"),
    "a line separator in a comment": ("# a\u2028p, b", "control character '\\u2028'"),
    "an accented letter": (ROW.replace("tous", "tôus"), "`ô` outside a comment; rows are written in ASCII"),
    "a rule of no gate": (ONE.replace("G-SUB-9", "H-1"), "no gate is a prefix of `H-1`; add one to order.gates"),
    "a gate that is only a beginning": (ONE.replace("G-SUB-9", "G-SUBX"), "no gate is a prefix of `G-SUBX`"),
    "an unknown profile": (ROW.replace("tous", "pirate"), "unknown profile `pirate`"),
    "an unknown category": (ROW.replace("tout,", "tresor,"), "unknown category `tresor`"),
    "an unknown action": (ROW.replace("toute_action", "couler"), "unknown action `couler`"),
    "an unknown purpose": (ROW.replace("tout_motif", "pillage"), "unknown purpose `pillage`"),
    "a category where the action is": (ROW.replace("toute_action", "papiers"), "unknown action `papiers`"),
    "a will told by its reason": (
        ROW.replace("r.subject.away", "r.subject.named && r.patient.blocked"),
        "`r.patient.blocked` tells the patient's will, and `AWAY` is shown as it is; write discloses = true in"
        " [reasons.AWAY], or another reason",
    ),
    "an unknown reason": (ROW.replace("AWAY", "AFAR"), "unknown reason `AFAR`; add [reasons.AFAR] to pack.toml"),
    "no reason": (ROW.replace("AWAY", "-"), "a row of p names its reason"),
    "a refusal for the reason of a permit": (ROW.replace("AWAY", "ALLOW_NEAR"), "is not one a row may deny for"),
    "a refusal for a reason of the product": (ROW.replace("AWAY", "POLICY_ERROR"), "is not one a row may deny for"),
    "an otherwise on a row that denies": (ROW.replace("-, S-1", "PAST, S-1"), "a row that denies has no otherwise"),
    "a permit without rank": (ONE.replace("deny", "allow"), "has no rank; add it to order.allow_rank"),
    "a role outside roles.csv": ("g, gardien, tous", "`g` rows belong in roles.csv"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_row_that_cannot_be_used_is_named_by_file_and_line(case):
    text, said = LINES[case]
    faults = found({GATES: add(text)})
    assert len(faults) == 1
    assert faults[0].startswith(f"{GATES}:{last(GATES)}: ")
    assert said in faults[0]


OTHER = {
    "an otherwise that is no reason": ("rules/grounds.csv", swap("PAST when", "PAST if"), "is no otherwise"),
    "an otherwise without rank": ("rules/grounds.csv", swap("PAST when", "AWAY when"), "otherwise `AWAY` has no rank"),
    "an otherwise with an unknown word": ("rules/grounds.csv", swap("when r.subject.was_near", "when x"), "`x` is not"),
    "a cell that allows with a reason": ("rules/matrix.csv", swap("True, allow, -", "True, allow, AWAY"), "write -"),
    "a cell with an unknown reason": ("rules/matrix.csv", swap("SEALED", "CLOSED"), "unknown reason `CLOSED`"),
    "an unknown obligation": ("rules/duties.csv", swap("True, LOG,", "True, LOGS,"), "unknown obligation `LOGS`"),
    "an obligation with too many arguments": ("rules/duties.csv", swap("(72h)", "(72h,1d)"), "not 2 arguments"),
    "an obligation with an empty argument": ("rules/duties.csv", swap("(72h)", "(72h,)"), "an empty argument"),
    "an obligation in lower case": ("rules/duties.csv", swap("REVIEW(72h)", "review"), "`review` is not an obligation"),
    "a rule in roles.csv": (ROLES, add(ROW), "rules belong in rules/*.csv"),
    "a role of an unknown member": (ROLES, add("g, pirate, tous"), "unknown profile `pirate`"),
    "a role with a field missing": (ROLES, add("g, gardien"), "`g` has 2 fields (member, group), not 1"),
    "a name with a space": (ROLES, add("g, le gardien, tous"), "`le gardien` is not a member"),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_is_wrong_in_another_file_is_named_there(case):
    file, edit, said = OTHER[case]
    faults = found({file: edit})
    changed = edit(SHIPPED.files[file]).split("\n")
    place = next(n for n, (a, b) in enumerate(zip(changed, SHIPPED.files[file].split("\n"), strict=False), 1) if a != b)
    assert len(faults) == 1
    assert faults[0].startswith(f"{file}:{place}: ")
    assert said in faults[0]


MODELS = {
    "allow by default": (
        swap("e = some(where (p.eft == allow)) && !some(where (p.eft == deny))", "e = !some(where (p.eft == deny))"),
        "an effect that allows by default permits whoever no rule names",
    ),
    "priority": (
        swap("e = some(where (p.eft == allow)) && !some(where (p.eft == deny))", "e = priority(p.eft) || deny"),
        "a priority effect makes the order of rows decide",
    ),
    "allow override": (
        swap("e = some(where (p.eft == allow)) && !some(where (p.eft == deny))", "e = some(where (p.eft == allow))"),
        "this effect is not accepted; write `some(where",
    ),
    "an effect spaced so that PyCasbin knows it not": (
        swap("some(where (p.eft == allow))", "some(where(p.eft == allow))"),
        "this effect is not accepted",
    ),
    "a matcher without the conditions": (
        swap("g4(r.purpose, p.purpose) && eval(p.when)", "g4(r.purpose, p.purpose)"),
        "`m` differs from the accepted model",
    ),
    "a row that lost a field": (swap("eft, reason, otherwise, source", "eft, reason, source"), "`p` differs"),
    "an unknown section": (add("[role_definitions]"), "unknown section `[role_definitions]`"),
    "an unknown definition": (swap("g  = _, _", "g  = _, _\ng5 = _, _"), "`g5` is not a definition of `[role_definit"),
    "a definition twice": (swap("g  = _, _", "g  = _, _\ng  = _, _"), "`g` is defined twice, first in line"),
    "a line that defines nothing": (swap("g  = _, _", "g  = _, _\nmystery"), "`mystery` is not a definition"),
    "a continued line": (swap("g  = _, _", "g  = \\\n_, _"), "`g` differs from the accepted model"),
}


@pytest.mark.parametrize("case", MODELS)
def test_another_model_is_refused_with_a_sentence_that_says_why(case):
    edit, said = MODELS[case]
    faults = found({MODEL: edit})
    assert all(fault.startswith(f"{MODEL}:") for fault in faults)
    assert any(said in fault for fault in faults)


def test_a_definition_missing_from_the_model_is_asked_for():
    assert found({MODEL: swap("g4 = _, _", "")}) == [
        "model.conf:1: `g4` is missing; add `g4 = _, _` under `[role_definition]`"
    ]


def test_spaces_that_mean_nothing_to_casbin_mean_nothing_here():
    a_policy(pack=edited({MODEL: swap("g(r.subject.profile, p.profile)", "g( r.subject.profile,p.profile )")}))


PARAMETERS = {
    "gates listed twice": ('"G-LIFE", "G-WILL", "A-7"]', '"G-LIFE", "G-WILL", "A-7", "A-7"]', "gates", "listed twice"),
    "firm gates that are not the first": (
        'firm_gates = ["G-SUB"',
        'firm_gates = ["G-LIFE"',
        "firm_gates",
        "the first of",
    ),
    "a rank for no reason": ('"ALLOW_FOR"]', '"ALLOW_FOR", "ALLOW_X"]', "allow_rank", "unknown reason `ALLOW_X`"),
    "an unknown gate of the delegator": (
        'gates = ["G-LIFE", "G-WILL"]',
        'gates = ["G-LI"]',
        "delegator_gates",
        "gate `G-LI`",
    ),
    "a permit with obligations": (
        "ALLOW_NEAR = {}",
        'ALLOW_NEAR = { obligations = ["LOG"] }',
        "ALLOW_NEAR",
        "row of p2",
    ),
    "an unknown obligation": (
        'SHARED = { obligations = ["STEP_UP"',
        'SHARED = { obligations = ["STEP"',
        "SHARED",
        "`STEP`",
    ),
    "a refusal that needs the situation": (
        'SHARED = { obligations = ["STEP_UP"',
        'SHARED = { obligations = ["BANNER"',
        "SHARED",
        "needs a value of the situation (until)",
    ),
    "a purpose nobody defines": (
        'kinds = ["marin"], purposes = ["service"]',
        'kinds = ["marin"], purposes = ["x"]',
        "gardien",
        "`x`",
    ),
    "an eligible profile unknown": ("{ gardien =", "{ pirate =", "eligible", "unknown profile `pirate`"),
    "an eligible scope unknown": ('plongeur = "papiers" }', 'plongeur = "x" }', "eligible", "unknown category `x`"),
    "an unknown gate of opening": (
        'gates = ["G-SUB", "G-WILL"',
        'gates = ["G-S", "G-WILL"',
        None,
        "unknown gate `G-S`",
    ),
    "a vital motive unknown": ('vital_motives = ["TEMPETE"', 'vital_motives = ["CALME"', "vital_motives", "`CALME`"),
    "an action nobody defines": ('action = "ouvrir"', 'action = "casser"', "action =", "unknown action `casser`"),
    "a grant without end": ("ttl = 14400", "ttl = 0", "ttl", "above 0"),
    "a disclosure nobody knows": (
        'mask_disclosure = { value = "none"',
        'mask_disclosure = { value = "some"',
        "mask_disc",
        "`some`",
    ),
    "a worth of a block nobody knows": (
        "[settings]\n",
        '[settings]\nblocked_bg = { value = "allow", source = "S-14", set_by = "proposal" }\n',
        "blocked_bg",
        "`allow` is none of alert, alert_allow",
    ),
    "a motive for one factor unknown": (
        'vital_motives = ["TEMPETE"]',
        'vital_motives = ["TEMPETE"]\nsingle_factor_motives = ["CALME"]',
        "single_factor_motives",
        "unknown motive `CALME`",
    ),
    "a motive to pass a block unknown": (
        'vital_motives = ["TEMPETE"]',
        'vital_motives = ["TEMPETE"]\nblocked_motives = ["CALME"]',
        "blocked_motives",
        "unknown motive `CALME`",
    ),
    "a clinical group unknown": ('clinical = "papiers"', 'clinical = "x"', "clinical", "unknown category `x`"),
    "a category with a comma": (
        '"carte", "journal", "moteur"]\n',
        '"carte", "journal", "moteur", "a,b"]\n',
        "categories",
        "`a,b`",
    ),
    "a list nobody merges": (
        'COSIGN_BY = { params = ["id"] }',
        'COSIGN_BY = { merge = "union" }',
        "COSIGN_BY",
        "no params",
    ),
    "a purpose that rests on nothing": (
        'veille = { basis = "contrat"',
        '# veille = { basis = "contrat"',
        "purposes =",
        "purpose `veille` has no legal basis; state it under [legal_bases]",
    ),
    "a purpose always denied that rests on something": (
        "[legal_bases]\n",
        '[legal_bases]\nvente = { basis = "contrat", source = "S-15", set_by = "law" }\n',
        "vente =",
        "purpose `vente` is always denied and rests on nothing",
    ),
    "a basis of a purpose nobody has": (
        "[legal_bases]\n",
        '[legal_bases]\npeche = { basis = "contrat", source = "S-15", set_by = "law" }\n',
        "legal_bases",
        "unknown purpose `peche`",
    ),
    "a basis that is none of art. 6": (
        '"interets_vitaux"',
        '"interet"',
        "sauvetage =",
        "`interet` is no basis of art. 6 GDPR",
    ),
    "a kind of fact nobody sends": (
        "facts_max_age = {}",
        "facts_max_age = { x = 1 }",
        "facts_max_age",
        "kind of fact `x`",
    ),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_parameter_that_names_nothing_is_found_at_its_line(case):
    old, new, where, said = PARAMETERS[case]
    edit = swap(old, new)
    faults = found({TOML: edit})
    text = edit(SHIPPED.files[TOML]).split("\n")
    assert any(said in fault and fault.startswith(f"{TOML}:") for fault in faults)
    place = int(next(fault for fault in faults if said in fault).split(":")[1])
    assert (where or "gates") in text[place - 1]


def test_a_reason_the_product_may_give_must_be_in_the_pack():
    assert f"{TOML}:{line(TOML, '[reasons]')}: the product may answer `NO_RULE`; add [reasons.NO_RULE]" in found(
        {
            TOML: swap("NO_RULE = {}\n", ""),
            "texts/fr.toml": swap("NO_RULE", "ZZ"),
            "texts/en.toml": swap("NO_RULE", "ZZ"),
        }
    )


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("code", ["HIDDEN", "LOG", "OLD_PAPER", "AUTRE"])
def test_every_code_has_a_sentence_in_both_languages(language, code):
    file = f"texts/{language}.toml"
    faults = found({file: swap(f"\n{code} =", "\nX_X =")})
    assert any(fault.startswith(f"{file}:") and f"no sentence for `{code}`" in fault for fault in faults)
    assert any(f"{file}:{line(file, f'{code} =')}: `X_X` is not in pack.toml" in fault for fault in faults)


def test_roles_in_a_circle_are_refused_at_each_of_their_links():
    faults = found({ROLES: add("g, tous, humain")})
    assert [fault.split(": ")[0] for fault in faults] == [
        f"{ROLES}:{line(ROLES, 'g, humain, tous')}",
        f"{ROLES}:{last(ROLES)}",
    ]
    assert "members of each other" in faults[0]
    assert "members of each other" in found({ROLES: add("g, gardien, gardien")})[0]
    above = found({ROLES: add("g, tous, humain\ng, tous, monde")})
    assert len(above) == 2, above


def test_a_chain_of_roles_longer_than_pycasbin_follows_is_refused_and_one_as_long_is_not():
    chain = ["g, tous, n1"] + [f"g, n{n}, n{n + 1}" for n in range(1, 7)]
    a_policy(pack=edited({ROLES: add("\n".join(chain))}))
    faults = found({ROLES: add("\n".join([*chain, "g, n7, n8", "g, n8, n9"]))})
    assert any("over 10 links in a row; at most 9" in fault for fault in faults)


def test_all_faults_of_a_pack_are_found_in_one_go():
    faults = found(
        {
            GATES: add(ROW.replace("deny", "Deny") + "\n" + ROW.replace("away", "afar")),
            ROLES: add("g, pirate, tous"),
            MODEL: swap("g4 = _, _", ""),
            "texts/fr.toml": swap("\nLOG =", "\nLOGS ="),
        }
    )
    assert {fault.split(":")[0] for fault in faults} == {GATES, ROLES, MODEL, "texts/fr.toml"}
    assert len(faults) == 6


def test_the_pack_itself_has_no_fault():
    assert a_policy().pack.pack.name == "phare"
