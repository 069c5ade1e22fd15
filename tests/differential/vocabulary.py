"""The names and the conditions small packs are made of."""

PROFILES = ("medecin", "infirmier", "secretaire", "automate")
PEOPLE = PROFILES[:3]
CATEGORIES = ("cr", "notes", "alertes", "sejour", "technique")
ACTIONS = ("read", "create", "print", "ouvrir", "chercher")
PURPOSES = ("soins", "urgence", "accueil", "vente")
DENIED_PURPOSE = "vente"
TAGS = ("psy", "vih", "notes_personnelles", "secret_mineur")
FLAGS = ("detenu", "personnalite", "litige")
ROOTS = ("tous", "tout", "toute_action", "tout_motif")
GATES = ("G-SUB", "G-AUTH", "G-LIFE", "G-WILL", "A-15", "A-7")
FIRM = GATES[:2]

# Grounds that hold for nearly every question: a gate asks that they are missing.
USUAL = (
    "r.subject.active",
    "r.subject.profile_held",
    "r.subject.one_activity",
    "r.subject.purpose_allowed(r.purpose)",
    "r.authentication.present",
    "r.authentication.mfa",
    "r.authentication.idle_within_limit",
    "r.authentication.younger_than({seconds})",
    "r.caller.acts_for(r.resource)",
    "r.caller.hosting_lawful",
    "r.device.managed",
)
FORBIDS = (
    "r.authentication.remote_without_channel",
    "r.device.compromised",
    "r.resource.expired",
    "r.resource.archived",
    "r.resource.frozen",
    "r.resource.invalidated",
    "r.resource.sensitive",
    'r.resource.tagged("psy")',
    "r.patient.deceased",
    "r.patient.deceased_since_more_than({days})",
    'r.patient.flagged("detenu")',
    "r.patient.protected_record",
    "r.subject.reads_own_record",
    "r.subject.over_volume",
    "r.subject.denied_too_often",
)
WILL = (
    "r.resource.masked_for_subject",
    "r.resource.masked_for_subject",
    "r.patient.blocked_subject",
    "r.patient.blocked_subject",
    "r.patient.opposed_to_subject",
    "r.resource.hidden_from_patient",
    "r.resource.hidden_from_representative",
)
TIES = (
    "r.subject.in_care_team",
    "r.subject.in_care_team",
    "r.subject.on_call_here",
    "r.subject.expecting_transfer",
    "r.subject.has_appointment",
    "r.subject.named_in_care",
    "r.subject.left_unit_less_than({days})",
    "r.subject.left_unit_less_than({days}) && r.resource.created_before_leaving",
    "r.subject.signed_request_for(r.resource)",
    "r.subject.answers_request_for(r.resource)",
    "r.subject.in_case_meeting",
    "r.subject.referring_on_request",
    "r.subject.same_specialty",
    "r.subject.delegated_by_dim",
    "r.subject.codes_this_stay",
    "r.subject.is_holder",
    "r.subject.represents_patient",
    "r.patient.consented_to_subject",
    "r.patient.consented_to_subject",
    "r.patient.agreed_to(r.resource)",
    "r.patient.informed",
    "r.context.archive_request_open",
    "r.subject.responsible_for_stay",
    "r.subject.in_team_at_death",
    "r.subject.delegated_for(r.resource)",
    "r.subject.is_author",
    "r.subject.is_author && r.subject.in_establishment",
    "r.subject.in_producing_unit",
    "r.subject.in_tag_unit",
    "r.subject.senior_in_team",
    "r.context.ticket_open",
    'r.context.has_ref("case")',
    "r.context.grant_open",
    "r.patient.in_litigation",
)
SMALL = (
    "r.subject.is_author",
    "r.subject.in_tag_unit",
    "r.subject.in_producing_unit",
    "r.subject.named_in_care",
    "r.subject.responsible_for_stay",
    "r.subject.supervised",
    "r.subject.in_establishment",
    "r.resource.draft",
    'r.resource.only_tagged("psy", "vih")',
    "r.device.mobile",
    "r.context.grant_open",
    "r.context.vital_motive",
    "r.context.vital_override",
    "r.context.single_factor_allowed",
    "r.context.blocked_override",
    "r.context.motive_given",
    "r.context.justified",
    "r.context.user_agreed",
    "r.context.heir_motive",
    'r.context.supervisor_is("medecin")',
    "r.context.recipient_identified",
    "r.context.notice_current",
    "r.patient.unable_to_answer",
    "r.subject.second_category",
    "r.patient.informed",
    "r.subject.same_specialty",
    'r.context.setting("ouvert")',
)
OTHERWISE = (
    "-",
    "-",
    "REQUEST_REQUIRED",
    "RELATION_EXPIRED when r.subject.was_in_care_team",
    "RELATION_EXPIRED when r.subject.was_in_care_team && !r.patient.protected_record",
    "DELEGATION_VOID when r.subject.delegation_covers(r.resource)",
    "GRANT_ENDED when r.context.grant_ended",
    "GRANT_SCOPE when r.context.grant_open || r.context.grant_for_other_patient",
)
ALLOWED = ("ALLOW_GRANT", "ALLOW_AUTHOR", "ALLOW_TEAM", "ALLOW_OTHER", "ALLOW_DELEGATION")
DUTIES = (
    "LOG",
    "LOG(delegator)",
    "COSIGN_BY(senior)",
    "REQUIRE_REVIEW(72h)",
    "REQUIRE_REVIEW(2d)",
    "REQUIRE_REVIEW(48h)",
    "BANNER",
    "CACHE_MAX_AGE(60)",
    "CACHE_MAX_AGE(0)",
    "REDACT(a,b)",
    "REDACT(b,c)",
    "NOTE(x)",
    "NOTE(y)",
    "NOTE(untold)",
    "NOTE(untold_since)",
    "ADVISE",
)

MODEL = """[request_definition]
r = subject, authentication, device, caller, action, resource, purpose, patient, context
[policy_definition]
p  = rule, profile, category, action, purpose, when, eft, reason, otherwise, source
p2 = rule, profile, category, action, purpose, when, obligation, source
p3 = rule, profile, category, action, when, eft, reason, source
[role_definition]
g  = _, _
g2 = _, _
g3 = _, _
g4 = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m  = g(r.subject.profile, p.profile) && g2(r.resource.category, p.category) && g3(r.action, p.action) && \
g4(r.purpose, p.purpose) && eval(p.when)
m2 = g(r.subject.profile, p2.profile) && g2(r.resource.category, p2.category) && g3(r.action, p2.action) && \
g4(r.purpose, p2.purpose) && eval(p2.when)
m3 = g(r.subject.profile, p3.profile) && g2(r.resource.category, p3.category) && g3(r.action, p3.action) && \
eval(p3.when)
"""
