"""What an opening brings beside the rows: many in a day, a mask to be passed, when the review is due (3.0.6)."""

from collections.abc import Sequence

from sidecar.core.model import Opening
from tests.oracle.days import DAY
from tests.oracle.duties import Said, seconds
from tests.oracle.words import Words


def before(opening: Opening, reading: Words) -> list[int]:
    """When this subject opened grants in the 24 hours before."""
    whose = reading.world.tenant, reading.controller, opening.subject.id
    return [
        grant.opened_at
        for grant in reading.world.grants
        if (grant.tenant, grant.controller_id, grant.subject_id) == whose
        and reading.now - DAY < grant.opened_at < reading.now
    ]


def many(opening: Opening, reading: Words) -> bool:
    """Whether this is one more than the pack expects of one person in a day; it is not refused for that."""
    most = reading.pack["break_glass"]["max_per_subject_24h"]
    return 0 < most <= len(before(opening, reading))


def asks_anew(opening: Opening, reading: Words) -> bool:
    """Whether it is one of many without a login of its own: later than the last opening."""
    given = opening.authentication
    login = given.time if given is not None and given.time is not None else 0
    return many(opening, reading) and login <= max(before(opening, reading))


def overrides(opening: Opening, reading: Words) -> bool:
    """Whether masks may be passed under it (A-BG-5)."""
    rules, setting = reading.pack["break_glass"], reading.pack["settings"].get("vital_override", {})
    allowed = setting.get("value") is True and opening.second_confirmation is True
    listed = opening.motive in rules["override_motives"] and opening.subject.profile in rules["override_profiles"]
    return allowed and listed


def review_due(obligations: Sequence[Said], usual: int) -> int:
    """In how many seconds the review is due: as an obligation says, else as usual."""
    said = [seconds(dict(params).get("deadline", "")) for name, params in obligations if name == "REQUIRE_REVIEW"]
    return min([each for each in said if each is not None], default=usual)
