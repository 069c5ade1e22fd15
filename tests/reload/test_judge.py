"""Stock PyCasbin judges every row of a candidate: what it says otherwise is named, and it does notice."""

import time

import pytest
from msgspec.structs import replace

from sidecar.authoring import bundle
from sidecar.authoring.judge import Pycasbin
from tests.reload.packs import damaged, judged, shipped

SENSITIVE = "!r.resource.sensitive || r.subject.in_tag_unit"

# What is damaged, in which file, and the rule the disagreements name (none: rules of any id).
DAMAGES = {
    "a gate that asks the opposite": (
        "rules/gates.csv",
        "!r.authentication.mfa && !r.context.single_factor_allowed, deny",
        "r.authentication.mfa && !r.context.single_factor_allowed, deny",
        "G-AUTH-1",
    ),
    "a gate that lost half of its condition": (
        "rules/gates.csv",
        " && !r.subject.is_author && !r.subject.in_producing_unit",
        "",
        "G-WILL-2",
    ),
    "a gate that joins by or": (
        "rules/gates.csv",
        "!r.subject.named_account && !r.subject.listed_job",
        "!r.subject.named_account || !r.subject.listed_job",
        "G-SUB-1",
    ),
    "a gate that allows": (
        "rules/gates.csv",
        "!r.context.single_factor_allowed, deny, MFA_REQUIRED",
        "!r.context.single_factor_allowed, allow, ALLOW_CARE_TEAM",
        "G-AUTH-1",
    ),
    "a gate for other profiles": ("rules/gates.csv", "p, G-AUTH-2, humain", "p, G-AUTH-2, interne", "G-AUTH-2"),
    "a gate of the patient's will that is gone": (
        "rules/gates.csv",
        "p, G-WILL-2, tiers,",
        "# p, G-WILL-2, tiers,",
        "G-WILL-2",
    ),
    "a ground that asks less": (
        "rules/grounds.csv",
        "r.subject.in_care_team && (r.subject.named_in_care || !r.patient.protected_record)",
        "r.subject.in_care_team",
        "A-01",
    ),
    "a ground for other categories": (
        "rules/grounds.csv",
        "p, A-06, secretaire_medicale, lettres",
        "p, A-06, secretaire_medicale, notes",
        "A-06",
    ),
    "a cell of the matrix that is gone": (
        "rules/matrix.csv",
        "p3, M-medecin, medecin, lettres",
        "# p3, M-medecin, medecin, lettres",
        "M-medecin",
    ),
    "a cell that forgets what is sensitive": (
        "rules/matrix.csv",
        f"lettres, usage, {SENSITIVE} || r.subject.is_author",
        "lettres, usage, True",
        "M-medecin",
    ),
    "an obligation for fewer": ("rules/obligations.csv", "p2, O-1, tous", "p2, O-1, interne", "O-1"),
    "an obligation under another condition": (
        "rules/obligations.csv",
        "tout_motif, True, LOG_FULL",
        "tout_motif, r.subject.in_care_team, LOG_FULL",
        "O-1",
    ),
    "a role link that leads elsewhere": ("roles.csv", "g, infirmier, paramedical", "g, infirmier, administratif", ""),
    "a role link that is gone": ("roles.csv", "g2, cr, lettres", "g2, cr, notes", ""),
    "actions that changed groups": ("roles.csv", "g3, read, lecture", "g3, read, ecriture", ""),
}


def test_both_judges_agree_on_the_shipped_pack_and_its_stories_go_as_told():
    verdict = judged(shipped())
    assert verdict.failures == ()
    assert verdict.asks > 250
    assert verdict.enforced > verdict.rows


