"""The sentences of an explanation, in French and in English."""

from collections.abc import Mapping

LANGUAGES = ("fr", "en")

WHY: Mapping[str, tuple[str, str]] = {
    "unknown_name": (
        "`{name}` n'est pas au vocabulaire du pack : aucune ligne ne peut en parler.",
        "`{name}` is not in the pack's vocabulary: no row can speak of it.",
    ),
    "raised": (
        "Un mot n'a pas pu être calculé. Une interdiction sautée serait une autorisation : la réponse est un refus.",
        "A word could not be worked out. A prohibition that is skipped would be a permit: the answer is a refusal.",
    ),
    "gate": (
        "La porte {gate} est la première, dans l'ordre du pack, qui refuse ; {rule} ({at}) est la première de ses"
        " lignes qui tient.",
        "Gate {gate} is the first in the pack's order that refuses; {rule} ({at}) is the first of its rows that holds.",
    ),
    "gate_unknown": (
        "La porte {gate} est la première qui ne passe pas : on ne sait pas si {rule} ({at}) tient, et une"
        " interdiction qui tient peut-être refuse. Inconnu : {unknown}.",
        "Gate {gate} is the first that does not pass: whether {rule} ({at}) holds is not known, and a prohibition"
        " that may hold refuses. Unknown: {unknown}.",
    ),
    "cell_forbids": (
        "Les portes passent ; la ligne {rule} ({at}) de la grille d'habilitation interdit.",
        "Every gate passes; row {rule} ({at}) of the matrix forbids.",
    ),
    "cell_unknown": (
        "Les portes passent ; on ne sait pas si la ligne {rule} ({at}) de la grille tient. Inconnu : {unknown}.",
        "Every gate passes; whether row {rule} ({at}) of the matrix holds is not known. Unknown: {unknown}.",
    ),
    "cell_without": (
        "Les portes passent ; la grille n'ouvre pas {category} à {profile} pour {action} : {cells}.",
        "Every gate passes; the matrix does not open {category} to {profile} for {action}: {cells}.",
    ),
    "no_ground_rows": (
        "Les portes passent et la grille ouvre ; aucun motif n'est écrit pour {profile}, {category}, {action},"
        " {purpose}.",
        "Every gate passes and the matrix opens; no ground is written for {profile}, {category}, {action}, {purpose}.",
    ),
    "ground": (
        "Les portes passent, la grille ouvre, et {rule} ({at}) tient ; {reason} vient en tête des motifs qui tiennent"
        " (order.allow_rank).",
        "Every gate passes, the matrix opens, and {rule} ({at}) holds; {reason} ranks first of the grounds that hold"
        " (order.allow_rank).",
    ),
    "ground_unknown": (
        "Les portes passent et la grille ouvre ; on ne sait pas si {rule} ({at}) tient, et rien d'autre n'autorise."
        " Inconnu : {unknown}.",
        "Every gate passes and the matrix opens; whether {rule} ({at}) holds is not known, and nothing else permits."
        " Unknown: {unknown}.",
    ),
    "instead": (
        "Aucun motif ne tient ; à sa place {rule} ({at}) dit {reason}, en tête des refus qui s'appliquent"
        " (order.otherwise_rank).",
        "No ground holds; in its place {rule} ({at}) says {reason}, which ranks first of the refusals that apply"
        " (order.otherwise_rank).",
    ),
    "no_ground": (
        "Les portes passent et la grille ouvre, mais aucun motif ne tient et aucun ne dit d'autre refus.",
        "Every gate passes and the matrix opens, but no ground holds and none says another refusal.",
    ),
    "opening": (
        "Les portes passent ; les conditions de l'ouverture ne sont pas réunies (pack.toml, [break_glass]).",
        "The gates pass; the terms of an opening are not met (pack.toml, [break_glass]).",
    ),
    "opened": (
        "Les portes passent et les conditions de l'ouverture sont réunies (pack.toml, [break_glass]).",
        "The gates pass and the terms of an opening are met (pack.toml, [break_glass]).",
    ),
    "shown_as_is": ("L'appelant voit cette même raison.", "The caller sees this very reason."),
    "concealed": (
        "L'appelant voit {reason}, avec exactement ce qui accompagne un refus ordinaire : la vraie raison"
        " révélerait la volonté du patient.",
        "The caller sees {reason}, with exactly what comes with a plain refusal: the true reason would reveal the"
        " patient's will.",
    ),
    "cells_none": ("aucune ligne n'est écrite pour cette case", "no row is written for this cell"),
    "cells_some": ("aucune des lignes écrites ({number}) ne tient", "none of the rows written ({number}) holds"),
}

PARTS: Mapping[str, tuple[str, str]] = {
    "gate": ("Porte {gate}", "Gate {gate}"),
    "matrix": ("Grille", "Matrix"),
    "grounds": ("Motifs", "Grounds"),
    "duties": ("Obligations", "Obligations"),
}

ENDS: Mapping[str, tuple[str, str]] = {
    "doubt": (
        "Un doute ne se garde pas : ce qui le lève peut arriver à tout moment.",
        "Nobody keeps a doubt: what cures it may arrive at any moment.",
    ),
    "obligation": ("L'obligation {name} limite la conservation.", "The obligation {name} limits how long."),
    "setting": ("Le réglage `answer_max_age` limite la conservation.", "The setting `answer_max_age` limits how long."),
    "fact_begins": ("{fact} commence.", "{fact} begins."),
    "fact_ends": ("{fact} se termine.", "{fact} ends."),
    "fact_stale": (
        "{fact} sera trop ancien, si sa source ne le confirme pas d'ici là.",
        "{fact} will be too old, unless its source speaks again before.",
    ),
    "fact_window": (
        "Le délai que le pack ajoute à {fact} commence ou s'achève.",
        "The time the pack adds to {fact} begins or is over.",
    ),
    "grant": ("Le bris de glace se termine.", "The grant is over."),
    "feed": (
        "Le flux {fact} n'aura plus rien confirmé depuis trop longtemps, s'il se tait d'ici là.",
        "The feed {fact} will have vouched too long ago, unless it speaks again before.",
    ),
    "word": (
        "{word} peut alors changer : {means}.",
        "{word} may answer otherwise from then on: {means}.",
    ),
}

MISSING: Mapping[str, tuple[str, str]] = {
    "one": (
        "Un seul changement suffirait ; chacun a été essayé.",
        "One change would be enough; each was tried.",
    ),
    "ground_only": (
        "Un changement ferait tenir le motif le plus proche, sans suffire : voir ce que devient la réponse.",
        "One change would make the nearest ground hold, and not be enough: see what the answer becomes.",
    ),
    "none": ("Aucun changement seul ne suffirait.", "No single change would be enough."),
    "unreadable": (
        "Les faits du patient ne peuvent pas être lus : rien n'est essayé.",
        "The patient's facts cannot be read: nothing is tried.",
    ),
    "fact": ("fait {kind} : {says}, en vigueur à {at}", "{kind} fact: {says}, in force at {at}"),
    "taken": ("sans le fait {fact}", "without the fact {fact}"),
    "feed": (
        "le flux {source} dit avoir tout transmis ({kinds}) jusqu'à {at}",
        "the feed {source} says it has told everything ({kinds}) up to {at}",
    ),
    "request": ("la demande porte {field} = {value}", "the request says {field} = {value}"),
}


def say(texts: Mapping[str, tuple[str, str]], code: str, language: str, **values: object) -> str:
    """The sentence of a code in this language, English for one there is none of."""
    french, english = texts[code]
    return (french if language == "fr" else english).format(**values)
