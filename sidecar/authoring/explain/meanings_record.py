"""What the words of `r.resource` and `r.patient` mean to people."""

from collections.abc import Mapping

from sidecar.authoring.explain.meaning import WHOM, Meaning

RECORD: Mapping[str, Mapping[str, Meaning]] = {
    "resource": {
        "expired": Meaning(
            "la durée de conservation est dépassée",
            "its retention is over",
            ("resource.lifecycle",),
            ("record_state",),
            "record_state",
        ),
        "archived": Meaning("est archivé", "is archived", ("resource.lifecycle",), ("record_state",), "record_state"),
        "frozen": Meaning(
            "est gelé (aucune écriture)",
            "is frozen (nothing may be written)",
            ("resource.lifecycle",),
            ("record_state",),
            "record_state",
        ),
        "invalidated": Meaning(
            "a été invalidé", "was declared wrong", ("resource.lifecycle",), ("record_state",), "record_state"
        ),
        "draft": Meaning("est un brouillon", "is a draft", ("resource.lifecycle",)),
        "created_before_leaving": Meaning(
            "l'objet date d'avant la fin de la prise en charge par cette personne",
            "was made before this person's care ended",
            ("resource.created_at", "subject.id"),
            ("stay", "assignment"),
        ),
        "sensitive": Meaning(
            "porte une étiquette de sensibilité", "carries a tag of sensitive data", ("resource.tags",)
        ),
        "tagged": Meaning("porte l'étiquette {0}", "carries the tag {0}", ("resource.tags",)),
        "only_tagged": Meaning(
            "ne porte pas d'autre étiquette que {0}", "carries no other tag than {0}", ("resource.tags",)
        ),
        "masked_for_subject": Meaning(
            "un masquage du patient vise cette personne et cet objet",
            "a mask of the patient covers this person and this object",
            (*WHOM, "resource.masked_for"),
            ("directive",),
            "directive",
        ),
        "hidden_from_patient": Meaning(
            "n'est pas encore montré au patient, dans l'attente de la consultation d'annonce",
            "is not shown to the patient yet, before the consultation that tells them",
            ("resource.visibility", "resource.announced_since"),
            ("directive",),
            "directive",
        ),
        "hidden_from_representative": Meaning(
            "touche à un acte que le mineur garde secret",
            "is about an act the minor keeps secret",
            (*WHOM, "resource.visibility", "resource.tags"),
            ("directive",),
            "directive",
        ),
    },
    "patient": {
        "blocked_subject": Meaning(
            "le patient a bloqué cette personne",
            "the patient blocked this person",
            WHOM,
            ("directive",),
            "directive",
        ),
        "opposed_to_subject": Meaning(
            "le patient s'est opposé au partage avec cette personne",
            "the patient opposed sharing with this person",
            WHOM,
            ("directive",),
            "directive",
        ),
        "informed": Meaning(
            "le patient a été informé au préalable de ce partage",
            "the patient was told beforehand of this sharing",
            ("context.patient_informed", *WHOM),
            ("directive",),
        ),
        "unable_to_answer": Meaning(
            "le patient n'a pas encore pu être informé et le sera",
            "the patient could not be told yet, and will be",
            ("context.patient_informed",),
        ),
        "consented_to_subject": Meaning(
            "le patient a consenti à ce que cette personne ait cet objet",
            "the patient consented to this person having this object",
            WHOM,
            ("directive",),
        ),
        "agreed_to": Meaning(
            "le patient a consenti pour cette catégorie, expressément",
            "the patient consented to this category, expressly",
            WHOM,
            ("directive",),
        ),
        "untold_of_emergency": Meaning(
            "un bris de glace récent n'est pas encore connu du patient",
            "the patient is not known to have been told of a recent emergency access",
            (),
        ),
        "deceased": Meaning("le patient est décédé", "a death is recorded", (), ("record_state",), "record_state"),
        "deceased_since_more_than": Meaning(
            "le patient est décédé depuis plus de {0} jours",
            "the patient died more than {0} days ago",
            (),
            ("record_state",),
            "record_state",
        ),
        "in_litigation": Meaning("un contentieux est en cours", "a claim is in progress", (), ("record_state",)),
        "flagged": Meaning(
            "le dossier porte le signalement {0}",
            "the record carries the flag {0}",
            (),
            ("record_state",),
            "record_state",
        ),
        "protected_record": Meaning(
            "le dossier est protégé (il faut un lien nominatif)",
            "the record is protected (it asks for a tie by name)",
            (),
            ("record_state",),
            "record_state",
        ),
    },
}
