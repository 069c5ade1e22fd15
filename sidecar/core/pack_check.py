"""What a pack says twice must agree: rows, groups, parameters and texts are checked against each other.

A name that nothing defines would make a row that never matches: a prohibition that never prohibits.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from sidecar.core import obligations
from sidecar.core.casbin_text import NAME, Cell, Duty, Rows, Rule
from sidecar.core.compiled import gate_of
from sidecar.core.expression import Nouns, terms
from sidecar.core.legal_basis import BASES
from sidecar.core.model import KINDS
from sidecar.core.pack import Pack
from sidecar.core.question import ANSWER_MAX_AGE, MASK_DISCLOSURE
from sidecar.core.words_request import ALERT_ALLOW, BLOCKED_BG
from sidecar.errors import Fault

PACK_FILE = "pack.toml"
DISCLOSURES = ("none", "existence", "type")
BLOCKED_WORTH = ("alert", ALERT_ALLOW)
KIND = {"g": "profile", "g2": "category", "g3": "action", "g4": "purpose"}
LISTED = {"g": "profiles", "g2": "categories", "g3": "actions", "g4": "purposes"}

# Tables of texts that name things for people. They decide nothing: a name that is missing is shown as its code.
LABELS = (
    "profiles", "categories", "actions", "purposes", "tags", "flags", "kinds", "relations", "gates", "rules",
    "settings", "sources", "audiences",
)  # fmt: skip

# A fault of pack.toml: the path of the key, and what is wrong.
PackFault = tuple[tuple[str, ...], str]
Texts = Mapping[str, Mapping[str, Mapping[str, str]]]  # language → table → code → sentence


def known(pack: Pack) -> dict[str, frozenset[str]]:
    """The names of the vocabulary, by the section of links that groups them."""
    vocabulary = pack.vocabulary
    return {
        "g": frozenset(vocabulary.profiles),
        "g2": frozenset(vocabulary.categories),
        "g3": frozenset(vocabulary.actions),
        "g4": frozenset(vocabulary.purposes) | frozenset(vocabulary.denied_purposes),
    }


def row_faults(pack: Pack, rows: Rows, own_reasons: Collection[str], nouns: Nouns) -> list[Fault]:
    """Names in rows that nothing defines, and reasons without a rank."""
    names = {section: set(plain) for section, plain in known(pack).items()}
    for link in rows.links:
        names[link.section].add(link.group)
    found = [
        link.at.fault(f"unknown {KIND[link.section]} `{link.member}`; add it to pack.toml or remove the link")
        for link in rows.links
        if link.member not in names[link.section]
    ]
    every: tuple[Rule | Cell | Duty, ...] = (*rows.rules, *rows.cells, *rows.duties)
    for row in every:
        found += [row.at.fault(text) for text in _name_faults(row, names)]
    found += [row.at.fault(text) for row, text in _shadowed(rows)]
    for rule in rows.rules:
        found += [rule.at.fault(text) for text in _rule_faults(rule, pack, own_reasons, nouns)]
    for cell in rows.cells:
        if cell.reason and cell.reason not in pack.reasons:
            found.append(cell.at.fault(f"unknown reason `{cell.reason}`; add [reasons.{cell.reason}] to pack.toml"))
    for duty in rows.duties:
        try:
            obligations.template(duty.obligation, pack.obligations)
        except ValueError as fault:
            found.append(duty.at.fault(str(fault)))
    return found


def _shadowed(rows: Rows) -> Iterator[tuple[Rule | Cell | Duty, str]]:
    """Rows that another makes useless: the same under another name, and leave that a refusal of the same takes back.

    A row repeated under its own name means nothing, and neither does its order. Rows of the same place and case with
    another reason, or another `otherwise`, are both told.
    """
    seen: dict[tuple[object, ...], Rule | Cell | Duty] = {}
    every: tuple[Rule | Cell | Duty, ...] = (*rows.rules, *rows.cells, *rows.duties)
    for row in every:
        first = seen.setdefault(_said(row), row)
        if first.rule != row.rule:
            yield row, f"says what `{first.rule}` of {first.at.file}:{first.at.line} says; keep one of the two"
    judged: tuple[Rule | Cell, ...] = (*rows.rules, *rows.cells)
    refusals = {(type(row), *_place(row)): row.at for row in judged if row.deny}
    for row in judged:
        refusal = None if row.deny else refusals.get((type(row), *_place(row)))
        if refusal:
            yield row, f"never allows: {refusal.file}:{refusal.line} denies in the same place and case; remove one"


def _place(row: Rule | Cell | Duty) -> tuple[str, ...]:
    """Where and when a row applies."""
    purpose = () if isinstance(row, Cell) else (row.purpose,)
    return row.profile, row.category, row.action, *purpose, row.when.text


def _said(row: Rule | Cell | Duty) -> tuple[object, ...]:
    """What a row says, apart from its name and its source."""
    if isinstance(row, Duty):
        return Duty, *_place(row), row.obligation
    otherwise = row.otherwise if isinstance(row, Rule) else None
    fallback = otherwise and (otherwise.reason, otherwise.when and otherwise.when.text)
    return type(row), *_place(row), row.deny, row.reason, fallback


def _name_faults(row: Rule | Cell | Duty, names: Mapping[str, Collection[str]]) -> Iterator[str]:
    given = {"g": row.profile, "g2": row.category, "g3": row.action}
    if not isinstance(row, Cell):
        given["g4"] = row.purpose
    for section, name in given.items():
        if name not in names[section]:
            yield f"unknown {KIND[section]} `{name}`; add it to pack.toml, or as a group to roles.csv"


def _rule_faults(rule: Rule, pack: Pack, own_reasons: Collection[str], nouns: Nouns) -> Iterator[str]:
    order = pack.order
    if rule.reason not in pack.reasons:
        yield f"unknown reason `{rule.reason}`; add [reasons.{rule.reason}] to pack.toml"
    elif not rule.deny and rule.reason not in order.allow_rank:
        yield f"reason `{rule.reason}` of a row that allows has no rank; add it to order.allow_rank"
    elif rule.deny and (rule.reason in order.allow_rank or rule.reason in own_reasons):
        yield f"reason `{rule.reason}` is not one a row may deny for; write the reason of this rule"
    elif rule.deny and not pack.reasons[rule.reason].discloses:
        # 3.0.4: a reason that is shown must not tell what the patient wanted hidden.
        told = next((term for term in terms(rule.when.node) if nouns[term.noun][term.word].will), None)
        if told is not None:
            yield (
                f"`r.{told.noun}.{told.word}` tells the patient's will, and `{rule.reason}` is shown as it is; write"
                f" discloses = true in [reasons.{rule.reason}], or another reason"
            )
    if rule.deny and not gate_of(rule.rule, order.gates):
        yield f"no gate is a prefix of `{rule.rule}`; add one to order.gates"
    if rule.otherwise and rule.otherwise.reason not in order.otherwise_rank:
        yield f"otherwise `{rule.otherwise.reason}` has no rank; add it to order.otherwise_rank"


def pack_faults(pack: Pack, groups: Mapping[str, Collection[str]], own_reasons: Collection[str]) -> Iterator[PackFault]:
    """What pack.toml says of names it does not define. `groups` are the group names, by section."""
    plain = known(pack)
    names = {section: frozenset(plain[section]) | frozenset(groups[section]) for section in plain}
    yield from _vocabulary_faults(pack, plain, names)
    yield from _order_faults(pack)
    yield from _reason_faults(pack, own_reasons)
    yield from _break_glass_faults(pack, plain, names)
    yield from _setting_faults(pack)
    yield from _basis_faults(pack)
    for name, job in pack.jobs.items():
        if name not in plain["g"]:
            yield ("jobs", name), f"job `{name}` is no profile; add it to vocabulary.profiles"
        yield from _unknown(("jobs", name, "purposes"), job.purposes, names["g4"], "purpose")
        yield from _unknown(("jobs", name, "categories"), job.categories, names["g2"], "category")
        yield from _unknown(("jobs", name, "actions"), job.actions, names["g3"], "action")
        yield from _unknown(("jobs", name, "write_categories"), job.write_categories, names["g2"], "category")
    mapped = pack.import_.get("fhir", {})
    flags, tags = pack.vocabulary.flags, pack.vocabulary.tags
    for table, words, what in (
        ("profiles", plain["g"], "profile"),
        ("categories", plain["g2"], "category"),
        ("flags", flags, "flag"),
        ("tags", tags, "tag"),
    ):
        yield from _unknown(("import", "fhir", table), mapped.get(table, {}).values(), words, what)
    yield from _unknown(("freshness", "facts_max_age"), pack.freshness.facts_max_age, KINDS, "kind of fact")


def root_faults(pack: Pack, members: Mapping[str, Mapping[str, Collection[str]]]) -> Iterator[PackFault]:
    """The names that no root group holds: a gate written for the root would not meet them, and they would pass it.

    `members` are the flattened groups, by section. The root of a section is its widest group.
    """
    for section, listed in known(pack).items():
        names = frozenset(listed)
        root, held = max(
            ((group, names.intersection(under)) for group, under in members[section].items()),
            key=lambda each: (len(each[1]), each[0]),
            default=("", frozenset[str]()),
        )
        for name in sorted(names - held):
            where = f"put it under `{root}`" if root else "write a root group"
            yield (
                ("vocabulary", LISTED[section]),
                f"{KIND[section]} `{name}` is under no group that holds them all, so gates for all would not meet it;"
                f" {where} in roles.csv",
            )


def _vocabulary_faults(
    pack: Pack, plain: Mapping[str, Collection[str]], names: Mapping[str, Collection[str]]
) -> Iterator[PackFault]:
    vocabulary = pack.vocabulary
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("profiles", vocabulary.profiles),
        ("categories", vocabulary.categories),
        ("tags", vocabulary.tags),
        ("actions", vocabulary.actions),
        ("purposes", vocabulary.purposes),
        ("relations", vocabulary.relations),
        ("flags", vocabulary.flags),
    )
    for key, listed in lists:
        for name in listed:
            if not NAME.match(name):
                yield ("vocabulary", key), f"`{name}` is not a name; write letters, digits, _ and -"
    for name, profile in vocabulary.profiles.items():
        yield from _unknown(("vocabulary", "profiles", name), profile.purposes, names["g4"], "purpose")
    without = vocabulary.without_patient
    yield from _unknown(("vocabulary", "without_patient", "actions"), without.actions, names["g3"], "action")
    yield from _unknown(("vocabulary", "without_patient", "categories"), without.categories, names["g2"], "category")
    yield from _unknown(("vocabulary", "write_actions"), vocabulary.write_actions, names["g3"], "action")
    yield from _unknown(("vocabulary", "protected_flags"), vocabulary.protected_flags, vocabulary.flags, "flag")
    yield from _unknown(("vocabulary", "safety"), vocabulary.safety, plain["g2"], "category")
    yield from _unknown(("vocabulary", "safety"), vocabulary.safety.values(), pack.settings, "setting")
    yield from _unknown(("vocabulary", "secret_tags"), vocabulary.secret_tags, vocabulary.tags, "tag")
    yield from _unknown(("vocabulary", "dim_profiles"), vocabulary.dim_profiles, plain["g"], "profile")
    for key in ("consent_categories", "with_request"):
        yield from _unknown(("vocabulary", key), getattr(vocabulary, key), names["g2"], "category")
    if vocabulary.clinical not in names["g2"]:
        yield ("vocabulary", "clinical"), f"unknown category `{vocabulary.clinical}`; name a category or a group"


def _order_faults(pack: Pack) -> Iterator[PackFault]:
    order = pack.order
    for key in ("gates", "otherwise_rank", "allow_rank"):
        listed = getattr(order, key)
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            yield ("order", key), f"`{name}` is listed twice; keep one, its place is its rank"
    yield from _unknown(("order", "otherwise_rank"), order.otherwise_rank, pack.reasons, "reason")
    yield from _unknown(("order", "allow_rank"), order.allow_rank, pack.reasons, "reason")
    yield from _unknown(("order", "delegator_gates"), order.delegator_gates, order.gates, "gate")
    if order.firm_gates != order.gates[: len(order.firm_gates)]:
        yield ("order", "firm_gates"), "firm_gates are the first of gates, in the same order; put them first"


def _reason_faults(pack: Pack, own_reasons: Collection[str]) -> Iterator[PackFault]:
    for name in own_reasons:
        if name not in pack.reasons:
            yield ("reasons",), f"the product may answer `{name}`; add [reasons.{name}]"
    for name, reason in pack.reasons.items():
        if not NAME.match(name):
            yield ("reasons", name), f"`{name}` is not a reason code; write letters, digits and _"
        if name in pack.order.allow_rank and (reason.obligations or reason.break_glass or reason.discloses):
            yield ("reasons", name), f"`{name}` is the reason of a permit: what comes with a yes is a row of p2"
        yield from _unfilled(("reasons", name), reason.obligations, pack)
    for name, rule in pack.obligations.items():
        if rule.merge != "same" and not rule.params:
            yield ("obligations", name), f'`{name}` has no params to merge; list them or write merge = "same"'


def _break_glass_faults(
    pack: Pack, plain: Mapping[str, Collection[str]], names: Mapping[str, Collection[str]]
) -> Iterator[PackFault]:
    rules, at = pack.break_glass, "break_glass"
    yield from _unknown((at, "action"), (rules.action,), plain["g3"], "action")
    yield from _unknown((at, "purpose"), (rules.purpose,), plain["g4"], "purpose")
    yield from _unknown((at, "reason"), (rules.reason,), pack.order.allow_rank, "reason of allow_rank")
    yield from _unknown((at, "eligible"), rules.eligible, plain["g"], "profile")
    yield from _unknown((at, "eligible"), rules.eligible.values(), names["g2"], "category")
    yield from _unknown((at, "gates"), rules.gates, pack.order.gates, "gate")
    yield from _unknown((at, "vital_motives"), rules.vital_motives, rules.motives, "motive")
    yield from _unknown((at, "free_text_motives"), rules.free_text_motives, rules.motives, "motive")
    yield from _unknown((at, "override_motives"), rules.override_motives, rules.motives, "motive")
    for key in ("single_factor_motives", "blocked_motives"):
        yield from _unknown((at, key), getattr(rules, key), rules.motives, "motive")
    yield from _unknown((at, "missing_relation"), rules.missing_relation, rules.motives, "motive")
    yield from _unknown(
        (at, "missing_relation"), rules.missing_relation.values(), pack.vocabulary.relations, "relation kind"
    )
    yield from _unknown((at, "override_profiles"), rules.override_profiles, plain["g"], "profile")
    yield from _unfilled((at, "unknown_obligations"), rules.unknown_obligations, pack)
    yield from _unfilled((at, "unknown_advice"), rules.unknown_advice, pack)
    yield from _unfilled((at, "override_obligations"), rules.override_obligations, pack)
    yield from _unfilled((at, "many_obligations"), rules.many_obligations, pack)
    for key, section in (("close_action", "g3"), ("review_action", "g3"), ("review_purpose", "g4")):
        yield from _unknown((at, key), filter(None, (getattr(rules, key),)), plain[section], "name")
    yield from _unknown((at, "review_category"), filter(None, (rules.review_category,)), plain["g2"], "category")
    for key in ("ttl", "reauth", "review_deadline"):
        if getattr(rules, key) <= 0:
            yield (at, key), f"`{key}` is a number of seconds above 0"


def _setting_faults(pack: Pack) -> Iterator[PackFault]:
    """The settings of which not every value means something."""
    age, disclosure = pack.settings.get(ANSWER_MAX_AGE), pack.settings.get(MASK_DISCLOSURE)
    if age is not None and (isinstance(age.value, bool | str) or age.value < 0):
        yield ("settings", ANSWER_MAX_AGE), "the longest age of an answer is a number of seconds"
    if disclosure is not None and disclosure.value not in DISCLOSURES:
        yield ("settings", MASK_DISCLOSURE), f"`{disclosure.value}` is none of {', '.join(DISCLOSURES)}"
    blocked = pack.settings.get(BLOCKED_BG)
    if blocked is not None and blocked.value not in BLOCKED_WORTH:
        yield ("settings", BLOCKED_BG), f"`{blocked.value}` is none of {', '.join(BLOCKED_WORTH)}"


def _basis_faults(pack: Pack) -> Iterator[PackFault]:
    """S-192: each purpose rests on one of the bases of art. 6 GDPR; one that is always denied rests on none."""
    vocabulary, based = pack.vocabulary, pack.legal_bases
    for name in vocabulary.purposes:
        if name not in based and name not in vocabulary.denied_purposes:
            yield ("vocabulary", "purposes"), f"purpose `{name}` has no legal basis; state it under [legal_bases]"
    for name, said in based.items():
        if said.basis not in BASES:
            yield ("legal_bases", name), f"`{said.basis}` is no basis of art. 6 GDPR; write one of {', '.join(BASES)}"
        if name in vocabulary.denied_purposes:
            yield ("legal_bases", name), f"purpose `{name}` is always denied and rests on nothing; remove it"
    yield from _unknown(("legal_bases",), based, known(pack)["g4"], "purpose")


def _unknown(path: tuple[str, ...], listed: Iterable[str], names: Collection[str], kind: str) -> Iterator[PackFault]:
    for name in listed:
        if name not in names:
            yield path, f"unknown {kind} `{name}`; define it or correct the name"


def _unfilled(path: tuple[str, ...], texts: Iterable[str], pack: Pack) -> Iterator[PackFault]:
    for text in texts:
        try:
            made = obligations.template(text, pack.obligations)
        except ValueError as fault:
            yield path, str(fault)
            continue
        if made.filled:
            yield path, f"`{text}` needs a value of the situation ({made.filled[0][1]}), which a refusal does not give"


def text_faults(pack: Pack, texts: Texts) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Sentences missing, or for codes the pack does not have: (language, path, what is wrong)."""
    wanted: dict[str, set[str]] = {
        "reasons": set(pack.reasons),
        "obligations": {name for name, rule in pack.obligations.items() if not rule.advice},
        "advice": {name for name, rule in pack.obligations.items() if rule.advice},
        "motives": {*pack.break_glass.motives, *pack.vocabulary.heir_motives},
    }
    for language, tables in texts.items():
        for table, codes in wanted.items():
            sentences = tables.get(table, {})
            for code in sorted(codes - sentences.keys()):
                yield language, (table,), f"no sentence for `{code}`; add one under [{table}]"
            for code in sorted(sentences.keys() - codes):
                yield language, (table, code), f"`{code}` is not in pack.toml; correct or remove it"
        for table in sorted(tables.keys() - wanted.keys() - set(LABELS)):
            yield language, (table,), f"unknown table [{table}]; the tables are {', '.join((*wanted, *LABELS))}"


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line of a TOML text where the key of `path` stands, or the nearest table or key above it that is found."""
    lines = text.split("\n")
    for kept in range(len(path), 0, -1):
        header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_key, path[:kept])) + r"\s*\]")
        place = _find(lines, 0, header.match)
        if place:
            return place
        table = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_key, path[: kept - 1])) + r"\s*\]")
        start = _find(lines, 0, table.match) if kept > 1 else 1
        inside = re.compile(r"\s*" + _key(path[kept - 1]) + r"\s*[=.]")
        place = _find(lines, start, inside.match, until=re.compile(r"\s*\[[^\[]").match) if start else 0
        if place:
            return place
    return 1


Matcher = Callable[[str], re.Match[str] | None]


def _key(name: str) -> str:
    return f"[\"']?{re.escape(name)}[\"']?"


def _find(lines: list[str], start: int, matches: Matcher, until: Matcher | None = None) -> int:
    """The first line after `start` (counted from 1) that matches, before one that ends the search; 0 when none."""
    for number, line in enumerate(lines[start:], start + 1):
        if matches(line):
            return number
        if until is not None and until(line):
            return 0
    return 0
