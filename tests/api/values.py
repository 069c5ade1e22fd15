"""Random values of the model, as a caller may send them."""

from hypothesis import strategies as st

from sidecar.api import strict
from sidecar.core import model

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
MAYBE = st.just("") | NAMES
LIST = st.lists(NAMES, max_size=3).map(tuple)
INSTANTS = st.integers(-62_135_596_800 * 10**6, 253_402_300_799 * 10**6)
SOME_INSTANT = st.none() | INSTANTS
FLAG = st.none() | st.booleans()
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=40)


def word(words: tuple[str, ...], absent: object = "") -> st.SearchStrategy[object]:
    return st.sampled_from((*words, absent))


SUBJECTS = st.builds(
    model.Subject,
    id=NAMES,
    kind=st.sampled_from(strict.SUBJECT_KINDS),
    profile=NAMES,
    id_system=MAYBE,
    profession=MAYBE,
    r1110_2_category=MAYBE,
    structure=MAYBE,
    units=LIST,
    activity_id=MAYBE,
    activities=LIST,
    account_type=word(strict.ACCOUNT_TYPES),
    status=word(strict.ACCOUNT_STATUSES),
    valid_from=SOME_INSTANT,
    valid_until=SOME_INSTANT,
    contract_ref=MAYBE,
    contract_until=SOME_INSTANT,
    confidentiality_signed=FLAG,
    hds=word(strict.HDS_STATES),
    supervised_by=MAYBE,
    on_behalf_of=MAYBE,
)
AUTHENTICATIONS = st.builds(
    model.Authentication,
    acr=MAYBE,
    amr=LIST,
    mfa=FLAG,
    time=SOME_INSTANT,
    idle_s=st.none() | st.integers(0, 2**32 - 1),
    remote=word(strict.REMOTE_KINDS, None),
)
DEVICES = st.builds(model.Device, class_=word(strict.DEVICE_CLASSES), managed=FLAG, compromised=FLAG)
RESOURCES = st.builds(
    model.Resource,
    category=NAMES,
    patient_id=MAYBE,
    type=MAYBE,
    id=MAYBE,
    tags=st.none() | LIST,
    author=MAYBE,
    author_structure=MAYBE,
    created_at=SOME_INSTANT,
    unit=MAYBE,
    stay=MAYBE,
    visibility=st.none() | LIST,
    masked_for=st.none() | LIST,
    announced_since=SOME_INSTANT,
    lifecycle=word(strict.LIFECYCLES, None),
    controller_id=MAYBE,
    source_system=MAYBE,
)
REFERENCES = st.builds(model.References, *[MAYBE] * 7)
CONTEXTS = st.builds(
    model.Context,
    access_mode=st.sampled_from(strict.ACCESS_MODES),
    grant=MAYBE,
    motive=MAYBE,
    justification=TEXT,
    workstation=st.none() | NAMES,
    unit=MAYBE,
    request_id=MAYBE,
    language=word(strict.LANGUAGES),
    secret_connection=FLAG,
    patient_informed=word(strict.INFORMED),
    recipient=MAYBE,
    notice_version=MAYBE,
    legal_basis=MAYBE,
    user_agreement=FLAG,
    refs=st.just(model.NO_REFERENCES) | REFERENCES,
    consistency_token=MAYBE,
)
SCOPES = st.builds(model.Scope, categories=LIST, documents=LIST, stay_id=MAYBE)
TARGETS = st.builds(model.Target, MAYBE, MAYBE, MAYBE, MAYBE, st.booleans())
BODIES: dict[str, st.SearchStrategy[object]] = {
    "assignment": st.builds(model.Assignment, NAMES, NAMES, NAMES, st.booleans()),
    "stay": st.builds(model.Stay, NAMES, NAMES, st.sampled_from(("planned", "active", "cancelled")), MAYBE, MAYBE),
    "relation": st.builds(model.Relation, NAMES, MAYBE, MAYBE, MAYBE, MAYBE, SCOPES, MAYBE),
    "directive": st.builds(
        model.Directive,
        st.sampled_from(strict.WORDS["Directive.kind"]),
        NAMES,
        st.lists(st.sampled_from(strict.ACCESS_MODES), max_size=2).map(tuple),
        TARGETS,
        SCOPES,
        LIST,
        st.sampled_from(((), ("read",), ("read", "write"))),
        MAYBE,
        MAYBE,
    ),
    "delegation": st.builds(model.Delegation, NAMES, NAMES, MAYBE, LIST, LIST, LIST, LIST),
    "record_state": st.builds(
        model.RecordState,
        NAMES,
        MAYBE,
        MAYBE,
        SOME_INSTANT,
        SOME_INSTANT,
        word(("open", "closed")),
        word(("actif", "archive", "gele", "expire")),
        LIST,
    ),
    "alias": st.builds(model.Alias, NAMES, NAMES, st.sampled_from(("merge", "unmerge", "same_person"))),
    "contract": st.builds(model.Contract, NAMES, MAYBE, MAYBE, st.booleans(), st.booleans()),
    "call": st.builds(model.Call, NAMES, NAMES, st.booleans()),
}
FACTS = st.one_of(
    *(
        st.builds(
            model.Fact,
            id=NAMES,
            source=NAMES,
            controller_id=MAYBE,
            as_of=SOME_INSTANT,
            period=st.builds(model.Period, SOME_INSTANT, SOME_INSTANT),
            **{kind: body},
        )
        for kind, body in BODIES.items()
    )
)
REQUESTS = st.builds(
    model.Request,
    subject=SUBJECTS,
    action=NAMES,
    resource=RESOURCES,
    purpose=NAMES,
    authentication=st.none() | AUTHENTICATIONS,
    device=st.none() | DEVICES,
    context=CONTEXTS,
    facts=st.just(()) | st.lists(FACTS, max_size=2).map(tuple),
)
OPENINGS = st.builds(
    model.Opening,
    subject=SUBJECTS,
    patient_id=NAMES,
    motive=MAYBE,
    justification=TEXT,
    authentication=st.none() | AUTHENTICATIONS,
    device=st.none() | DEVICES,
    controller_id=MAYBE,
    second_confirmation=FLAG,
    request_id=MAYBE,
    language=word(strict.LANGUAGES),
)
