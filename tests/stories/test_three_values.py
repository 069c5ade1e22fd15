"""What nobody vouches for is unknown, and the unknown permits nothing clinical."""

from collections.abc import Iterator

from msgspec.structs import replace

from sidecar.authoring.bundle import compile_bundle
from sidecar.authoring.core_asker import CoreAsker
from sidecar.authoring.stories import Answered
from sidecar.authoring.story import Step, Story, Write
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core.bundle import FOREVER, Snapshot, TenantFacts
from sidecar.core.model import Effect, Request
from tests.stories import hospital


def test_a_directive_feed_that_never_reported_lets_no_clinical_data_out():
    answers = [answer for _, answer in asked_without_directives(StoryFacts)]
    assert len(answers) > 100
    assert [answer for answer in answers if answer.seen.effect is Effect.PERMIT] == []


def test_it_is_said_to_be_unknown_and_the_glass_is_offered_where_there_was_a_permit():
    unknown = [
        answer.seen
        for step, answer in asked_without_directives(StoryFacts)
        if step.expect is not None and step.expect.effect is Effect.PERMIT and opens_in_an_emergency(step.what)
    ]
    assert unknown
    assert {(seen.reason, seen.offer.available) for seen in unknown} == {("FACTS_UNAVAILABLE", True)}


def test_without_the_watermark_check_what_patients_closed_would_open():
    breaches = [
        step
        for step, answer in asked_without_directives(UncheckedFacts)
        if answer.seen.effect is Effect.PERMIT and step.expect is not None and step.expect.effect is Effect.DENY
    ]
    assert len(breaches) > 0


def test_with_the_check_and_a_feed_that_reports_what_patients_closed_stays_closed():
    expected = compile_bundle(hospital.pack())
    for story in told_in_normal_mode():
        asker = CoreAsker(expected, StoryFacts(story))
        for step in story.steps:
            if isinstance(step.what, Write):
                asker.write(step, step.what)
            elif isinstance(step.what, Request) and closed_by_facts(step):
                answer = asker.request(step, step.what)
                assert isinstance(answer, Answered)
                assert answer.seen.effect is Effect.DENY


class UncheckedFacts(StoryFacts):
    """Facts read as if every feed had told everything: the protection turned off."""

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, now: int) -> Snapshot:
        snapshot = super().snapshot(tenant, controller_id, patient_id, now)
        held = snapshot.tenant
        return replace(snapshot, tenant=Unchecked(**{name: getattr(held, name) for name in held.__struct_fields__}))


class Unchecked(TenantFacts, frozen=True):
    def complete_until(self, controller_id: str, kind: str) -> int:
        return FOREVER


def asked_without_directives(facts: type[StoryFacts]) -> Iterator[tuple[Step, Answered]]:
    """Every clinical question of the stories, asked while the feed of directives has told nothing at all."""
    policies = compile_bundle(hospital.pack())
    for story in told_in_normal_mode():
        silent = replace(
            story,
            facts=tuple(fact for fact in story.facts if fact.kind != "directive"),
            complete=story.complete - {"directive"},
        )
        asker = CoreAsker(policies, facts(silent))
        for step in silent.steps:
            if isinstance(step.what, Write):
                kept = tuple(fact for fact in step.what.facts if fact.kind != "directive")
                asker.write(step, Write(kept, ()))
            elif isinstance(step.what, Request) and clinical(step.what):
                answer = asker.request(step, step.what)
                if isinstance(answer, Answered):
                    yield step, answer


def told_in_normal_mode() -> list[Story]:
    """The stories under the pack's own settings, their steps outside any emergency and any batch."""
    return [
        replace(
            story,
            steps=tuple(
                step
                for step in story.steps
                if isinstance(step.what, Write)
                or (isinstance(step.what, Request) and step.what.context.access_mode == "normal")
            ),
        )
        for story in hospital.stories()
        if not story.settings
    ]


def closed_by_facts(step: Step) -> bool:
    """Whether a refusal is expected that counts no steps before it (A-30): some of those are not asked here."""
    expect = step.expect
    return expect is not None and expect.effect is Effect.DENY and expect.reason != "VOLUME_LIMIT"


def clinical(request: Request) -> bool:
    """Whether somebody else than the patient, or who speaks for the patient, asks for medical data."""
    return request.resource.category in CLINICAL and request.subject.profile not in ("patient", "representant")


def opens_in_an_emergency(request: Request) -> bool:
    return request.subject.profile in ("medecin", "interne", "infirmier") and request.action in ("read", "list")


CLINICAL = frozenset(
    [
        "alertes",
        "synthese",
        "cr",
        "notes",
        "soins",
        "constantes",
        "motif",
        "demande",
        "prescription",
        "dispensation",
        "biologie",
        "imagerie",
        "directives_anticipees",
        "social",
        "habitudes_vie",
        "pathologies_remboursement",
        "donnees_remboursement",
    ]
)
