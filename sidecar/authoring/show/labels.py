"""Headings and explanations of the page, in French and in English."""

from collections.abc import Mapping

LANGUAGES = ("fr", "en")

LABELS: Mapping[str, tuple[str, str]] = {
    "title": ("Grille d'habilitation", "Access rights"),
    "subtitle": ("Qui voit quoi, pourquoi, et pourquoi non", "Who sees what, why, and why not"),
    "version": ("version", "version"),
    "digest": ("empreinte", "digest"),
    "revision": ("révision", "revision"),
    "contents": ("Sommaire", "Contents"),
    "howto": ("Lire cette page", "Reading this page"),
    "howto_1": (
        "Un accès est accordé quand trois choses sont vraies ensemble : aucune porte ne refuse, la grille ouvre la"
        " case, et un motif tient, le plus souvent un lien de prise en charge connu de l'établissement.",
        "Access is given when three things hold together: no gate refuses, the matrix opens the cell, and a ground"
        " holds, most often a care relationship the establishment knows of.",
    ),
    "howto_2": (
        "La grille dit ce qu'un profil peut voir et écrire ; elle ne dit jamais de quel patient. Tout ce qui n'est pas"
        " écrit ici est refusé. L'ordre des lignes ne compte pas.",
        "The matrix says what a profile may see and write; it never says of which patient. What is not written here"
        " is refused. The order of rows means nothing.",
    ),
    "howto_3": (
        "Chaque règle porte la loi, la recommandation ou l'exigence qu'elle suit. Le texte Casbin, celui que la machine"
        " lit, est donné sous chaque phrase ; en cas de doute, c'est lui qui vaut.",
        "Each rule names the law, guidance or requirement it follows. The Casbin text, which the machine reads, stands"
        " under each sentence; in doubt it is what counts.",
    ),
    "n_profiles": ("profils", "profiles"),
    "n_categories": ("catégories de données", "categories of data"),
    "n_gates": ("portes", "gates"),
    "n_grounds": ("règles qui autorisent", "rules that permit"),
    "n_cells": ("cases de la grille, tous profils", "cells of the matrix, all profiles"),
    "n_duties": ("lignes d'obligations", "rows of obligations"),
    "n_refusals": ("raisons de refuser", "reasons to refuse"),
    "n_sources": ("sources citées", "sources cited"),
    "legend": ("Légende", "Legend"),
    "legend_R": ("lit", "reads"),
    "legend_W": ("crée et met à jour", "creates and updates"),
    "legend_r": ("lit certains champs seulement", "reads some fields only"),
    "legend_L": ("liste seulement, sans le contenu", "lists only, no content"),
    "legend_open": ("ouvert, dès qu'un motif tient", "open, once a ground holds"),
    "legend_tagged": (
        "ouvert, sauf les objets à étiquette sensible, qui demandent plus",
        "open, but for objects with a sensitive tag, which ask for more",
    ),
    "legend_condition": ("sous une condition, donnée au profil", "under a condition, given with the profile"),
    "legend_glass": ("en bris de glace seulement", "under an emergency grant only"),
    "legend_idle": ("case ouverte, mais aucun motif n'y mène", "cell open, but no ground leads there"),
    "legend_closed": ("fermé", "closed"),
    "rights": ("Profils et catégories de données", "Profiles and categories of data"),
    "rights_note": (
        "Les dernières colonnes disent ce qui est ouvert des données de santé quand l'objet porte cette étiquette.",
        "The last columns say what is open of the clinical data when the object carries that tag.",
    ),
    "tags": ("Étiquettes sensibles", "Sensitive tags"),
    "rest": ("Autres", "Others"),
    "acts": ("Autres actions", "Other actions"),
    "acts_note": (
        "Ce qu'un profil peut faire d'autre que lire et écrire, sur une catégorie au moins.",
        "What a profile may do besides reading and writing, on one category at least.",
    ),
    "why": ("Motifs par profil", "Grounds by profile"),
    "why_note": (
        "Chaque point est une règle qui peut donner un motif d'accès à ce profil ; les règles sont plus loin.",
        "Each dot is a rule that may give this profile a ground for access; the rules follow below.",
    ),
    "profile": ("Profil", "Profile"),
    "gates": ("Portes : ce qui refuse", "Gates: what refuses"),
    "gates_note": (
        "Les portes sont lues dans cet ordre ; la première qui tient, ou dont on ne sait pas si elle tient, décide.",
        "Gates are read in this order; the first that holds, or of which it is not known whether it holds, decides.",
    ),
    "grounds": ("Motifs : ce qui autorise", "Grounds: what permits"),
    "grounds_note": (
        "Un motif suffit. Plusieurs peuvent tenir : le premier par ordre de priorité est donné, les autres sont notés.",
        "One ground is enough. Several may hold: the first by rank is given, the others are noted.",
    ),
    "duties": ("Obligations : ce qui accompagne l'accès", "Obligations: what comes with access"),
    "duties_note": (
        "Le logiciel doit les appliquer ; s'il n'en comprend pas une, il doit refuser.",
        "The software must carry them out; one that it does not understand, it must refuse.",
    ),
    "profiles": ("Profil par profil", "Profile by profile"),
    "held_by": ("Tenu par", "Held by"),
    "purposes": ("Finalités", "Purposes"),
    "shut": ("Ce qui reste fermé, quelle que soit la case", "What stays shut, whatever the cell"),
    "shut_note": (
        "Ces lignes ferment une case que d'autres ouvriraient, pour tous les profils du groupe nommé.",
        "These rows shut a cell that others would open, for every profile of the group they name.",
    ),
    "by_rules": ("Motifs possibles", "Possible grounds"),
    "no_cells": (
        "Aucune case : ce profil ne voit rien du dossier.",
        "No cell: this profile sees nothing of the record.",
    ),
    "glass": ("Bris de glace", "Emergency access"),
    "glass_note": (
        "Ce qu'un bris de glace ouvre, pour un seul patient et pour un temps limité. Tout le reste demeure fermé :"
        " documents masqués, espace personnel, autres patients.",
        "What an emergency grant opens, for one patient and a limited time. All else stays shut: masked documents,"
        " personal space, other patients.",
    ),
    "glass_none": ("Pas de bris de glace.", "No emergency access."),
    "scope": ("Portée", "Scope"),
    "reads": ("Lit", "Reads"),
    "writes": ("Crée", "Creates"),
    "sensitive": ("Étiquettes ouvertes (motif vital)", "Tags opened (vital motive)"),
    "motives": ("Motifs de bris de glace", "Motives of emergency access"),
    "sentences": ("Ce que lit l'utilisateur", "What the user reads"),
    "permits": ("Raisons d'autoriser", "Reasons to permit"),
    "refusals": ("Raisons de refuser", "Reasons to refuse"),
    "hidden": ("gardée au registre, jamais montrée", "kept in the record, never shown"),
    "obligations": ("Obligations et conseils", "Obligations and advice"),
    "parameters": ("Paramètres", "Parameters"),
    "parameters_note": (
        "Qui fixe la valeur : la loi, une recommandation, ou notre proposition, que l'établissement peut changer.",
        "Who sets the value: the law, guidance, or our proposal, which the establishment may change.",
    ),
    "sources": ("Sources", "Sources"),
    "source": ("Source", "Source"),
    "followed": ("Suivie par", "Followed by"),
    "rule": ("Règle", "Rule"),
    "who": ("Qui", "Who"),
    "what": ("Quoi", "What"),
    "when": ("Quand", "When"),
    "gives": ("Donne", "Gives"),
    "else": ("sinon", "else"),
    "categories": ("Catégories", "Categories"),
    "actions": ("Actions", "Actions"),
    "refuses": ("refuse", "refuses"),
    "permits_when": ("condition :", "condition:"),
    "brings": ("condition :", "condition:"),
    "written": ("Texte Casbin", "Casbin text"),
    "value": ("Valeur", "Value"),
    "set_by": ("Fixé par", "Set by"),
    "set_by_law": ("la loi", "law"),
    "set_by_guidance": ("recommandation", "guidance"),
    "set_by_proposal": ("proposition", "proposal"),
    "set_by_": ("–", "–"),
    "code": ("Code", "Code"),
    "sentence": ("Phrase", "Sentence"),
    "yes": ("oui", "yes"),
    "no": ("non", "no"),
    "before": ("avant", "before"),
    "after": ("après", "after"),
    "none": ("aucune", "none"),
    "purpose": ("pour", "for"),
    "settings": ("Réglages", "Settings"),
    "break_glass": ("Bris de glace", "Emergency access"),
    "legal_bases": ("Base légale de chaque finalité (art. 6 RGPD)", "Legal basis of each purpose (art. 6 GDPR)"),
    "consentement": ("consentement", "consent"),
    "contrat": ("contrat", "contract"),
    "obligation_legale": ("obligation légale", "legal obligation"),
    "interets_vitaux": ("intérêts vitaux", "vital interests"),
    "mission_interet_public": ("mission d'intérêt public", "task in the public interest"),
    "interet_legitime": ("intérêt légitime", "legitimate interest"),
    "freshness": ("Fraîcheur des faits", "Freshness of facts"),
    "relations": ("Délais des liens", "Windows of relations"),
    "jobs": ("Traitements automatiques", "Machine jobs"),
    "order": ("Ordre", "Order"),
    "vocabulary": ("Listes fermées", "Closed lists"),
    "open_grant": ("bris de glace ouvert", "emergency access opened"),
    "close_grant": ("bris de glace clos", "emergency access closed"),
    "expire_grant": ("bris de glace échu", "emergency access expired"),
    "revoke_grant": ("bris de glace révoqué", "emergency access revoked"),
    "review_grant": ("bris de glace relu", "emergency access reviewed"),
    "volume": ("ouvertures nombreuses", "many openings"),
    "blocked": ("ouverture par un professionnel bloqué", "opened by a blocked professional"),
    "single_factor": ("ouverture avec un seul facteur", "opened with one factor"),
    "at_once": ("aussitôt", "at once"),
    "by_review": ("avant l'échéance de la relecture", "before the review is due"),
}

