"""Who asks, from where, through which system."""

import pytest
from msgspec.structs import replace

from sidecar.core.model import Authentication, Caller, Context, Device, References
from tests.situation.builders import (
    CALLER,
    CONTROLLER,
    DAY,
    HOUR,
    NOW,
    PACK,
    SECOND,
    TENANT,
    asking,
    assignment,
    contract,
    relation,
    situation,
    stay,
)

UNTRUSTED = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,))


def subject(*facts, caller=CALLER, now=NOW, **said):
    return situation(*facts, request=asking(subject=said), caller=caller, now=now).subject


def test_an_account_is_named_when_it_says_so():
    assert subject().named_account is True
    for other in ("generique", "service", ""):
        assert subject(account_type=other).named_account is False


def test_an_account_is_active_by_status_and_inside_its_validity():
    assert subject().active is True
    for status in ("suspendu", "parti", ""):
        assert subject(status=status).active is False
    validity = {"valid_from": NOW, "valid_until": NOW + HOUR}
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [subject(now=at, **validity).active for at in edges] == [False, True, True, False]


def test_a_profile_is_held_when_its_kinds_have_the_kind_and_the_caller_may_assert_it():
    assert subject().profile_held is True
    assert subject(kind="prestataire").profile_held is False
    assert subject(kind="patient", profile="medecin").profile_held is False


def test_a_caller_that_may_not_assert_needs_an_assignment_to_the_profile_and_every_stated_unit():
    held = assignment()
    assert subject(held, caller=UNTRUSTED).profile_held is True
    assert subject(held, caller=UNTRUSTED, units=("UF-CARD",)).profile_held is True
    assert subject(held, caller=UNTRUSTED, units=("UF-CARD", "UF-REA")).profile_held is False
    assert subject(held, caller=UNTRUSTED, profile="infirmier").profile_held is False
    assert subject(caller=UNTRUSTED).profile_held is False
    assert subject(assignment(end=NOW), caller=UNTRUSTED).profile_held is False
    assert subject(assignment(end=NOW + 1), caller=UNTRUSTED).profile_held is True
    assert subject(assignment(on_call=True), caller=UNTRUSTED).profile_held is False


def test_a_job_is_listed_by_account_and_does_what_its_list_says():
    job = {"id": "job-1", "kind": "service", "profile": "job", "account_type": "service"}

    def allows(resource=None, action="create", purpose="soins", who=job):
        named = {"category": "sejour", "author": "dr-card"} | (resource or {})
        asked = situation(request=asking(subject=who, resource=named, action=action, purpose=purpose))
        return asked.subject.job_allows(asked.resource)

    assert subject(**job).listed_job is True
    assert subject(**job | {"id": "job-2"}).listed_job is False
    assert subject().listed_job is False
    assert allows() is True
    assert allows({"category": "biologie"}) is False
    assert allows(action="update") is False
    assert allows(purpose="soins_urgence") is False
    assert allows({"author": ""}) is False
    assert allows({"author": ""}, action="read") is True
    assert allows(who=job | {"id": "job-2"}) is False


def test_a_job_on_closed_stays_waits_until_every_part_of_the_stay_is_over():
    closed = replace(PACK, jobs={"job": replace(PACK.jobs["job"], closed_stay=True)})
    job = {"id": "job-1", "kind": "service", "profile": "job"}

    def allows(*facts, stated="S-1", **known):
        request = asking(subject=job, resource={"category": "cr", "stay": stated})
        asked = situation(*facts, request=request, pack=closed, **known)
        return asked.subject.job_allows(asked.resource)

    over, open_ = stay(NOW - DAY, NOW, stay_id="S-1"), stay(NOW - DAY, NOW + 1, stay_id="S-1", unit="UF-REA")
    assert allows(over) is True
    assert allows(over, open_) is False
    assert allows(open_) is False
    assert allows() is False
    assert allows(over, stated="") is False
    assert allows(over, readable=False) is None


def test_a_provider_needs_an_approved_signed_contract_in_date():
    provider = {"kind": "prestataire", "structure": "PR1"}
    assert subject(**provider).is_provider is True
    assert subject().is_provider is False
    assert subject(contract(), **provider).under_contract is True
    assert subject(**provider).under_contract is False
    assert subject(contract(provider_id="PR2"), **provider).under_contract is False
    assert subject(contract(approved=False), **provider).under_contract is False
    assert subject(contract(confidentiality_signed=False), **provider).under_contract is False
    assert subject(contract(), kind="prestataire", structure="").under_contract is False
    dated = contract(NOW, NOW + HOUR)
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [subject(dated, now=at, **provider).under_contract for at in edges] == [False, True, True, False]


