"""Every word has its meaning in both languages, names the fields it reads, and no free text is ever printed."""

import msgspec
import pytest
from msgspec.structs import replace

from sidecar.authoring.explain import texts
from sidecar.authoring.explain.behind import FREE_TEXT
from sidecar.authoring.explain.changes import Change, changed
from sidecar.authoring.explain.meanings import MEANINGS
from sidecar.authoring.explain.ruling import Why
from sidecar.authoring.explain.walk import Readings, keys
from sidecar.cli.explain_page import LABELS
from sidecar.core import instants
from sidecar.core.model import KINDS, Directive, Fact
from sidecar.core.vocabulary import NOUNS
from tests.explain import asks


def test_every_word_of_the_vocabulary_has_its_meaning_and_no_other():
    assert {noun: set(words) for noun, words in MEANINGS.items()} == {noun: set(words) for noun, words in NOUNS.items()}
    for noun, words in MEANINGS.items():
        for name, meaning in words.items():
            assert meaning.fr and meaning.en and meaning.text("fr") != meaning.text("en")
            assert ("{0}" in meaning.fr) is ("{0}" in meaning.en) is speaks_of_its_arguments(NOUNS[noun][name])
            assert set(meaning.looks) <= set(KINDS) and meaning.feed in ("", *KINDS)


def speaks_of_its_arguments(word):
    return bool(word.args) and not set(word.args) & {"resource", "purpose"}


def test_every_restriction_over_facts_names_the_feed_that_must_vouch_for_its_absence():
    for noun, words in MEANINGS.items():
        for name, meaning in words.items():
            over_facts = bool(meaning.looks) and NOUNS[noun][name].kind == "restriction"
            assert bool(meaning.feed) is over_facts, f"{noun}.{name}"


def test_every_reason_for_a_reason_has_its_sentence_in_both_languages():
    assert {why.value for why in Why} <= set(texts.WHY)
    for table in (texts.WHY, texts.PARTS, texts.ENDS, texts.MISSING, LABELS):
        assert all(len(said) == 2 and all(said) for said in table.values())


FIELDS = {
    "subject.id": "somebody-else",
    "subject.kind": "service",
    "subject.profession": "61",
    "subject.structure": "S-9",
    "subject.units": ("UF-X",),
    "subject.activity_id": "a9",
    "subject.activities": ("a7", "a8"),
    "subject.account_type": "generique",
    "subject.status": "suspendu",
    "subject.valid_until": 1,
    "subject.contract_until": 1,
    "subject.confidentiality_signed": False,
    "subject.supervised_by": "somebody",
    "authentication.mfa": None,
    "authentication.idle_s": 1 << 30,
    "authentication.time": 1,
    "authentication.remote": "open",
    "device.class": "tablet",
    "device.managed": False,
    "device.compromised": True,
    "resource.id": "another-object",
    "resource.tags": ("psy",),
    "resource.author": "somebody-else",
    "resource.created_at": 1,
    "resource.unit": "UF-X",
    "resource.stay": "S-X",
    "resource.masked_for": ("tous",),
    "resource.lifecycle": "gele",
    "resource.controller_id": "another",
    "context.motive": "none",
    "context.grant": "another",
    "context.access_mode": "normal",
    "context.workstation": "poste-1",
    "context.user_agreement": True,
    "context.refs.ticket": "T-X",
}
# What ties nearly every word to its question: who, whose record, under which grant.
COMMON = {"subject.id", "context.grant", "context.access_mode", "resource.masked_for"}


def test_a_field_that_turns_a_word_is_named_behind_it():
    turned, read = set(), {}
    for put in asks.various()[::7]:
        if put.asked.opening is not None:
            continue
        before = Readings(put.rules, put.asked)
        met = before.met()
        if met is None:
            continue
        words = {word for row in (*met.gates, *met.cells, *met.grounds, *met.duties) for word in keys(row.node)}
        for field, value in FIELDS.items():
            after = Readings(put.rules, changed(put.rules, put.asked, Change("request", field=field, value=value)))
            for word in words:
                if before.words().ask(word).value is not after.words().ask(word).value:
                    turned.add((word.noun, word.word, field))
    for noun, word, field in turned:
        reads = MEANINGS[noun][word].reads
        named = field in reads or any(field.startswith(f"{path}.") for path in reads)
        # Whoever delegated is asked the whole question anew, which is shown for itself.
        if not named and field not in COMMON and word != "delegated_for":
            read.setdefault(f"{noun}.{word}", []).append(field)
    assert read == {}
    assert len(turned) > 40


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_free_text_of_a_request_a_grant_or_a_fact_is_in_an_explanation(language):
    secret = "Monsieur Untel, chambre 12"
    said = 0
    for put in asks.every()[::13]:
        asked = put.asked
        context = replace(asked.request.context, justification=secret)
        asked = replace(asked, request=replace(asked.request, context=context))
        directive = Directive("informed", asked.request.resource.patient_id, proof=secret, channel=secret)
        fact = Fact("free", "dpi", asked.controller_id, directive=directive)
        asked = changed(put.rules, asked, Change("fact", fact=fact))
        tenant = asked.snapshot.tenant
        grants = {name: replace(grant, justification=secret) for name, grant in tenant.grants.items()}
        asked = replace(asked, snapshot=replace(asked.snapshot, tenant=replace(tenant, grants=grants)))
        found = put._replace(asked=asked).explained(language)
        printed = msgspec.json.encode(instants.encode(found)).decode()
        said += "dpi/free" in printed
        assert secret not in printed
    assert said > 50
    assert {field.name for field in msgspec.structs.fields(Directive)} >= FREE_TEXT