# What numbers count, besides seconds.
UNITS: Mapping[str, tuple[str, str]] = {
    "years": ("ans", "years"),
    "months": ("mois", "months"),
    "days": ("jours", "days"),
    "patients": ("patients", "patients"),
    "refusals": ("refus", "refusals"),
}

# What a word of the language is called where a parameter has it for a value.
VALUES: Mapping[str, tuple[str, str]] = {
    "mask_disclosure.none": ("rien", "nothing"),
    "blocked_bg.alert": ("alerter", "alert"),
    "blocked_bg.alert_allow": ("alerter et ouvrir", "alert and open"),
    "break_glass.unknown.open": ("lue comme absente, et signalée", "read as absent, and told"),
    "break_glass.unknown.closed": ("lue comme présente", "read as present"),
    "REL_ENC": ("séjour dans l'unité", "stay in the unit"),
    "REL_RESP": ("responsabilité du séjour", "responsibility for the stay"),
    "REL_GARDE": ("garde", "duty roster"),
    "REL_TEAM": ("équipe de soins déclarée", "declared care team"),
    "stay": ("séjour", "stay"),
    "relation": ("lien", "relation"),
    "record_state": ("état du dossier", "state of the record"),
    "assignment": ("affectation", "assignment"),
    "delegation": ("délégation", "delegation"),
    "contract": ("contrat", "contract"),
}

