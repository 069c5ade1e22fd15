"""What each word of the vocabulary means to whoever reads an explanation, in French and in English."""

from collections.abc import Mapping

from sidecar.authoring.explain.meaning import TEAM, WHO, Meaning
from sidecar.authoring.explain.meanings_record import RECORD

SUBJECT: Mapping[str, Meaning] = {
    "is_provider": Meaning("travaille pour un prestataire", "works for a provider", ("subject.kind",)),
    "second_category": Meaning(
        "relève de la seconde catégorie de l'article R.1110-2",
        "is of the second category of R.1110-2",
        ("subject.r1110_2_category",),
    ),
    "purpose_allowed": Meaning(
        "le profil peut invoquer cette finalité", "the profile may state this purpose", ("purpose", "subject.profile")
    ),
    "named_account": Meaning("le compte est nominatif", "the account is one person's", ("subject.account_type",)),
    "active": Meaning(
        "le compte est actif et dans ses dates",
        "the account is active and in date",
        ("subject.status", "subject.valid_from", "subject.valid_until"),
    ),
    "profile_held": Meaning(
        "le profil est bien tenu, d'après les affectations ou le logiciel appelant",
        "the profile is held, by assignments or by the caller's word",
        ("subject.kind", "subject.profile", "subject.units"),
        ("assignment",),
    ),
    "listed_job": Meaning(
        "le compte machine est sur la liste de sa tâche",
        "the machine account is listed for its job",
        ("subject.id", "subject.profile"),
    ),
    "job_allows": Meaning(
        "la tâche listée prévoit cette action",
        "the listed job provides for this action",
        ("subject.id", "subject.profile", "purpose", "action", "resource.category", "resource.author", "resource.stay"),
        ("stay",),
    ),
    "under_contract": Meaning(
        "un contrat en cours, approuvé, avec engagement de confidentialité, lie le prestataire",
        "an approved contract in date, its undertaking signed, binds the provider",
        ("subject.structure", "subject.confidentiality_signed", "subject.contract_until"),
        ("contract",),
    ),
    "one_activity": Meaning(
        "la situation d'exercice est unique ou précisée",
        "there is one exercise situation, or the one used is named",
        ("subject.activities", "subject.activity_id"),
    ),
    "in_care_team": Meaning("fait partie de l'équipe de soins du patient", "is in the patient's care team", WHO, TEAM),
    "was_in_care_team": Meaning(
        "a fait partie de l'équipe de soins, et n'en est plus", "was in the care team and no longer is", WHO, TEAM
    ),
    "left_unit_less_than": Meaning(
        "a quitté la prise en charge depuis moins de {0} jours",
        "left the patient's care less than {0} days ago",
        ("subject.id",),
        ("stay", "assignment"),
    ),
    "responsible_for_stay": Meaning(
        "est le médecin responsable d'un séjour",
        "is the physician responsible for a stay",
        ("subject.id",),
        ("stay",),
    ),
    "in_team_at_death": Meaning(
        "faisait partie de l'équipe le jour du décès",
        "was in the team on the day of the death",
        ("subject.id",),
        ("record_state", *TEAM),
    ),
    "on_call_here": Meaning(
        "est de garde pour l'unité où se trouve le patient",
        "is on call for the unit where the patient is",
        ("subject.id",),
        ("assignment", "stay"),
    ),
    "expecting_transfer": Meaning(
        "un transfert du patient vers son unité est annoncé",
        "a transfer of the patient to their unit is announced",
        WHO,
        ("stay", "assignment"),
    ),
    "has_appointment": Meaning(
        "a un rendez-vous avec le patient", "has an appointment with the patient", WHO, ("relation", "assignment")
    ),
    "in_case_meeting": Meaning(
        "participe à une réunion de concertation sur ce patient",
        "attends a case meeting about this patient",
        WHO,
        ("relation", "assignment"),
    ),
    "referring_on_request": Meaning(
        "est le praticien habituel du patient, qui a demandé l'accès",
        "is the patient's own practitioner, who asked for access",
        WHO,
        ("relation", "assignment"),
    ),
    "answers_request_for": Meaning(
        "répond, en personne ou par son unité, à une demande à laquelle l'objet se rattache",
        "answers, in person or through their unit, a request that the object is tied to",
        (*WHO, "resource.category", "resource.id", "resource.stay"),
        ("relation", "assignment"),
    ),
    "named_in_care": Meaning(
        "est liée au patient nommément, pas seulement par une unité",
        "is tied to the patient by name, not only through a unit",
        ("subject.id", "resource.id"),
        ("relation", "stay"),
    ),
    "signed_request_for": Meaning(
        "a signé la demande à laquelle répond cet objet",
        "signed the request that this object answers",
        ("subject.id", "resource.id"),
        ("relation",),
    ),
    "is_author": Meaning("est l'auteur de l'objet", "is the author of the object", ("subject.id", "resource.author")),
    "in_establishment": Meaning(
        "a une affectation en cours dans l'établissement",
        "holds a current assignment in the establishment",
        ("subject.id",),
        ("assignment",),
    ),
    "in_producing_unit": Meaning(
        "travaille dans l'unité qui a produit l'objet, séjour encore ouvert",
        "works in the unit that made the object, the stay there still open",
        ("subject.units", "resource.unit", "resource.stay"),
        ("assignment", "stay"),
    ),
    "in_tag_unit": Meaning(
        "travaille dans l'unité qui détient l'objet sensible",
        "works in the unit that holds the sensitive object",
        ("subject.units", "resource.unit"),
        ("assignment",),
    ),
    "same_specialty": Meaning(
        "travaille dans l'unité qui a produit l'objet ou dans une unité de la même spécialité",
        "works in the unit that made the object, or in one of the same specialty",
        ("subject.units", "resource.unit"),
        ("assignment",),
    ),
    "delegation_covers": Meaning(
        "une délégation vise cet objet, ce patient, ou son unité et sa catégorie",
        "a delegation names this object, this patient, or its unit and category",
        ("subject.id", "resource.id", "resource.patient_id", "resource.unit", "resource.category"),
        ("delegation",),
    ),
    "delegated_for": Meaning(
        "cette délégation est en cours, vaut pour la finalité, et le délégant peut lui-même faire cela",
        "that delegation is in date, fits the purpose, and whoever gave it may do this",
        ("subject.id", "resource.id", "resource.patient_id", "resource.unit", "resource.category", "purpose"),
        ("delegation", "assignment"),
    ),
    "senior_in_team": Meaning(
        "le senior désigné fait partie de l'équipe de soins",
        "the senior named is in the care team",
        ("subject.supervised_by",),
        TEAM,
    ),
    "supervised": Meaning(
        "le superviseur désigné a une affectation",
        "the supervisor named holds an assignment",
        ("subject.supervised_by",),
        ("assignment",),
    ),
    "over_volume": Meaning(
        "a ouvert en une heure plus de patients distincts que le seuil",
        "opened more distinct patients in an hour than the threshold",
        ("subject.id",),
    ),
    "denied_too_often": Meaning(
        "a essuyé trop de refus en dix minutes",
        "was refused too often in ten minutes",
        ("subject.id",),
    ),
    "reads_own_record": Meaning(
        "la personne est elle-même ce patient", "is this very patient", ("subject.id",), ("alias",), "alias"
    ),
    "delegated_by_dim": Meaning(
        "agit par délégation, en cours, d'un médecin de l'information médicale",
        "works under a delegation, in date, of a physician of medical information",
        ("subject.id", "purpose", "resource.category", "resource.unit"),
        ("delegation", "assignment"),
    ),
    "codes_this_stay": Meaning(
        "le séjour est sur la liste à coder",
        "the stay is on the list to be coded",
        (*WHO, "subject.structure", "resource.stay"),
        ("relation", "assignment"),
    ),
    "is_holder": Meaning(
        "est le patient en personne", "is the patient in person", ("subject.id",), ("alias", "relation")
    ),
    "represents_patient": Meaning(
        "a autorité sur ce patient mineur",
        "holds authority over this patient, who is under age",
        ("subject.id",),
        ("relation", "record_state"),
    ),
    "may_review": Meaning(
        "n'est ni l'auteur de ce bris de glace ni son supérieur direct",
        "neither opened this emergency access nor directs who did",
        ("subject.id", "context.grant"),
    ),
}

