"""Small packs: a few rows over the real vocabulary, with conditions, groups, gates, grounds, matrix and duties drawn
at random, mostly such that something is permitted and something refused.
"""

from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from sidecar.authoring.bundle import Bundle, compile_bundle
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet
from tests.differential.vocabulary import (
    ACTIONS,
    ALLOWED,
    CATEGORIES,
    DENIED_PURPOSE,
    DUTIES,
    FIRM,
    FLAGS,
    FORBIDS,
    GATES,
    MODEL,
    OTHERWISE,
    PEOPLE,
    PROFILES,
    PURPOSES,
    ROOTS,
    SMALL,
    TAGS,
    TIES,
    USUAL,
    WILL,
)
from tests.oracle import Oracle

DAY = 86_400


class Written(Struct, frozen=True):
    """A pack as a tool reads it: the values of pack.toml, and the texts of model.conf, roles.csv and rules/*.csv."""

    parameters: dict[str, Any]
    files: dict[str, str]

    def compiled(self) -> PolicySet:
        """What the product makes of it."""
        pack = msgspec.convert(self.parameters, Pack)  # as bundle.decode_pack reads pack.toml
        texts = dict.fromkeys(("texts/fr.toml", "texts/en.toml"), sentences(self.parameters))
        return compile_bundle(Bundle(pack, {**self.files, **texts}, "digest"))

    def read(self) -> Oracle:
        """What the oracle makes of it."""
        return Oracle(self.parameters, self.files)

    @property
    def rules(self) -> list[str]:
        """Every row of the rule files."""
        texts = [text for name, text in sorted(self.files.items()) if name.startswith("rules/")]
        return [line for text in texts for line in text.split("\n") if line and not line.startswith("#")]


def a_pack(random: Random) -> Written:
    """A small pack."""
    links = _links(random)
    files = {"model.conf": MODEL, "roles.csv": "\n".join(links), "rules/all.csv": "\n".join(_rows(random, links))}
    return Written(_parameters(random), files)


def a_pack_of(when: str, denies: bool = False) -> Written:
    """A pack of one condition: a ground that nothing else shadows, or a gate before a ground that always holds."""
    everywhere = ", ".join(ROOTS)
    ground = f"p, B-1, {everywhere}, {'True' if denies else when}, allow, ALLOW_TEAM, -, S-1"
    gate = f"p, G-WILL-1, {everywhere}, {when}, deny, MASKED, -, S-1"
    cell = "p3, M-1, tous, tout, toute_action, True, allow, -, S-1"
    whole = a_pack(Random(0))
    parameters = whole.parameters
    parameters["break_glass"]["unknown"] = "closed"
    rows = [ground, cell, *([gate] if denies else [])]
    return Written(parameters, {**whole.files, "rules/all.csv": "\n".join(rows)})


def sentences(parameters: dict[str, Any]) -> str:
    """A sentence for every code, as a pack must have them."""
    duties = parameters["obligations"]
    tables = {
        "reasons": parameters["reasons"],
        "obligations": [name for name, rule in duties.items() if not rule.get("advice")],
        "advice": [name for name, rule in duties.items() if rule.get("advice")],
        "motives": [*parameters["break_glass"]["motives"], *parameters["vocabulary"].get("heir_motives", ())],
    }
    lines = [[f"[{table}]", *(f'{code} = "..."' for code in codes)] for table, codes in tables.items()]
    return "\n".join(line for table in lines for line in table)


def _links(random: Random) -> list[str]:
    """Groups of each section: every name reaches the root through one group or several; some are in two."""
    made = []
    for section, names, root in (
        ("g", PROFILES, "tous"),
        ("g2", CATEGORIES, "tout"),
        ("g3", ACTIONS, "toute_action"),
        ("g4", PURPOSES, "tout_motif"),
    ):
        low, high, apart = f"{root}_bas", f"{root}_haut", f"{root}_a_part"
        made += [f"{section}, {low}, {high}", f"{section}, {high}, {root}", f"{section}, {apart}, {root}"]
        made += [f"{section}, {names[0]}, {low}", f"{section}, {random.choice(names)}, {apart}"]
        made += [f"{section}, {name}, {random.choice((low, high, root))}" for name in names[1:]]
    people = [f"g, {name}, humain" for name in PEOPLE]
    return [*made, *people, "g, humain, tous", "g2, cr, MED", "g2, notes, MED", "g2, alertes, MED", "g2, MED, tout"]