@pytest.mark.parametrize("name", DAMAGES)
def test_what_production_reads_otherwise_than_pycasbin_is_refused_and_named(name):
    """Production's functions come from damaged texts, PyCasbin's rows from the good ones."""
    file, old, new, rule = DAMAGES[name]
    verdict = judged(shipped(), bundle.compile_bundle(damaged({file: (old, new)})))
    found = [each for each in verdict.failures if "PyCasbin disagrees" in each.text]
    print(f"{name}: {len(found)} disagreements in {verdict.asks} asks")
    assert found, "nobody noticed"
    assert all(each.file.endswith(".yaml") and each.line > 1 for each in found)
    assert any(f"row {rule}" in each.text for each in found), found[0]


@pytest.mark.parametrize("name", ["a gate that joins by or", "a gate that allows", "a role link that is gone"])
def test_what_pycasbin_is_given_otherwise_is_refused_too(name):
    """The other way round: PyCasbin has the damaged texts, so that no judge is taken for the truth."""
    file, old, new, _ = DAMAGES[name]
    verdict = judged(damaged({file: (old, new)}), bundle.compile_bundle(shipped()))
    found = [each for each in verdict.failures if "PyCasbin disagrees" in each.text]
    assert found
    assert any("(rules/" in each.text for each in found)


def test_a_judge_that_asks_nothing_would_let_every_damage_pass(monkeypatch):
    """The twin: with the comparison off, damages that no expectation of a story notices come into force."""
    from sidecar.authoring import judging

    monkeypatch.setattr(judging._Watched, "_compare", lambda *_: None)
    monkeypatch.setattr(judging._Watched, "_compare_opening", lambda *_: None)
    passed = 0
    for file, old, new, _ in DAMAGES.values():
        passed += not judged(shipped(), bundle.compile_bundle(damaged({file: (old, new)}))).failures
    print(f"damages that the stories' expectations alone let pass: {passed} of {len(DAMAGES)}")
    assert passed > 0


def test_a_row_whose_word_cancels_out_is_a_disagreement_while_the_word_is_unknown():
    row = "p, G-WILL-9, tous, masquable, acces, tout_motif, {}, deny, MASKED, -, S-1\np, G-WILL-3"
    both = "r.resource.masked_for_subject && !r.resource.masked_for_subject"
    verdict = judged(damaged({"rules/gates.csv": ("p, G-WILL-3", row.format(both))}))
    said = [each.text for each in verdict.failures if "row G-WILL-9" in each.text]
    assert said
    assert "does not hold there, is unknown here" in said[0]
    assert "rules/gates.csv:32" in said[0]


def test_a_story_that_goes_otherwise_than_it_expects_refuses_the_pack_though_both_judges_agree():
    read = damaged({"rules/grounds.csv": ("r.subject.in_care_team && (", "r.subject.is_author && (")})
    failures = judged(read).failures
    assert failures
    assert not [each for each in failures if "PyCasbin" in each.text]
    assert any("expected effect PERMIT, got DENY" in each.text for each in failures)


def test_pycasbin_is_given_each_row_alone_and_never_the_reasons():
    pycasbin = Pycasbin(shipped().files)
    values = {word: True for row in pycasbin.rows for word in row.words}
    found = pycasbin.answers(("medecin", "cr", "read", "soins"), values)
    assert {answer for _, answer in found} == {True}
    unknown = dict.fromkeys(values)
    maybe = dict(pycasbin.answers(("medecin", "cr", "read", "soins"), unknown))
    firm = [row for row, answer in maybe.items() if answer]
    assert all(row.field("when") == "True" for row in firm)
    assert len(maybe) > len(firm) > 0


def test_a_pack_compiles_under_the_settings_of_its_stories():
    """A setting of a story changes what words answer, not what rows are: both judges follow it."""
    read = shipped()
    story = replace(judged_story("one_factor_for_administration"), settings={"adm_mfa": False})
    from sidecar.authoring.judging import judge_pack

    began = time.process_time()
    verdict = judge_pack(read, [story], lambda done: None)
    assert not [each for each in verdict.failures if "PyCasbin" in each.text]
    assert time.process_time() > began


def judged_story(name: str):
    from sidecar.authoring import story_reading
    from tests.reload.packs import PACK

    return story_reading.read_file(PACK / "tests" / f"{name}.yaml", shipped().pack)