CIRCUMSTANCES: Mapping[str, Mapping[str, Meaning]] = {
    "authentication": {
        "present": Meaning("une preuve d'identité est donnée", "a proof of identity is given", ("authentication",)),
        "mfa": Meaning(
            "deux facteurs d'authentification sont donnés", "two factors were used", ("authentication.mfa",)
        ),
        "idle_within_limit": Meaning(
            "la session n'est pas restée inactive trop longtemps",
            "the session has not been idle too long",
            ("authentication.idle_s",),
        ),
        "younger_than": Meaning(
            "l'authentification a moins de {0} secondes",
            "the login is less than {0} seconds old",
            ("authentication.time",),
        ),
        "remote_without_channel": Meaning(
            "l'accès se fait à distance, hors d'un canal de l'établissement",
            "the access comes from outside, not by a channel of the establishment",
            ("authentication.remote",),
        ),
    },
    "device": {
        "compromised": Meaning(
            "l'appareil n'est plus sûr", "the device is no longer safe", ("device.compromised", "device.class")
        ),
        "managed": Meaning(
            "l'appareil est géré par l'établissement", "the device is run by the establishment", ("device.managed",)
        ),
        "mobile": Meaning("l'appareil est mobile", "the device is a tablet or a phone", ("device.class",)),
    },
    "caller": {
        "acts_for": Meaning(
            "le logiciel appelant agit pour cet établissement",
            "the calling system acts for this establishment",
            ("resource.controller_id",),
        ),
        "hosting_lawful": Meaning(
            "l'hébergement du logiciel appelant est conforme", "the calling system's hosting is lawful"
        ),
    },
    "context": {
        "grant_open": Meaning(
            "le bris de glace cité est ouvert sur ce patient",
            "the emergency grant named is open on this patient",
            ("context.grant", "context.access_mode"),
        ),
        "grant_ended": Meaning(
            "le bris de glace cité est terminé", "the emergency grant named is over", ("context.grant",)
        ),
        "grant_for_other_patient": Meaning(
            "le bris de glace cité concerne un autre patient",
            "the emergency grant named is for another patient",
            ("context.grant",),
        ),
        "vital_motive": Meaning(
            "le motif du bris de glace est vital", "the grant's motive is a vital one", ("context.grant",)
        ),
        "vital_override": Meaning(
            "le bris de glace passe outre un masquage, doublement confirmé",
            "the grant passes a mask, confirmed twice",
            ("context.grant",),
        ),
        "single_factor_allowed": Meaning(
            "un seul facteur suffit : bris de glace pour un motif qui le permet",
            "one factor is enough: an emergency access for a motive that allows it",
            ("action", "context.motive", "context.grant"),
        ),
        "blocked_override": Meaning(
            "le bris de glace passe outre le blocage de ce professionnel",
            "the grant passes the patient's block of this professional",
            ("context.grant",),
        ),
        "motive_given": Meaning("un motif de la liste est donné", "a motive of the list is given", ("context.motive",)),
        "justified": Meaning(
            "un motif et une justification suffisante sont donnés",
            "a motive and a justification that says something are given",
            ("context.motive",),
        ),
        "ticket_open": Meaning(
            "le ticket cité est connu et en cours",
            "the ticket named is known and open",
            ("context.refs.ticket",),
            ("relation",),
        ),
        "has_ref": Meaning(
            "la référence {0} citée est connue et en cours",
            "the {0} reference named is known and in date",
            ("context.refs",),
            ("relation",),
        ),
        "archive_request_open": Meaning(
            "la demande d'archives citée est connue et en cours",
            "the archive request named is known and open",
            ("context.refs.request", "context.refs.ticket"),
            ("relation",),
        ),
        "supervisor_is": Meaning(
            "le superviseur cité tient le profil {0}",
            "the supervisor named holds the profile {0}",
            ("context.refs.supervisor",),
            ("assignment",),
        ),
        "heir_motive": Meaning(
            "le motif est l'un des trois que la loi ouvre aux ayants droit",
            "the motive is one of the three the law opens to heirs",
            ("context.motive",),
        ),
        "touches_workstation": Meaning(
            "l'intervention touche le poste d'un utilisateur",
            "a user's workstation is touched",
            ("context.workstation",),
        ),
        "recipient_identified": Meaning(
            "le destinataire est identifié : un numéro RPPS, ou le patient",
            "the recipient is identified: an RPPS number, or the patient",
            ("context.recipient",),
        ),
        "notice_current": Meaning(
            "l'utilisateur a vu l'information en vigueur sur la traçabilité",
            "the user saw the notice on logging that is in force",
            ("context.notice_version",),
        ),
        "user_agreed": Meaning(
            "l'utilisateur du poste a donné son accord",
            "the user of the workstation agreed",
            ("context.user_agreement",),
        ),
        "setting": Meaning("le réglage {0} du pack est actif", "the pack's setting {0} is on"),
    },
}

MEANINGS: Mapping[str, Mapping[str, Meaning]] = {"subject": SUBJECT, **CIRCUMSTANCES, **RECORD}
