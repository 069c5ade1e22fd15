"""The hospital pack is plain Casbin: stock PyCasbin loads it with nothing registered, and answers as the rules say."""

from pathlib import Path

import casbin
import pytest
from casbin.core_enforcer import EnforceContext
from casbin.persist.adapters.string_adapter import StringAdapter

from sidecar.core.vocabulary import NOUNS

PACK = Path(__file__).parents[2] / "policies" / "hospital"

GROUNDS = EnforceContext("r", "p", "e", "m")
DUTIES = EnforceContext("r", "p2", "e", "m2")
MATRIX = EnforceContext("r", "p3", "e", "m3")

# What holds for anyone in order: an own account in date, two factors, the right hospital, a purpose of the profile.
IN_ORDER = frozenset(
    {
        *("subject.named_account", "subject.active", "subject.profile_held", "subject.purpose_allowed"),
        "subject.one_activity",
        *("authentication.present", "authentication.mfa", "authentication.idle_within_limit"),
        *("authentication.younger_than", "caller.acts_for", "caller.hosting_lawful", "context.setting"),
        *("subject.supervised", "subject.senior_in_team", "context.notice_current"),
    }
)


class Noun:
    """A noun whose words answer from a set of what holds: a property, or a method of any arguments."""

    def __init__(self, name: str, holds: frozenset[str], **given: str) -> None:
        for word, what in NOUNS.get(name, {}).items():
            answer = f"{name}.{word}" in holds
            setattr(self, word, answer if what.args is None else lambda *_, answer=answer: answer)
        for word, value in given.items():
            setattr(self, word, value)