def test_what_the_request_says_of_a_contract_only_restricts():
    provider = {"kind": "prestataire", "structure": "PR1"}
    assert subject(contract(), confidentiality_signed=False, **provider).under_contract is False
    assert subject(contract(), contract_until=NOW, **provider).under_contract is False
    assert subject(contract(), contract_until=NOW + 1, **provider).under_contract is True
    stated = {"confidentiality_signed": True, "contract_until": NOW + DAY}
    assert subject(contract(approved=False), **provider, **stated).under_contract is False
    assert subject(contract(end=NOW), **provider, **stated).under_contract is False


def test_one_activity_is_at_most_one_or_a_named_one():
    assert subject().one_activity is True
    assert subject(activities=("a",)).one_activity is True
    assert subject(activities=("a", "b")).one_activity is False
    assert subject(activities=("a", "b"), activity_id="b").one_activity is True
    assert subject(activities=("a", "b"), activity_id="c").one_activity is False


def test_a_purpose_is_allowed_by_the_profiles_list_and_never_when_it_is_always_denied():
    def allowed(purpose, **known_as):
        return situation(request=asking(purpose=purpose), **known_as).subject.purpose_allowed(purpose)

    assert allowed("soins") is True
    assert allowed("droits") is False
    listed = replace(PACK.vocabulary.profiles["medecin"], purposes=("emploi",))
    vocabulary = replace(PACK.vocabulary, profiles={"medecin": listed})
    assert allowed("emploi", pack=replace(PACK, vocabulary=vocabulary)) is False


def test_staff_are_in_the_establishment_by_assignment_facts_alone():
    assert subject(assignment(unit="UF-REA")).in_establishment is True
    assert subject(units=("UF-CARD",)).in_establishment is False
    assert subject(assignment(end=NOW)).in_establishment is False
    assert subject(assignment(end=NOW + 1)).in_establishment is True
    assert subject(assignment(controller_id="C2")).in_establishment is True  # staff count in the whole tenant


def test_a_supervisor_is_somebody_else_with_an_assignment():
    chief = assignment(subject_id="chief")
    assert subject(chief, supervised_by="chief").supervised is True
    assert subject(supervised_by="chief").supervised is False
    assert subject(chief).supervised is False
    assert subject(assignment(), supervised_by="dr-card").supervised is False


def test_the_author_is_who_the_object_says():
    def author(name):
        return situation(request=asking(resource={"author": name})).subject.is_author

    assert author("dr-card") is True
    assert author("dr-other") is False
    assert author("") is False


def authentication(now=NOW, caller=CALLER, profile="medecin", given=True, **said):
    stated = Authentication(**({"mfa": True, "time": NOW, "idle_s": 0, "remote": "none"} | said)) if given else None
    request = asking(authentication=stated, subject={"profile": profile})
    return situation(request=request, now=now, caller=caller).authentication


def test_an_authentication_is_present_when_a_context_was_given():
    assert authentication().present is True
    assert authentication(given=False).present is False


def test_two_factors_are_two_only_when_it_is_said():
    assert authentication().mfa is True
    assert authentication(mfa=False).mfa is False
    assert authentication(mfa=None).mfa is False
    assert authentication(given=False).mfa is False


def test_silence_is_measured_against_the_limit_of_the_profile_and_the_caller():
    portal = Caller("portal", channel="portal", tenant=TENANT, controllers=(CONTROLLER,))
    for limit, said in (
        (14_400, {}),
        (600, {"caller": portal}),
        (600, {"profile": "patient"}),
    ):
        assert authentication(idle_s=limit - 1, **said).idle_within_limit is True
        assert authentication(idle_s=limit, **said).idle_within_limit is False
    assert authentication(idle_s=None).idle_within_limit is False
    assert authentication(given=False).idle_within_limit is False


def test_an_authentication_is_younger_than_its_limit_and_at_most_a_minute_ahead():
    twelve = 43_200
    edges = (NOW - 60 * SECOND - 1, NOW - 60 * SECOND, NOW + twelve * SECOND - 1, NOW + twelve * SECOND)
    assert [authentication(now=at).younger_than(twelve) for at in edges] == [False, True, True, False]
    assert authentication(time=None).younger_than(twelve) is False
    assert authentication(given=False).younger_than(twelve) is False


def test_remote_access_without_a_channel_is_known_only_when_it_is_said():
    assert authentication(remote="open").remote_without_channel is True
    assert authentication(remote="none").remote_without_channel is False
    assert authentication(remote="managed_channel").remote_without_channel is False
    assert authentication(remote=None).remote_without_channel is None
    assert authentication(remote="maybe").remote_without_channel is None
    assert authentication(given=False).remote_without_channel is None


