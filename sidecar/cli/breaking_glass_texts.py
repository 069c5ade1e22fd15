"""The sentences of `break-glass list | show | review | pressure`, in French and in English."""

from collections.abc import Mapping
from datetime import datetime

LANGUAGES = ("fr", "en")

_TEXTS: Mapping[str, tuple[str, str]] = {
    # list
    "standing": (
        "ouverts : {open} · à relire : {pending} · relectures en retard : {overdue} · avis à confirmer : {notices},"
        " en retard : {late}",
        "open: {open} · to review: {pending} · reviews late: {overdue} · notices to confirm: {notices}, late: {late}",
    ),
    "nothing": ("Aucun bris de glace ne correspond.", "No emergency matches."),
    "more": ("Il y en a d'autres : --page {page}", "There are more: --page {page}"),
    "no_grant": (
        "bris de glace `{id}` inconnu, ou pas pour cet appelant ; `break-glass list` donne les identifiants",
        "no emergency `{id}` for this caller; `break-glass list` gives the ids",
    ),
    "labelled": ("{label} : {value}", "{label}: {value}"),
    "whom": ("{who}, {units}, pour le patient {patient}", "{who}, {units}, for patient {patient}"),
    "whom_bare": ("{who}, pour le patient {patient}", "{who}, for patient {patient}"),
    "opened_at": ("ouvert le {at}", "opened {at}"),
    "grant": ("bris de glace", "emergency"),
    "opened": ("ouvert le", "opened"),
    "who": ("professionnel", "professional"),
    "unit": ("unité", "unit"),
    "patient": ("patient", "patient"),
    "motive": ("motif", "motive"),
    "stands": ("où il en est", "where it stands"),
    "expiring": ("ouvert, expire dans {left}", "open, expires in {left}"),
    "open": ("ouvert, encore {left}", "open, {left} left"),
    "to_review": ("à relire avant le {due} (reste {left})", "to review by {due} ({left} left)"),
    "late": ("RELECTURE EN RETARD de {left}", "REVIEW LATE by {left}"),
    "justifie": ("relu : justifié", "reviewed: justified"),
    "injustifie": ("relu : injustifié", "reviewed: not justified"),
    "non_conclusif": ("relu : non conclusif", "reviewed: inconclusive"),
    # show
    "title": ("Bris de glace {id}", "Emergency {id}"),
    "professional": ("Professionnel", "Professional"),
    "a_patient": ("Patient", "Patient"),
    "a_motive": ("Motif", "Motive"),
    "justification": ("Justification", "Justification"),
    "said": ("«\u00a0{text}\u00a0»", "“{text}”"),
    "opening": ("Ouverture", "Opened"),
    "during": ("{at}, pour {lasts} au plus ; ouvre : {scope}", "{at}, for {lasts} at most; opens: {scope}"),
    "ending": ("Fin", "Ended"),
    "closed": ("{at}, fermé par la personne elle-même", "{at}, closed by the person"),
    "revoked": ("{at}, révoqué par {by}", "{at}, revoked by {by}"),
    "expired": ("{at}, durée écoulée", "{at}, its time ran out"),
    "still": ("encore ouvert, jusqu'au {at}", "still open, until {at}"),
    "confirmed_twice": (
        "La personne a confirmé une seconde fois : les documents masqués étaient lisibles.",
        "The person confirmed a second time: masked documents could be read.",
    ),
    "reviewing": ("Relecture", "Review"),
    "verdict_of": ("{verdict}, par {by}, le {at}", "{verdict}, by {by}, {at}"),
    "comment": ("Commentaire", "Comment"),
    "look_first": ("À regarder d'abord", "Look first"),
    "volume": ("beaucoup d'ouvertures de cette personne en 24 h", "many openings by this person in 24 hours"),
    "blocked": (
        "le patient a exclu ce professionnel",
        "the patient shut this professional out",
    ),
    "single_factor": (
        "ouvert avec un seul facteur d'authentification",
        "opened with one authentication factor",
    ),
    "unrecorded": (
        "ouvert pendant que la base était indisponible",
        "opened while the store was not available",
    ),
    "accesses": (
        "Demandes faites sous ce bris de glace : {total}, dont refusées : {refused}. Le contenu n'est pas montré.",
        "Asked under this emergency: {total}, refused: {refused}. What the objects say is not shown.",
    ),
    "no_access": (
        "Rien n'a été demandé sous ce bris de glace.",
        "Nothing was asked under this emergency.",
    ),
    "latest": ("Les {shown} dernières :", "The latest {shown}:"),
    "at": ("le", "at"),
    "did": ("action", "action"),
    "about": ("type d'information", "kind of information"),
    "object": ("objet", "object"),
    "answer": ("réponse", "answer"),
    "yes": ("oui", "yes"),
    "no": ("non : {reason}", "no: {reason}"),
    "relation_since": (
        "Un lien a été connu depuis : {relation}. Il existait à l'ouverture ; la base ne le savait pas encore.",
        "A relation became known since: {relation}. It held at the opening; the store did not know it yet.",
    ),
    "also": (
        "Ce qui aurait suffi sans bris de glace, d'après ce qu'on sait aujourd'hui : {grounds}",
        "What would have sufficed without an emergency, as is known today: {grounds}",
    ),
    "notices": ("Qui doit savoir", "Who must know"),
    "audience": ("destinataire", "audience"),
    "what": ("de quoi", "of what"),
    "by": ("au plus tard le", "by"),
    "delivered": ("remis le", "delivered"),
    "acknowledged": ("confirmé", "confirmed"),
    "not_yet": ("pas encore", "not yet"),
    "overdue": ("EN RETARD", "LATE"),
    "for_display": ("pour affichage", "to be shown"),
    "open_grant": ("ouverture", "opening"),
    "close_grant": ("fermeture", "closing"),
    "expire_grant": ("fin de durée", "time ran out"),
    "revoke_grant": ("révocation", "revocation"),
    "review_grant": ("relecture", "review"),
    "shorten_grant": ("fin avancée", "earlier end"),
    # review
    "queue": ("{count} bris de glace à relire, le plus urgent d'abord.", "{count} to review, the most urgent first."),
    "queue_empty": ("Rien à relire.", "Nothing to review."),
    "ask_verdict": (
        "Verdict : j = justifié, i = injustifié, n = non conclusif, p = passer au suivant, q = quitter",
        "Verdict: j = justified, i = not justified, n = inconclusive, p = pass to the next, q = quit",
    ),
    "open_still": (
        "Encore ouvert : il se relit une fois terminé ou révoqué (`break-glass close --as`).",
        "Still open: it is reviewed once it is over or revoked (`break-glass close --as`).",
    ),
    "ask_comment": (
        "Commentaire pour le dossier de relecture, sans détail médical",
        "Comment for the file of reviews, without medical detail",
    ),
    "comment_needed": ("Un commentaire est nécessaire pour ce verdict.", "This verdict needs a comment."),
    "done": ("Enregistré. {verdict}.", "Kept. {verdict}."),
    "refused": ("Non enregistrée : {message} ({reason})", "Not kept: {message} ({reason})"),
    "confirm": ("Enregistrer ce verdict, définitif ? o = oui, n = non", "Keep this verdict, for good? y = yes, n = no"),
    "sure": ("o", "y"),
    "one_of": ("Répondre par l'une de ces lettres : {keys}.", "Answer with one of these letters: {keys}."),
    "tried": ("pas encore, {attempts} essais", "not yet, {attempts} attempts"),
    # pressure
    "period": (
        "Bris de glace ouverts du {start} au {end} : {grants}",
        "Emergencies opened from {start} to {end}: {grants}",
    ),
    "openings": ("ouvertures", "openings"),
    "per_week": ("par semaine", "a week"),
    "index": ("évitables par semaine", "avoidable a week"),
    "motives": ("motifs", "motives"),
    "missing": ("liens qui manquaient", "relations that were missing"),
    "no_unit": ("(unité non dite)", "(no unit stated)"),
    "advice": (
        "{unit} : évitables {count} sur {openings}, si l'on avait su à temps : {relations}.",
        "{unit}: avoidable {count} of {openings}, had this been known in time: {relations}.",
    ),
    "how_known": (
        "Un lien est compté comme manquant quand un fait reçu après l'ouverture le prouve ({known} fois), sinon quand"
        " le motif choisi le dit ({said} fois). Ce sont les flux à réparer, pas les personnes à reprendre.",
        "A relation counts as missing when a fact received after the opening proves it ({known} times), else when the"
        " motive chosen says so ({said} times). These are feeds to mend, not people to blame.",
    ),
}