# What a key of pack.toml is, by its path.
KEYS: Mapping[str, tuple[str, str]] = {
    "break_glass.ttl": ("durée d'un bris de glace", "how long a grant lasts"),
    "break_glass.reauth": (
        "âge maximal de l'authentification à l'ouverture",
        "how young the login must be to open one",
    ),
    "break_glass.review_deadline": ("délai de relecture", "when the review is due"),
    "break_glass.justification_min": ("longueur minimale de la justification", "least length of the justification"),
    "break_glass.justification_free": (
        "longueur minimale sous un motif libre",
        "least length under a free-text motive",
    ),
    "break_glass.justification_max": ("longueur maximale", "greatest length"),
    "break_glass.unknown": ("restriction inconnue sous bris de glace", "unknown restriction under a grant"),
    "break_glass.eligible": ("profils admis", "eligible profiles"),
    "break_glass.vital_motives": ("motifs vitaux", "vital motives"),
    "break_glass.free_text_motives": ("motifs libres", "free-text motives"),
    "break_glass.override_profiles": (
        "profils qui peuvent passer outre un masquage",
        "profiles that may pass a mask",
    ),
    "break_glass.override_motives": (
        "motifs qui permettent de passer outre un masquage",
        "motives that pass a mask",
    ),
    "break_glass.single_factor_motives": (
        "motifs pour lesquels un seul facteur suffit",
        "motives for which one factor is enough",
    ),
    "break_glass.blocked_motives": (
        "motifs qui permettent de passer outre un blocage",
        "motives that pass a block",
    ),
    "break_glass.unknown_obligations": (
        "obligations quand une restriction inconnue a été lue comme absente",
        "obligations when an unknown restriction was read as absent",
    ),
    "break_glass.unknown_advice": (
        "conseils quand une restriction inconnue a été lue comme absente",
        "advice when an unknown restriction was read as absent",
    ),
    "break_glass.override_obligations": (
        "obligations quand un masquage est passé outre",
        "obligations when a mask is passed",
    ),
    "break_glass.max_per_subject_24h": (
        "ouvertures par personne en 24 h avant alerte (jamais bloquées)",
        "openings of one person in 24 h before an alert (never blocked)",
    ),
    "break_glass.many_obligations": ("obligations au-delà de ce nombre", "obligations past that number"),
    "break_glass.review_strict": (
        "le supérieur direct ne relit pas non plus",
        "the direct superior may not review either",
    ),
    "break_glass.review_comment_max": ("longueur maximale du commentaire de relecture", "greatest length of a review"),
    "break_glass.missing_relation": ("lien qui manquait, selon le motif", "relation that was missing, by motive"),
    "freshness.watermark_max_age": (
        "âge maximal de la parole d'un flux",
        "how old a feed's word that it is complete may be",
    ),
    "freshness.on_call_max_age": ("âge maximal d'une garde", "how old an on-call slot may be"),
    "freshness.facts_max_age": ("âge maximal d'un fait", "how old a fact may be"),
    "vocabulary.denied_purposes": ("finalités toujours refusées", "purposes that are always refused"),
    "vocabulary.heir_motives": ("motifs des ayants droit", "motives of heirs"),
    "vocabulary.protected_flags": (
        "signalements qui demandent un lien nominatif",
        "flags that ask for a relation by name",
    ),
}


def label(name: str, language: str) -> str:
    """A heading; the name itself where nothing says."""
    french, english = LABELS.get(name, (name, name))
    return french if language == "fr" else english


def unit(name: str, language: str, count: int) -> str:
    """What a number counts; the name itself where nothing says."""
    french, english = UNITS.get(name, (name, name))
    said = french if language == "fr" else english
    return said.removesuffix("s") if count == 1 and said != "mois" else said


def value_label(name: str, language: str) -> str:
    """What a value is called; the value itself where nothing says. A key may stand before it, with a dot."""
    french, english = VALUES.get(name, (name.rpartition(".")[2],) * 2)
    return french if language == "fr" else english


def key_label(path: str, language: str) -> str:
    """What a key of pack.toml is; its path where nothing says."""
    french, english = KEYS.get(path, (path, path))
    return french if language == "fr" else english