@pytest.mark.parametrize(
    ("device", "compromised"),
    [
        (Device("tablet", compromised=True), True),
        (Device("tablet", compromised=False), False),
        (Device("tablet"), None),
        (Device("workstation"), False),
        (Device("workstation", compromised=True), True),
        (Device(), None),
        (None, None),
    ],
)
def test_a_device_is_sound_when_it_says_so_or_is_a_workstation(device, compromised):
    assert situation(request=asking(device=device)).device.compromised is compromised


def test_a_device_is_managed_when_it_says_so_and_mobile_by_its_class():
    def device(given):
        return situation(request=asking(device=given)).device

    assert device(Device("phone", managed=True)).managed is True
    assert device(Device("phone")).managed is False
    assert device(None).managed is False
    assert [device(Device(kind)).mobile for kind in ("phone", "tablet", "workstation", "server", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert device(None).mobile is False


def test_a_caller_acts_for_its_own_controllers():
    def acts(caller=CALLER, stated=""):
        asked = situation(request=asking(resource={"controller_id": stated}), caller=caller)
        return asked.caller.acts_for(asked.resource)

    assert acts() is True
    assert acts(stated=CONTROLLER) is True
    assert acts(stated="C2") is False
    assert acts(Caller("dpi", tenant=TENANT, controllers=("C2",))) is False


def test_hosting_is_lawful_when_certified_or_not_needed():
    def lawful(hds):
        return situation(caller=Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,), hds=hds)).caller.hosting_lawful

    assert [lawful(hds) for hds in ("certified", "not_needed", "missing", "")] == [True, True, False, False]


def context(*facts, now=NOW, patient="P1", **said):
    request = asking(context=Context(**said), resource={"patient_id": patient})
    return situation(*facts, request=request, now=now).context


def test_a_ticket_is_open_when_it_is_known_and_in_its_period():
    refs = References(ticket="T-1")
    known = relation("REL_TICKET", NOW, NOW + HOUR, patient_id="", ref="T-1")
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [context(known, refs=refs, now=at).ticket_open for at in edges] == [False, True, True, False]
    assert context(refs=refs).ticket_open is False
    assert context(known).ticket_open is False
    assert context(known, refs=refs, patient="").ticket_open is True
    assert context(relation("REL_CASE", patient_id="", ref="T-1"), refs=refs).ticket_open is False
    assert context(relation("REL_TICKET", patient_id="", ref="T-1", controller_id="C2"), refs=refs).ticket_open is False


def test_a_reference_binds_the_patient_and_the_subject_it_names():
    refs = References(case="K-1")
    assert context(relation("REL_CASE", ref="K-1"), refs=refs).has_ref("case") is True
    assert context(relation("REL_CASE", ref="K-1"), refs=refs).has_ref("ticket") is False
    assert context(relation("REL_CASE", ref="K-1", patient_id="P2"), refs=refs).has_ref("case") is False
    assert context(relation("REL_CASE", ref="K-1"), refs=refs, patient="").has_ref("case") is False
    assert context(relation("REL_CASE", ref="K-1", subject_id="dr-card"), refs=refs).has_ref("case") is True
    assert context(relation("REL_CASE", ref="K-1", subject_id="dr-other"), refs=refs).has_ref("case") is False


def test_a_workstation_is_touched_unless_it_is_said_that_none_is():
    assert context(workstation="WS-7").touches_workstation is True
    assert context(workstation="none").touches_workstation is False
    assert context().touches_workstation is None
    assert context(workstation="").touches_workstation is None


def test_a_user_agreed_only_when_it_is_said():
    assert context(user_agreement=True).user_agreed is True
    assert context(user_agreement=False).user_agreed is False
    assert context().user_agreed is False


def test_a_motive_is_of_the_closed_list_and_justified_by_a_sentence():
    assert context(motive="AVIS_URGENT").motive_given is True
    assert context(motive="CURIOSITE").motive_given is False
    assert context().motive_given is False
    assert context(motive="AVIS_URGENT", justification="avis demandé par téléphone").justified is True
    assert context(motive="AVIS_URGENT", justification="xxxxxxxxxxxxx").justified is False
    assert context(motive="CURIOSITE", justification="avis demandé par téléphone").justified is False


def test_a_switch_is_read_from_the_pack_and_a_missing_one_is_a_fault():
    assert context().setting("adm_mfa") is True
    with pytest.raises(KeyError):
        context().setting("no_such")
    with pytest.raises(TypeError):
        context().setting("idle_limit")
    with pytest.raises(TypeError):
        situation().number("adm_mfa")
