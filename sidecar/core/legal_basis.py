"""The legal basis of a processing: what the request says, else what the pack says of its purpose (art. 6 GDPR)."""

from sidecar.core.pack import Pack

# GDPR art. 6(1), a to f: there is no other.
BASES = (
    "consentement", "contrat", "obligation_legale", "interets_vitaux", "mission_interet_public", "interet_legitime",
)  # fmt: skip


def of(pack: Pack, purpose: str, stated: str = "") -> str:
    """The basis that is recorded with the answer; empty where neither the request nor the pack names one (S-192)."""
    if stated:
        return stated
    found = pack.legal_bases.get(purpose)
    return "" if found is None else found.basis
