"""The sentences the client says by itself, when the sidecar has said none."""

_TEXTS = {
    "fr": {
        "UNAVAILABLE": "Le contrôle d'accès ne répond pas ; l'accès est suspendu. Réessayez dans un instant.",
        "FAULT": "La demande d'accès n'a pas pu être traitée ; l'accès est suspendu. Prévenez le support.",
        "UNKNOWN_OBLIGATION": "L'accès demande une mesure que ce logiciel ne sait pas appliquer. Prévenez le support.",
        "NOT_EVALUATED": "Cet élément n'a pas été examiné.",
    },
    "en": {
        "UNAVAILABLE": "Access control does not answer; access is suspended. Try again in a moment.",
        "FAULT": "The access request could not be processed; access is suspended. Tell the support team.",
        "UNKNOWN_OBLIGATION": "This access asks for a measure this software cannot apply. Tell the support team.",
        "NOT_EVALUATED": "This item was not examined.",
    },
}


def sentence(key: str, language: str) -> str:
    """The sentence in this language, in French when it is not one we have."""
    return _TEXTS.get(language, _TEXTS["fr"])[key]
