"""What a feed may say about relations."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from sidecar.core.model import Fact, Relation
from sidecar.core.pack import Pack
from sidecar.core.statement import fault_of

TOML = (Path(__file__).parents[2] / "policies/hospital/pack.toml").read_text()
PACK = msgspec.convert(tomllib.loads(TOML), Pack)


@pytest.mark.parametrize(
    "kind", ["REL_ENC", "REL_RESP", "REL_POST", "REL_GARDE", "REL_TRANSFER", "REL_CONSENT", "REL_AUTHOR"]
)
def test_a_relation_that_follows_from_other_facts_is_not_taken_as_a_relation(kind: str) -> None:
    fault = fault_of(Fact("r1", "dpi", relation=Relation(kind, "P1", "dr-nuit")), PACK)
    assert fault is not None
    assert fault.field == "relation.kind"
    assert "REL_TEAM" in fault.description
    assert kind not in fault.description.partition(";")[2]


def test_a_named_member_of_the_care_team_is_taken() -> None:
    assert fault_of(Fact("r1", "dpi", relation=Relation("REL_TEAM", "P1", "dr-nuit")), PACK) is None
