"""The words policy authors may use, and what each one is: the one list the loader and the nouns agree on.

A rule speaks as `r.<noun>.<word>` or `r.<noun>.<word>(args)`. A word answers True, False or None (unknown).
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

ArgType = Literal["int", "str", "strs", "resource", "purpose"]  # `strs` is one string or more
Kind = Literal["ground", "restriction", "request"]
Names = Literal["", "tags", "flags", "settings", "references", "profiles"]


class Word(Struct, frozen=True):
    """What a word is.

    A `ground` permits: absent means no. A `restriction` forbids: absent must be known absent, else it is unknown.
    A `request` word repeats a required field. `args` is None for a property. `names` says which closed list of
    the pack (tags, flags, settings, profiles) or of `REFERENCES` the strings of a call must be in; empty when there is
    none.
    `will` says that the word tells what the patient wants nobody, or somebody, to see. `without` names what of the
    situation, when true, makes the word False before it is asked: it would rest on the same, or on nothing.
    """

    kind: Kind
    args: tuple[ArgType, ...] | None = None
    names: Names = ""
    will: bool = False
    without: Literal["", "unrelated", "ungranted", "unconsented", "in_use", "unmarked", "unwilled"] = ""


# refs.<name> of a request → the relation kind that makes it known
REFERENCES: Mapping[str, str] = {
    "ticket": "REL_TICKET",
    "case": "REL_CASE",
    "research": "REL_RESEARCH",
    "request": "REL_REQUEST",
}

_GROUND = Word("ground")
_RESTRICTION = Word("restriction")
_REQUEST = Word("request")
_WILL = Word("restriction", will=True)
_RELATION = Word("ground", without="unrelated")
_GRANT = Word("ground", without="ungranted")
_LIFECYCLE = Word("restriction", without="in_use")
_MARK = Word("restriction", without="unmarked")
_WHOLE_WILL = Word("restriction", will=True, without="unwilled")

NOUNS: Mapping[str, Mapping[str, Word]] = {
    "subject": {
        "is_provider": _REQUEST,
        "second_category": _REQUEST,
        "purpose_allowed": Word("request", ("purpose",)),
        "named_account": _GROUND,
        "active": _GROUND,
        "profile_held": _GROUND,
        "listed_job": _GROUND,
        "job_allows": Word("ground", ("resource",)),
        "under_contract": _GROUND,
        "one_activity": _GROUND,
        "in_care_team": _GROUND,
        "was_in_care_team": _GROUND,
        "left_unit_less_than": Word("ground", ("int",)),
        "responsible_for_stay": _GROUND,
        "in_team_at_death": _GROUND,
        "on_call_here": _GROUND,
        "expecting_transfer": _GROUND,
        "has_appointment": _RELATION,
        "in_case_meeting": _RELATION,
        "referring_on_request": _RELATION,
        "named_in_care": _GROUND,
        "answers_request_for": Word("ground", ("resource",), without="unrelated"),
        "signed_request_for": Word("ground", ("resource",), without="unrelated"),
        "is_author": _GROUND,
        "in_establishment": _GROUND,
        "in_producing_unit": _GROUND,
        "in_tag_unit": _GROUND,
        "same_specialty": _GROUND,
        "delegation_covers": Word("ground", ("resource",)),
        "delegated_for": Word("ground", ("resource",)),
        "senior_in_team": _GROUND,
        "supervised": _GROUND,
        "reads_own_record": _RESTRICTION,
        "over_volume": _RESTRICTION,
        "denied_too_often": _RESTRICTION,
        "delegated_by_dim": _GROUND,
        "codes_this_stay": _GROUND,
        "is_holder": _GROUND,
        "represents_patient": _GROUND,
        "may_review": Word("ground", ("resource",)),
    },
    "authentication": {
        "present": _GROUND,
        "mfa": _GROUND,
        "idle_within_limit": _GROUND,
        "younger_than": Word("ground", ("int",)),
        "remote_without_channel": _RESTRICTION,
    },
    "device": {
        "compromised": _RESTRICTION,
        "managed": _GROUND,
        "mobile": _REQUEST,
    },
    "caller": {
        "acts_for": Word("ground", ("resource",)),
        "hosting_lawful": _GROUND,
    },
    "resource": {
        "expired": _LIFECYCLE,
        "archived": _LIFECYCLE,
        "frozen": _LIFECYCLE,
        "invalidated": _LIFECYCLE,
        "draft": _GROUND,
        "created_before_leaving": _GROUND,
        "sensitive": _RESTRICTION,
        "tagged": Word("restriction", ("str",), "tags"),
        "only_tagged": Word("ground", ("strs",), "tags"),
        "masked_for_subject": _WILL,
        "hidden_from_patient": _WILL,
        "hidden_from_representative": _WILL,
    },
    "patient": {
        "blocked_subject": _WHOLE_WILL,
        "opposed_to_subject": _WHOLE_WILL,
        "informed": _GROUND,
        "unable_to_answer": _GROUND,
        "consented_to_subject": Word("ground", without="unconsented"),
        "agreed_to": Word("ground", ("resource",), without="unconsented"),
        "deceased": _MARK,
        "deceased_since_more_than": Word("restriction", ("int",), without="unmarked"),
        "in_litigation": _GROUND,
        "flagged": Word("restriction", ("str",), "flags", without="unmarked"),
        "protected_record": _MARK,
        "untold_of_emergency": _GROUND,
    },
    "context": {
        "grant_open": _GRANT,
        "grant_ended": _GRANT,
        "grant_for_other_patient": _GRANT,
        "vital_motive": _GRANT,
        "vital_override": _GRANT,
        "single_factor_allowed": _GROUND,
        "blocked_override": _GRANT,
        "motive_given": _GROUND,
        "justified": _GROUND,
        "ticket_open": _GROUND,
        "has_ref": Word("ground", ("str",), "references"),
        "archive_request_open": _GROUND,
        "supervisor_is": Word("ground", ("str",), "profiles"),
        "heir_motive": _GROUND,
        "touches_workstation": _RESTRICTION,
        "user_agreed": _GROUND,
        "recipient_identified": _GROUND,
        "notice_current": _GROUND,
        "setting": Word("request", ("str",), "settings"),
    },
}
