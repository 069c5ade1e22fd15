"""Files as they come: bundles, lines, gzip, and everything that can be wrong with them."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import InputFault
from sidecar.facts.feeds import fhir
from sidecar.facts.feeds.reading import Reading
from tests.feeds.hospital_by_hand import (
    FEED,
    HOSPITAL,
    a_patient,
    a_role,
    a_team,
    an_encounter,
    coded,
    imported,
    ndjson,
    reasons,
    ref,
    repository_data,
)
from tests.feeds.test_fhir_consents import a_consent, an_actor
from tests.feeds.test_fhir_engagements import MAPPED, a_document, a_flag, a_request, an_appointment

EXPORT = [*HOSPITAL, a_role(), an_encounter(), a_team()]
POINTED = ("Practitioner", "Organization", "Location", "HealthcareService")
DEMO = Path(__file__).parents[2] / "sidecar" / "demo" / "hospital.json"


def a_bundle(kind: str = "collection", resources: list | None = None) -> dict:
    entries = [{"resource": resource} for resource in (EXPORT if resources is None else resources)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def facts_of(path: Path) -> set:
    return {fact for one in fhir.read([path], FEED) for fact in one.facts}


def only(path: Path) -> Reading:
    (one,) = fhir.read([path], FEED)
    return one


def test_a_bundle_and_lines_plain_or_gzip_say_the_same(tmp_path: Path):
    plain = ndjson(tmp_path, *EXPORT)
    expected = facts_of(plain)
    assert len(expected) == 5
    ways = {
        "packed.ndjson.gz": gzip.compress(plain.read_bytes()),
        "no-suffix-for-gzip.ndjson": gzip.compress(plain.read_bytes()),
        "two-members.ndjson.gz": gzip.compress(plain.read_bytes()[:100]) + gzip.compress(plain.read_bytes()[100:]),
        "windows.ndjson": plain.read_bytes().replace(b"\n", b"\r\n"),
        "blank-lines.ndjson": plain.read_bytes().replace(b"\n", b"\n\n  \n"),
        "bundles.ndjson": "".join(json.dumps(a_bundle(resources=[one])) + "\n" for one in EXPORT).encode(),
        "marked.json": b"\xef\xbb\xbf" + json.dumps(a_bundle()).encode(),
        "pretty.json": json.dumps(a_bundle(), indent=2).encode(),
        "packed.json.gz": gzip.compress(json.dumps(a_bundle()).encode()),
    }
    for kind in ("transaction", "batch", "searchset"):
        ways[f"{kind}.json"] = json.dumps(a_bundle(kind)).encode()
    for name, content in ways.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert facts_of(path) == expected, name


def test_references_hold_from_one_file_to_another_in_any_order(tmp_path: Path):
    one = ndjson(tmp_path, an_encounter(), a_team(), a_role(), name="a.ndjson")
    two = ndjson(tmp_path, *HOSPITAL, name="b.ndjson")
    told = {fact for reading in fhir.read([one, two], FEED) for fact in reading.facts}
    assert told == facts_of(ndjson(tmp_path, *EXPORT))


def test_a_broken_line_is_named_and_the_others_are_read(tmp_path: Path):
    path = tmp_path / "export.ndjson"
    lines = [json.dumps(resource) for resource in EXPORT]
    path.write_text("\n".join([*lines[:3], '{"resourceType": "Encounter", ', *lines[3:]]), encoding="utf-8")
    said = list(fhir.read([path], FEED))
    assert [one.where for one in said if reasons(one) == ["cannot be read"]] == [f"{path}:4"]
    assert {fact for one in said for fact in one.facts} == facts_of(ndjson(tmp_path, *EXPORT))


def test_a_broken_document_is_named_by_the_line_of_the_fault(tmp_path: Path):
    path = tmp_path / "bundle.json"
    path.write_text('{\n "resourceType": "Bundle",\n "type": "batch",\n "entry": [\n  {],\n ]\n}', encoding="utf-8")
    assert only(path).where == f"{path}:5"


MALFORMED = {
    "a null": ({"resourceType": "Patient", "id": "p1", "birthDate": None}, "$.birthDate"),
    "a number for a text": ({"resourceType": "Encounter", "id": "e1", "status": 3}, "$.status"),
    "a list for an object": ({"resourceType": "CareTeam", "id": "t1", "period": []}, "$.period"),
    "an object for a list": ({"resourceType": "Encounter", "id": "e", "participant": {}}, "$.participant"),
    "an id that is no text": ({"resourceType": "Patient", "id": 7}, "$.id"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_resource_is_named_by_place_and_path(tmp_path: Path, name: str):
    resource, where = MALFORMED[name]
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(a_bundle(resources=[a_patient(), resource])), encoding="utf-8")
    good, bad = fhir.read([path], FEED)
    assert good.facts
    assert not bad.facts
    assert bad.where == f"{path}:1 entry[1]"
    assert where in bad.skipped[0].detail


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[]", "cannot be read"),
        (b'"text"', "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"resource": {"resourceType": "Patient"}}', "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'{"resourceType": "Patient", "id": "\xff"}', "cannot be read"),
        (b'{"resourceType": "Bundle", "type": "history", "entry": []}', "cannot be read"),
        (b'{"resourceType": "Bundle", "entry": []}', "cannot be read"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [{}]}', "cannot be read"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": 3}]}', "malformed"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {}}]}', "no resourceType: not FHIR"),
        (b'{"resourceType": "Patient"}', "no id and no identifier"),
        (b'{"resourceType": "Observation", "id": "o"}', "not a type facts are made of"),
        (
            b'{"resourceType": "Bundle", "type": "transaction", "entry":'
            b' [{"request": {"method": "DELETE", "url": "Encounter/e1"}}]}',
            "cannot be read",
        ),
    ],
)
def test_what_is_not_a_resource_is_said_not_swallowed(tmp_path: Path, content: bytes, expected: str):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    said = only(path)
    assert reasons(said) == [expected]
    assert not said.facts


def test_an_empty_file_says_nothing(tmp_path: Path):
    for name in ("empty.json", "empty.ndjson"):
        path = tmp_path / name
        path.write_bytes(b"")
        assert list(fhir.read([path], FEED)) == []


def test_a_gzip_file_cut_anywhere_is_reported_and_vouches_for_nothing(tmp_path: Path):
    packed = gzip.compress(ndjson(tmp_path, *EXPORT).read_bytes())
    whole = facts_of(ndjson(tmp_path, *EXPORT))
    path = tmp_path / "cut.ndjson.gz"
    for length in range(2, len(packed), 7):
        path.write_bytes(packed[:length])
        writes, report = imported(path)
        told = {fact for write in writes for fact in write.facts}
        assert any(reason == "cannot be read" for _, reason in report.skipped), length
        assert {fact.id for fact in told} <= {fact.id for fact in whole}
        assert not report.vouched
        assert not [write for write in writes if write.watermarks]


def test_without_noticing_the_cut_absent_facts_would_be_vouched_for(tmp_path: Path):
    """The twin: the same lines as far as they go, without the fault at their end, are taken for the whole."""
    lines = ndjson(tmp_path, *EXPORT).read_bytes().splitlines(keepends=True)
    path = tmp_path / "cut.ndjson"
    breaches = 0
    for kept in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:kept]))
        breaches += bool(imported(path)[1].vouched)
    assert breaches > 0


def test_damaged_gzip_is_reported(tmp_path: Path):
    packed = bytearray(gzip.compress(ndjson(tmp_path, *EXPORT).read_bytes()))
    path = tmp_path / "damaged.ndjson.gz"
    for place in range(10, len(packed), 11):
        damaged = bytearray(packed)
        damaged[place] ^= 0xFF
        path.write_bytes(bytes(damaged))
        _, report = imported(path)
        assert not report.vouched, place


def test_a_file_that_cannot_be_opened_is_said_before_anything_is_read(tmp_path: Path):
    with pytest.raises(InputFault, match=r"missing\.json"):
        next(fhir.read([ndjson(tmp_path, *EXPORT), tmp_path / "missing.json"], FEED))


def test_progress_adds_up_to_the_work_announced(tmp_path: Path):
    plain = ndjson(tmp_path, *EXPORT)
    packed = tmp_path / "export.ndjson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    steps: list[int] = []
    assert list(fhir.read([plain, packed], FEED, steps.append))
    assert sum(steps) == fhir.work([plain, packed])


def test_the_published_french_and_international_examples_are_read_and_the_malformed_ones_named():
    for name in ("fhir-fr", "fhir-r4-examples"):
        paths = sorted(path for path in repository_data(name).rglob("*") if path.is_file())
        said = list(fhir.read(paths, FEED))
        assert len({one.where.partition(":")[0] for one in said}) == len(paths), "every file is accounted for"
        unread = {Path(one.where.partition(":")[0]).name for one in said if reasons(one) == ["cannot be read"]}
        broken = {path.name for path in paths if path.parent.name == "malformed"}
        assert broken <= unread, "not JSON, or a resource wrapped in a bundle entry"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["P1", "Patient/p1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "period", "reference"]), inner),
    max_leaves=4,
)


@st.composite
def hospitals(draw: st.DrawFn) -> str:
    """The demo hospital, and one of each thing it lacks, with one place in it replaced by anything."""
    bundle = json.loads(DEMO.read_text(encoding="utf-8"))
    inner = {"type": "permit", "actor": [an_actor("Practitioner/dr-cardio")]}
    lacking = [
        an_appointment("booked", "Patient/p1", "Practitioner/dr-cardio", "HealthcareService/h1"),
        a_request(performer=[ref("Organization/uf-card")]),
        a_consent("OPTOUT", type="deny", period={"start": "2026"}, data=[{"reference": ref("X/1")}], provision=[inner]),
        a_flag(),
        a_document(author=[ref("Practitioner/dr-cardio")], securityLabel=[coded("V", "v3-Confidentiality")]),
        a_document(resourceType="Composition", confidentiality="N"),
        {"resourceType": "HealthcareService", "id": "h1", "providedBy": ref("Organization/uf-card")},
        an_encounter(statusHistory=[{"status": "planned", "period": {"start": "2026-01-01", "end": "2026-01-02"}}]),
    ]
    bundle["entry"] += [{"resource": each} for each in lacking]
    at: dict | list = draw(st.sampled_from(bundle["entry"]))
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        inner = at[key]  # type: ignore[index,call-overload]
        if not isinstance(inner, dict | list) or draw(st.booleans()):
            at[key] = draw(JSON)  # type: ignore[index,call-overload]
            break
        at = inner
    return json.dumps(bundle)


@settings(max_examples=150, deadline=None)
@given(hospitals())
def test_whatever_stands_in_a_bundle_every_resource_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, text: str
):
    path = tmp_path_factory.mktemp("fuzz") / "hospital.json"
    path.write_text(text, encoding="utf-8")
    said = list(fhir.read([path], MAPPED))
    assert said
    for one in said:
        assert one.where.startswith(str(path))
        assert one.facts or one.retract or one.skipped or one.document or one.resource in POINTED


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5000), st.booleans())
def test_random_bytes_never_stop_an_import(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int, packed: bool
):
    raw = DEMO.read_bytes()
    raw = raw[:place] + noise + raw[place + len(noise) :]
    path = tmp_path_factory.mktemp("noise") / "hospital.ndjson"
    path.write_bytes(gzip.compress(raw) + noise if packed else raw)
    assert list(fhir.read([path], FEED))