def lines(*patterns: str) -> list[str]:
    """The rows of the pack's files, comments and empty lines left out."""
    files = [path for pattern in patterns for path in sorted(PACK.glob(pattern))]
    return [line for path in files for line in path.read_text().splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def judge() -> casbin.Enforcer:
    """Stock PyCasbin with the whole pack."""
    model = casbin.Enforcer.new_model(text=(PACK / "model.conf").read_text())
    return casbin.Enforcer(model, StringAdapter("\n".join(lines("roles.csv", "rules/*.csv"))))


def asked(profile: str, action: str, category: str, purpose: str, *, but: str = "", also: str = "") -> list[object]:
    """A question from someone in order, `but` for the words that do not hold, and with those that `also` do."""
    holds = (IN_ORDER - frozenset(but.split())) | frozenset(also.split())
    subject = Noun("subject", holds, profile=profile)
    resource = Noun("resource", holds, category=category)
    others = {name: Noun(name, holds) for name in ("authentication", "device", "caller", "patient", "context")}
    return [
        subject, others["authentication"], others["device"], others["caller"], action, resource, purpose,
        others["patient"], others["context"],
    ]  # fmt: skip


def test_every_row_is_kept(judge: casbin.Enforcer) -> None:
    for kind in ("p", "p2", "p3"):
        rows = [line for line in lines("rules/*.csv") if line.split(",")[0] == kind]
        assert len(judge.model.model["p"][kind].policy) == len(rows)
    for kind in ("g", "g2", "g3", "g4"):
        rows = [line for line in lines("roles.csv") if line.split(",")[0] == kind]
        assert len(judge.model.model["g"][kind].policy) == len(rows)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (asked("medecin", "read", "cr", "soins", also="subject.in_care_team"), "ALLOW_CARE_TEAM"),
        (asked("infirmier", "update", "constantes", "soins_urgence", also="subject.in_care_team"), "ALLOW_CARE_TEAM"),
        (asked("interne", "sign", "cr", "soins", also="subject.on_call_here"), "ALLOW_ON_CALL"),
        (asked("medecin", "list", "synthese", "droits_patient", also="subject.is_author subject.in_establishment"),
         "ALLOW_AUTHOR"),
        (asked("secretaire_medicale", "create", "cr", "soins",
               also="subject.delegated_for subject.delegation_covers"), "ALLOW_DELEGATION"),
        (asked("agent_admission", "update", "sejour", "admin_sejour"), "ALLOW_ADMIN_PURPOSE"),
        (asked("maintenance", "update", "technique", "assistance", also="context.ticket_open"), "ALLOW_ADMIN_PURPOSE"),
        (asked("job_interfaces", "create", "biologie", "soins", but="subject.named_account",
               also="subject.listed_job subject.job_allows"), "ALLOW_SERVICE_JOB"),
        (asked("tim", "read", "biologie", "information_medicale",
               also="subject.delegated_by_dim subject.codes_this_stay"), "ALLOW_DIM"),
        (asked("archiviste", "unarchive", "conteneur_archive", "archivage", also="context.archive_request_open"),
         "ALLOW_ARCHIVE"),
        (asked("patient", "export", "cr", "droits_patient", also="subject.is_holder"), "ALLOW_RIGHTS"),
        (asked("ayant_droit", "read", "imagerie", "droits_patient", also="patient.deceased context.heir_motive"),
         "ALLOW_RIGHTS"),
        (asked("medecin", "read", "cr", "soins_urgence", also="context.grant_open"), "ALLOW_BREAK_GLASS"),
        (asked("secretaire_medicale", "read", "proches", "soins_urgence", also="context.grant_open"),
         "ALLOW_BREAK_GLASS"),
    ],
)  # fmt: skip
def test_what_grounds_and_matrix_allow_is_permitted(
    judge: casbin.Enforcer, question: list[object], reason: str
) -> None:
    permitted, row = judge.enforce_ex(GROUNDS, *question)
    assert (permitted, row[7]) == (True, reason)
    assert judge.enforce(MATRIX, *question)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (asked("medecin", "read", "cr", "soins", but="authentication.mfa", also="subject.in_care_team"),
         "MFA_REQUIRED"),
        (asked("agent_admission", "read", "identite", "admin_sejour", but="authentication.mfa"), "MFA_REQUIRED"),
        (asked("medecin", "read", "cr", "soins", also="subject.in_care_team resource.masked_for_subject"), "MASKED"),
        (asked("medecin", "read", "cr", "soins_urgence", also="context.grant_open resource.masked_for_subject"),
         "MASKED"),
        (asked("infirmier", "update", "soins", "soins", also="subject.in_care_team resource.frozen"), "RECORD_FROZEN"),
        (asked("medecin", "delete", "cr", "soins", also="subject.in_care_team"), "DELETE_FORBIDDEN"),
        (asked("interne", "create", "cr", "soins", but="subject.senior_in_team", also="subject.in_care_team"),
         "COSIGN_MISSING"),
        (asked("maintenance", "read", "technique", "maintenance", but="subject.supervised", also="context.ticket_open"),
         "SUPERVISOR_REQUIRED"),
        (asked("job_interfaces", "read", "biologie", "soins", also="subject.listed_job"), "JOB_NOT_LISTED"),
        (asked("codage_externe", "read", "cr", "information_medicale", also="subject.codes_this_stay"),
         "SUPERVISOR_REQUIRED"),
        (asked("patient", "read", "cr", "soins", also="subject.is_holder resource.hidden_from_patient"),
         "INVISIBLE_TO_PATIENT"),
        (asked("ayant_droit", "read", "cr", "droits_patient", also="patient.deceased"), "DECEASED_PURPOSE"),
        (asked("medecin", "read", "notes", "soins",
               also="subject.in_care_team context.grant_open resource.sensitive resource.tagged"), "BREAK_GLASS_SCOPE"),
    ],
)  # fmt: skip
def test_a_gate_refuses_whatever_the_ground(judge: casbin.Enforcer, question: list[object], reason: str) -> None:
    permitted, row = judge.enforce_ex(GROUNDS, *question)
    assert (permitted, row[7]) == (False, reason)


@pytest.mark.parametrize(
    "question",
    [
        asked("secretaire_medicale", "read", "cr", "soins"),
        asked("secretaire_medicale", "read", "cr", "soins_urgence", also="context.grant_open"),
        asked("infirmier", "create", "prescription", "soins", also="subject.in_care_team"),
        asked("infirmier", "read", "cr", "soins", also="subject.in_care_team resource.sensitive"),
        asked("medecin", "read", "notes", "soins", also="subject.in_care_team resource.sensitive"),
        asked("radiologue", "print", "cr", "soins", also="subject.in_care_team"),
        asked("commissaire_aux_comptes", "read", "cr", "audit"),
        asked("representant", "update", "cr", "droits_patient", also="subject.represents_patient"),
        asked("medecin", "read", "espace_personnel", "soins_urgence", also="context.grant_open"),
        asked("agent_admission", "read", "situation_familiale", "admin_sejour"),
        asked("maintenance", "read", "cr", "maintenance", also="context.ticket_open"),
    ],
)  # fmt: skip
def test_what_the_matrix_does_not_hold_stays_closed(judge: casbin.Enforcer, question: list[object]) -> None:
    assert not judge.enforce(MATRIX, *question)


def test_every_yes_is_recorded_in_full(judge: casbin.Enforcer) -> None:
    permitted, row = judge.enforce_ex(DUTIES, *asked("medecin", "read", "cr", "soins"))
    assert (permitted, row[6]) == (True, "LOG_FULL")