def _place(random: Random, section: str, narrow: float) -> str:
    """A name or a group of a section; the root alone but for a share."""
    names, root = {
        "g": (PROFILES, "tous"),
        "g2": (CATEGORIES, "tout"),
        "g3": (ACTIONS, "toute_action"),
        "g4": (PURPOSES, "tout_motif"),
    }[section]
    if random.random() > narrow:
        return root
    wide = {"g": "humain", "g2": "MED"}.get(section, root)
    return random.choice((random.choice(names), wide, wide, f"{root}_haut", f"{root}_haut", f"{root}_bas"))


def _places(random: Random, purpose: bool = True, narrow: float = 0.5) -> str:
    sections = ("g", "g2", "g3", "g4") if purpose else ("g", "g2", "g3")
    return ", ".join(_place(random, section, narrow) for section in sections)


def _word(random: Random, words: tuple[str, ...]) -> str:
    return random.choice(words).format(days=random.choice((7, 30)), seconds=random.choice((300, 43_200)))


def _deny(random: Random, gate: str) -> str:
    """What a gate refuses for: something usual is missing, or something forbids."""
    if gate in FIRM or random.random() < 0.2:
        usual = "!" + _word(random, USUAL)
        return random.choice(
            (
                usual,
                usual,
                f"{usual} || !{_word(random, USUAL)}",
                f"{_word(random, FORBIDS[:2])} || {usual}",
                f"{_word(random, FORBIDS[:2])}",
                "r.subject.is_provider && !r.subject.under_contract",
                "!r.subject.named_account && !r.subject.listed_job",
                "r.context.touches_workstation && !r.context.user_agreed",
                "!r.subject.job_allows(r.resource) && r.subject.listed_job",
            )
        )
    forbids = _word(random, WILL if gate == "G-WILL" else FORBIDS)
    return random.choice(
        (
            forbids,
            f"{forbids} && !{_word(random, SMALL)}",
            f"!{_word(random, SMALL)} && {forbids}",
            f"{forbids} && !{_word(random, SMALL)} && !r.subject.is_author",
            f"{forbids} && ({_word(random, FORBIDS)} || {_word(random, SMALL)})",
            f"!(!{forbids} || {_word(random, SMALL)})",
        )
    )


def _allow(random: Random) -> str:
    tie = _word(random, TIES)
    return random.choice(
        (
            tie,
            f"({tie}) || {_word(random, TIES)}",
            f"{_word(random, TIES)} || ({tie}) || {_word(random, TIES)}",
            f"{tie} && !{_word(random, FORBIDS)}",
            f"{tie} && ({_word(random, SMALL)} || !{_word(random, FORBIDS)})",
            f"({tie}) || {_word(random, TIES)}",
            f"r.context.grant_open && !{_word(random, FORBIDS)}",
        )
    )


def _cell(random: Random) -> str:
    return random.choice(
        (
            "True",
            "True",
            "!r.resource.sensitive",
            f"!{_word(random, FORBIDS)} || {_word(random, SMALL)}",
            f"{_word(random, TIES)} || r.context.grant_open",
        )
    )


def _rows(random: Random, links: list[str]) -> list[str]:
    rows = []
    for gate in dict.fromkeys((*random.sample(GATES, random.randint(1, 3)), "G-WILL")):
        reason = {"G-WILL": ("MASKED", "BLOCKED"), "A-15": ("OWN", "COSIGN")}.get(gate, ("CLOSED", "OLD", "COSIGN"))
        for _ in range(random.choice((1, 1, 2))):
            number = random.choice((1, 2, 10, 11))
            when = _deny(random, gate)
            places = _places(random, narrow=0.15 if gate == "G-WILL" else 0.5)
            rows.append(f"p, {gate}-{number}, {places}, {when}, deny, {random.choice(reason)}, -, S-1")
    for _ in range(random.randint(2, 4)):
        when, reason = _allow(random), random.choice(ALLOWED)
        otherwise = random.choice(OTHERWISE)
        rows.append(
            f"p, B-{random.randint(1, 12)}, {_places(random, narrow=0.4)}, {when}, allow, {reason}, {otherwise}, S-1"
        )
    if random.random() < 0.5:
        rows.append("p, B-13, tous, tout, toute_action, tout_motif, r.context.grant_open && !r.resource.sensitive,"
                    " allow, ALLOW_GRANT, GRANT_ENDED when r.context.grant_ended, S-1")  # fmt: skip
    rows.append(f"p3, M-1, tous, tout, toute_action, {_cell(random)}, allow, -, S-1")
    for _ in range(random.choice((0, 1, 1))):
        rows.append(f"p3, M-{random.randint(2, 12)}, {_places(random, purpose=False)}, {_cell(random)}, allow, -, S-1")
    if random.random() < 0.2:
        forbids, reason = _word(random, FORBIDS), random.choice(("-", "CLOSED"))
        rows.append(f"p3, M-{random.randint(2, 12)}, {_places(random, purpose=False)}, {forbids}, deny, {reason}, S-1")
    for _ in range(random.randint(1, 3)):
        when = random.choice(("True", _word(random, TIES), _word(random, FORBIDS), "r.context.grant_open"))
        rows.append(f"p2, D-{random.randint(1, 12)}, {_places(random)}, {when}, {random.choice(DUTIES)}, S-1")
    random.shuffle(rows)
    # The loader refuses a row that says the same under another name.
    return list({(row.split(", ")[0], row.split(", ", 2)[2]): row for row in rows}.values())


