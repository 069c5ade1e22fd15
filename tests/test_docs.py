"""What the product can be told and what it tells is in the documentation, and the documentation names nothing else."""

import re
import tomllib
from pathlib import Path

import msgspec

from sidecar.config import Config
from sidecar.metrics import Metrics

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"^\| `([^`]+)`", re.MULTILINE)


def settings(struct: type[msgspec.Struct], prefix: str = "") -> set[str]:
    """Every setting's path, as docs/settings.md writes it."""
    found: set[str] = set()
    for info in msgspec.structs.fields(struct):
        kinds = [kind for kind in getattr(info.type, "__args__", ()) if isinstance(kind, type)]
        nested = [kind for kind in [info.type, *kinds] if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        if not nested:
            found.add(prefix + info.encode_name)
        elif nested[0] is info.type or type(None) in kinds:
            found |= settings(nested[0], f"{prefix}{info.encode_name}.")
        else:
            found |= settings(nested[0], f"{prefix}{info.encode_name}[].")
    return found


def test_every_setting_is_documented_and_no_other():
    assert set(NAMED.findall((ROOT / "docs/settings.md").read_text())) == settings(Config)


def test_every_metric_is_documented_and_no_other():
    suffix = {"counter": "_total", "info": "_info"}
    exported = {family.name + suffix.get(family.type, "") for family in Metrics().registry.collect()}
    assert set(NAMED.findall((ROOT / "docs/metrics.md").read_text())) == exported


def test_every_reason_of_the_pack_is_documented_and_no_other():
    pack = tomllib.loads((ROOT / "policies/hospital/pack.toml").read_text())
    documented = set(NAMED.findall((ROOT / "docs/reasons.md").read_text()))
    assert documented == set(pack["reasons"])


def test_every_relative_link_of_the_documentation_leads_somewhere():
    broken = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("clients/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
