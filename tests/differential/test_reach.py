"""The generated worlds reach every word: each is said yes and no often enough for a difference to show."""

from collections import Counter
from random import Random

from sidecar.core.vocabulary import NOUNS
from tests.differential.campaign import cases
from tests.differential.chance import CONTROLLER, setting_of
from tests.differential.packs import a_pack_of
from tests.differential.vocabulary import PROFILES

CASES = 1500
ENOUGH = 5
ARGUMENTS = {
    "resource.tagged": ("psy",),
    "resource.only_tagged": ("psy", "vih"),
    "patient.flagged": ("detenu",),
    "context.has_ref": ("case",),
    "context.supervisor_is": ("medecin",),
    "context.setting": ("vital_override",),
    "subject.left_unit_less_than": (30,),
    "authentication.younger_than": (300,),
    "patient.deceased_since_more_than": (7,),
}


def said() -> dict[str, Counter[bool | None]]:
    """What the oracle says of every word over many cases."""
    oracle = a_pack_of("True").read()
    turned = {
        "producer_uf_keeps": True, "notice_version": "2026-01", "bg_single_factor": True, "blocked_bg": "alert_allow",
    }  # fmt: skip
    for name, value in turned.items():
        oracle.pack["settings"][name]["value"] = value
    setting = setting_of(oracle.pack, "medecin", unusual=0.5, edges=0.5, profiles=PROFILES)
    answers: dict[str, Counter[bool | None]] = {f"{noun}.{word}": Counter() for noun in NOUNS for word in NOUNS[noun]}
    for case in cases(Random(8), setting, CASES):
        if case.request.subject.profile not in oracle.pack["vocabulary"]["profiles"]:
            continue  # no word is asked
        reading = oracle.reading(case.request, case.caller, CONTROLLER, case.world, case.now)
        for word, counted in answers.items():
            counted[reading.ask(word, ARGUMENTS.get(word, ()))] += 1
    return answers


def test_the_generated_worlds_say_every_word_yes_and_no():
    answers = said()
    one_sided = {
        word: dict(counted)
        for word, counted in answers.items()
        if min(counted[True], counted[False]) < ENOUGH and word != "context.setting"
    }
    assert one_sided == {}