# What relation kinds are called where the pack has no name for them.
_RELATIONS: Mapping[str, tuple[str, str]] = {
    "REL_ENC": ("le séjour du patient dans l'unité", "the patient's stay in the unit"),
    "REL_RESP": ("la responsabilité du séjour", "the responsibility for the stay"),
    "REL_GARDE": ("la garde", "the roster of duty"),
    "REL_TRANSFER": ("le transfert annoncé", "the announced transfer"),
    "REL_APPT": ("le rendez-vous", "the appointment"),
    "REL_REQ": ("la demande d'avis ou d'examen", "the request for advice or examination"),
    "REL_RCP": ("la réunion de concertation", "the case conference"),
    "REL_REFERENT": ("le référent", "the referent"),
    "REL_TEAM": ("l'appartenance à l'équipe de soins", "the membership of the care team"),
}


class Speech:
    """Says things in one language, with the names the pack in force gives to its codes."""

    def __init__(self, language: str, names: Mapping[str, str], now: datetime) -> None:
        """`now` is in the zone that instants are shown in."""
        self._n, self._names, self.now = LANGUAGES.index(language), names, now
        self.language = language

    def __call__(self, key: str, **filled: object) -> str:
        """A sentence, filled in."""
        return _TEXTS[key][self._n].format(**filled) if key in _TEXTS else key

    def name(self, table: str, code: str) -> str:
        """What the pack calls a code; the code itself where it has no name for it."""
        if table == "relations" and f"relations.{code}" not in self._names and code in _RELATIONS:
            return f"{_RELATIONS[code][self._n]} ({code})"
        return self._names.get(f"{table}.{code}", code)

    def ground(self, reason: str) -> str:
        """A reason, and in quotes what the person would have read."""
        return f"{reason} {self('said', text=self.name('reasons', reason))}"

    def moment(self, instant: datetime) -> str:
        """An instant, in the zone of `now`."""
        return instant.astimezone(self.now.tzinfo).strftime("%d/%m/%Y %H:%M" if self._n == 0 else "%Y-%m-%d %H:%M")

    def lasts(self, seconds: float) -> str:
        """A duration, in the two largest units that matter."""
        minutes = int(abs(seconds) // 60)
        days, hours = minutes // 1440, minutes // 60 % 24
        day = "j" if self._n == 0 else "d"
        if days:
            return f"{days} {day} {hours} h" if hours else f"{days} {day}"
        if hours:
            return f"{hours} h {minutes % 60:02}" if minutes % 60 else f"{hours} h"
        return f"{minutes} min"

    def number(self, value: float) -> str:
        """A number with one decimal."""
        text = f"{value:.1f}"
        return text.replace(".", ",") if self._n == 0 else text
