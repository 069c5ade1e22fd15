"""What the oracle found, each as small as it gets."""

from msgspec.structs import replace

from sidecar.core.model import (
    Alias,
    Authentication,
    Caller,
    Context,
    Decision,
    Delegation,
    Device,
    Directive,
    Effect,
    Fact,
    Grant,
    Period,
    Request,
    Resource,
    Subject,
    Target,
    Watermark,
)
from tests.differential.chance import CHIEF, CONTROLLER, DAY, FEEDS, HOUR, ME, NOWS, SECOND, TENANT
from tests.differential.packs import Written, a_pack_of
from tests.differential.production import decide
from tests.differential.worlds import Case
from tests.oracle import World

NOW = NOWS[0]
CALLER = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,), hds="certified", may_assert=frozenset({"identity"}))
REQUEST = Request(
    Subject(ME, "professionnel", "medecin", account_type="nominatif", status="actif"),
    "read",
    Resource("cr", "P1", id="doc-1", tags=(), masked_for=(), lifecycle="actif"),
    "urgence",
    Authentication(mfa=True, time=NOW - 60 * SECOND, idle_s=0, remote="none"),
    Device("workstation", managed=True, compromised=False),
)
WHY = ("VITAL", "arrêt cardiaque")
GRANT = Grant("g1", TENANT, CONTROLLER, "dpi", ME, "P1", "medecin", "MED", *WHY, NOW - HOUR, NOW + HOUR, NOW + DAY)


def a_ward() -> Written:
    """A pack with a gate, a tie to the patient and a grant, in which a refusal offers one."""
    written = a_pack_of("r.patient.opposed_to_subject", denies=True)
    written.parameters["reasons"]["NO_RELATIONSHIP"]["break_glass"] = True
    written.parameters["settings"]["answer_max_age"]["value"] = 86_400
    written.parameters["settings"]["mask_disclosure"]["value"] = "none"
    rows = written.files["rules/all.csv"].replace(
        "True, allow, ALLOW_TEAM", "r.subject.named_in_care, allow, ALLOW_TEAM"
    )
    grant = "r.context.grant_open, allow, ALLOW_GRANT, GRANT_ENDED when r.context.grant_ended, S-1"
    rows += f"\np, B-2, tous, tout, toute_action, tout_motif, {grant}"
    return Written(written.parameters, {**written.files, "rules/all.csv": rows})


def told(fact: Fact) -> Fact:
    """The fact, told by the feed now."""
    return replace(fact, source="dpi", controller_id=CONTROLLER, as_of=NOW)


def answer(*facts: Fact, grants: tuple[Grant, ...] = (), request: Request = REQUEST) -> Decision:
    complete = (Watermark("dpi", ("directive",), NOW, CONTROLLER),)
    world = World(tuple(map(told, facts)), complete, grants, FEEDS, TENANT)
    return decide(a_ward().compiled(), Case(request, CALLER, world, NOW))[0]


def test_no_grant_is_offered_while_one_is_open_under_another_name_of_the_patient():
    merged = Fact("a1", "", alias=Alias("P1", "P1b", "merge"))
    asked = replace(REQUEST, resource=replace(REQUEST.resource, patient_id="P1b"))
    assert answer(merged, request=asked).offer.available
    assert not answer(merged, request=asked, grants=(GRANT,)).offer.available


def test_a_refusal_without_an_offer_ends_with_the_grant_that_withheld_it():
    refused = answer(grants=(GRANT,))
    assert (refused.effect, refused.offer.available, refused.valid_until) == (Effect.DENY, False, GRANT.until)


def test_an_offer_ends_when_a_grant_is_to_open():
    later = replace(GRANT, opened_at=NOW + HOUR, until=NOW + 2 * HOUR)
    offered = answer(grants=(later,))
    assert (offered.offer.available, offered.valid_until) == (True, later.opened_at)


def test_a_refusal_ends_when_the_grant_it_names_is_closed():
    closing = replace(GRANT, patient_id="P2", closed_at=NOW + SECOND)
    asked = replace(REQUEST, context=Context(access_mode="bris_de_glace", grant=GRANT.id))
    assert answer(grants=(closing,), request=asked).valid_until == closing.closed_at


def test_when_a_refusal_ends_tells_nobody_that_the_patient_ever_willed_anything():
    given = Fact("d1", "", period=Period(NOW - DAY, NOW + SECOND), delegation=Delegation(CHIEF, ME, patient_id="P1"))
    over = Directive("block", "P1", target=Target(everyone=True))
    willed = Fact("w1", "", period=Period(NOW - DAY, NOW - HOUR), directive=over)
    shown = ("effect", "reason", "obligations", "advice", "offer", "valid_until")
    with_will, without = answer(given, willed), answer(given)
    assert [getattr(with_will, name) for name in shown] == [getattr(without, name) for name in shown]


def test_a_refusal_read_under_an_open_grant_ends_with_the_grant():
    written = a_pack_of("r.patient.opposed_to_subject", denies=True)
    written.parameters["break_glass"]["unknown"] = "open"
    written.parameters["reasons"]["NO_RELATIONSHIP"]["break_glass"] = False
    written.parameters["settings"]["answer_max_age"]["value"] = 86_400
    written.parameters["settings"]["mask_disclosure"]["value"] = "none"
    rows = written.files["rules/all.csv"].replace("toute_action, True", "toute_action, !r.resource.sensitive")
    rows = rows.replace("tout_motif, True", "tout_motif, r.subject.named_in_care")
    # Nobody says whether the object is sensitive: under the grant it is read as if it were not.
    untagged = replace(REQUEST.resource, tags=None)
    asked = replace(REQUEST, resource=untagged, context=Context(access_mode="bris_de_glace", grant=GRANT.id))
    world = World((), (Watermark("dpi", ("directive",), NOW, CONTROLLER),), (GRANT,), FEEDS, TENANT)
    policy = Written(written.parameters, {**written.files, "rules/all.csv": rows}).compiled()
    refused = decide(policy, Case(asked, CALLER, world, NOW))[0]
    assert (refused.reason, refused.valid_until) == ("NO_RELATIONSHIP", GRANT.until)
    after = decide(policy, Case(asked, CALLER, world, GRANT.until))[0]
    assert after.reason == "FACTS_UNAVAILABLE"


def test_a_refusal_for_a_tag_ends_with_the_grant_without_which_it_would_not_be_read():
    written = a_ward()
    rows = written.files["rules/all.csv"]
    sensitive = "\np3, M-7, humain, tout, toute_action, r.resource.sensitive, deny, -, S-1"
    tagged = replace(REQUEST.resource, tags=("psy",))
    asked = replace(REQUEST, resource=tagged, context=Context(access_mode="bris_de_glace", grant=GRANT.id))
    world = World((), (Watermark("dpi", ("directive",), NOW, CONTROLLER),), (GRANT,), FEEDS, TENANT)
    policy = Written(written.parameters, {**written.files, "rules/all.csv": rows + sensitive}).compiled()
    refused = decide(policy, Case(asked, CALLER, world, NOW))[0]
    assert (refused.reason, refused.valid_until) == ("PROFILE_CATEGORY", GRANT.until)
    after = decide(policy, Case(asked, CALLER, world, GRANT.until))[0]
    assert after.reason == "GRANT_ENDED"
