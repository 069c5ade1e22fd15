"""What the patient was told and what they agreed to: grounds read from directives (L-3, L-9, L-10).

Every function answers None when the patient's facts cannot be read. What is not said is no: a directive that may or
may not cover the subject gives nothing.
"""

from collections.abc import Collection

from sidecar.core.evidence import Evidence
from sidecar.core.model import Directive, Target


def informed(evidence: Evidence) -> bool | None:
    """Whether the patient was told that this subject shares the object asked about (R.1110-3 CSP)."""
    return _given(evidence, "informed", ())


def consented(evidence: Evidence) -> bool | None:
    """Whether a consent gives the subject the object asked about (REL_CONSENT); one without categories: the pack's."""
    return _given(evidence, "consent", evidence.pack.vocabulary.consent_categories)


def agreed(evidence: Evidence) -> bool | None:
    """Whether a consent names the very category asked about."""
    return _given(evidence, "consent", (), named=True)


def _given(evidence: Evidence, kind: str, usual: Collection[str], named: bool = False) -> bool | None:
    """Whether a directive of this kind, in force, gives the subject the object asked about.

    `usual` are the categories of a scope that names none, empty for all; with `named` such a scope gives nothing.
    """
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.directives:
        directive = known.fact.directive
        if directive is None or directive.kind != kind or not evidence.about(known, directive.patient_id):
            continue
        categories = directive.scope.categories
        if (named and not categories) or (usual and not categories and evidence.request.resource.category not in usual):
            continue
        if _gives(evidence, directive) and evidence.holds(known.start, known.end) and evidence.supports(known):
            return True
    return False


def _gives(evidence: Evidence, directive: Directive) -> bool:
    """Whether the directive is for this subject, access mode, right and object."""
    request = evidence.request
    if request.subject.id in directive.except_:
        return False
    if directive.modes and request.context.access_mode not in directive.modes:
        return False
    right = "write" if request.action in evidence.pack.vocabulary.write_actions else "read"
    if directive.rights and right not in directive.rights:
        return False
    return evidence.in_scope(directive.scope) and _targets(evidence, directive.target)


def _targets(evidence: Evidence, target: Target) -> bool:
    """Whether the target is the subject; a profession or a structure counts where the caller may say who they are."""
    subject = evidence.request.subject
    if target.subject_id:
        return target.subject_id == subject.id
    if target.unit:
        if target.unit not in evidence.units:
            return False
        evidence.rest_on_unit(evidence.units, target.unit)
        return True
    if target.everyone:
        return True
    if "identity" not in evidence.speaker.may_assert:
        return False
    if target.profession:
        return target.profession == subject.profession
    return bool(target.structure) and target.structure == subject.structure