def _parameters(random: Random) -> dict[str, Any]:
    def seconds(*days: float) -> int:
        return int(random.choice(days) * DAY)

    reasons: dict[str, Any] = {name: {} for name in ALLOWED}
    reasons |= {
        "MASKED": {"discloses": True},
        "BLOCKED": {"discloses": True, "break_glass": True},
        "CLOSED": {"obligations": ["STEP_UP", "ADVISE"]},
        "OLD": {"break_glass": True},
    }
    opens = ("NO_RELATIONSHIP", "PROFILE_CATEGORY", "FACTS_UNAVAILABLE", "RELATION_EXPIRED")
    reasons |= {name: {"break_glass": random.random() < 0.9, "obligations": ["STEP_UP"]} for name in opens}
    rest = (
        "OWN COSIGN REQUEST_REQUIRED DELEGATION_VOID GRANT_ENDED GRANT_SCOPE NOT_AVAILABLE NO_RULE POLICY_ERROR"
        " UNKNOWN_PROFILE UNKNOWN_CATEGORY UNKNOWN_PURPOSE UNKNOWN_ACTION BREAK_GLASS_NOT_ELIGIBLE REAUTH_REQUIRED"
        " JUSTIFICATION_REQUIRED"
    )
    reasons |= {name: {} for name in rest.split()}
    return {
        "pack": {"name": "t", "version": "1", "controller_type": "hospital"},
        "vocabulary": {
            "profiles": {
                "medecin": {"kinds": ["professionnel", "prestataire"], "purposes": ["tout_motif"]},
                "infirmier": {"kinds": ["professionnel"], "purposes": ["soins", "urgence"], "portal_idle": True},
                "secretaire": {"kinds": ["professionnel"], "purposes": ["tout_motif"]},
                "automate": {"kinds": ["service"], "purposes": ["soins", "accueil"]},
            },
            "categories": list(CATEGORIES),
            "tags": list(TAGS),
            "actions": list(ACTIONS),
            "purposes": list(PURPOSES[:3]),
            "denied_purposes": [DENIED_PURPOSE],
            "relations": {
                "REL_RESP": {"before": seconds(0, 0, 2), "after": seconds(0, 2, 90)},
                "REL_TEAM": {"before": seconds(0, 0, 1), "after": seconds(0, 0, 2)},
                "REL_APPT": {"before": seconds(0, 1, 7), "after": seconds(0, 1, 30)},
                "REL_REQ": {"after": seconds(0, 15)},
                "REL_RCP": {"before": seconds(0, 7), "after": seconds(0, 7)},
                "REL_REFERENT": {"after": seconds(0, 30)},
                "REL_CODE": {},
                "REL_SELF": {},
                "REL_REP": {},
                "REL_TRANSFER": {"before": seconds(0.5, 1), "after": seconds(0.5, 1)},
                "REL_TICKET": {"patient_optional": True},
                "REL_CASE": {"patient_optional": True, "after": seconds(0, 1)},
                "REL_ARCH": {"patient_optional": True},
            },
            "flags": list(FLAGS),
            "protected_flags": ["detenu", "personnalite"],
            "clinical": "MED",
            "write_actions": ["create"],
            "without_patient": {"actions": ["chercher"], "categories": ["technique"]},
            "safety": {"alertes": "alertes_maskable"},
            "consent_categories": ["cr"],
            "with_request": ["alertes", "sejour"],
            "specialties": {"cardiologie": ["U1", "U3"], "psychiatrie": ["U2"]},
            "secret_tags": [TAGS[-1]],
            "heir_motives": ["DEUIL"],
            "dim_profiles": ["medecin"],
        },
        "order": {
            "gates": list(GATES),
            "firm_gates": list(FIRM),
            "delegator_gates": ["G-LIFE", "G-WILL"],
            "otherwise_rank": random.sample(
                ("GRANT_ENDED", "GRANT_SCOPE", "DELEGATION_VOID", "REQUEST_REQUIRED", "RELATION_EXPIRED"), 5
            ),
            "allow_rank": ["ALLOW_GRANT", *random.sample(ALLOWED[1:], 4)],
        },
        "legal_bases": {
            purpose: {"basis": "contrat", "source": "S-1", "set_by": "proposal"} for purpose in PURPOSES[:3]
        },
        "reasons": reasons,
        "obligations": {
            "LOG": {"params": ["delegator"], "merge": "union"},
            "COSIGN_BY": {"params": ["id"], "merge": "union"},
            "REQUIRE_REVIEW": {"params": ["deadline"], "merge": "shortest"},
            "BANNER": {"params": ["until"], "merge": "shortest"},
            "CACHE_MAX_AGE": {"params": ["s"], "merge": "shortest"},
            "REDACT": {"params": ["list"], "merge": "union"},
            "NOTE": {"params": ["text"]},
            "STEP_UP": {},
            "ADVISE": {"advice": True},
            "STALE": {"advice": True},
        },
        "break_glass": {
            "action": "ouvrir",
            "purpose": "urgence",
            "modes": ["bris_de_glace", "centre_15"],
            "reason": "ALLOW_GRANT",
            "gates": random.sample(GATES, 4),
            "motives": ["VITAL", "AVIS", "AUTRE"],
            "vital_motives": ["VITAL"],
            "free_text_motives": ["AUTRE"],
            "eligible": {"medecin": "MED", "infirmier": "tout"},
            "ttl": 14_400,
            "reauth": 300,
            "review_deadline": 3 * DAY,
            "justification_min": 10,
            "justification_free": 20,
            "justification_max": 40,
            "unknown": random.choice(("open", "open", "closed")),
            "unknown_advice": ["STALE"],
            "unknown_obligations": ["REQUIRE_REVIEW(24h)"],
            "override_profiles": ["medecin"],
            "override_motives": ["VITAL"],
            "single_factor_motives": ["AVIS"],
            "blocked_motives": ["VITAL"],
            "override_obligations": ["REQUIRE_REVIEW(12h)", "LOG"],
            "max_per_subject_24h": random.choice((0, 0, 1, 2)),
            "many_obligations": ["NOTE(souvent)", "REQUIRE_REVIEW(36h)"],
        },
        "freshness": {
            "facts_max_age": {
                "stay": seconds(1, 2),
                "relation": seconds(1, 2),
                "record_state": DAY,
                "assignment": 7 * DAY,
                "delegation": 7 * DAY,
                "contract": 7 * DAY,
            },
            "watermark_max_age": DAY,
            "on_call_max_age": DAY,
        },
        "settings": {
            name: {"value": value, "source": "S-1", "set_by": "proposal"}
            for name, value in (
                ("idle_limit", 14_400),
                ("portal_idle_limit", 600),
                ("mask_disclosure", random.choice(("none", "none", "none", "existence"))),
                ("producer_uf_keeps", random.random() < 0.7),
                ("alertes_maskable", random.random() < 0.4),
                ("vital_override", random.random() < 0.7),
                ("bg_single_factor", random.random() < 0.7),
                ("blocked_bg", random.choice(("alert", "alert_allow", "alert_allow"))),
                ("ouvert", random.random() < 0.5),
                ("bulk_threshold", 50),
                ("denial_threshold", 10),
                ("majority", 18),
                ("announcement_months", random.choice((1, 1, 2))),
                ("notice_version", random.choice(("2026-01", "2026-01", ""))),
                ("answer_max_age", random.choice((60, 3600, DAY, DAY))),
            )
        },
        "jobs": {
            "automate": {
                "accounts": ["automate"],
                "purposes": ["soins"],
                "categories": ["MED", "sejour"],
                "actions": ["create", "read"],
                "closed_stay": random.random() < 0.3,
            }
        },
    }
