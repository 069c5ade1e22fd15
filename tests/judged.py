"""The verdicts on packs that the tests' sidecars share: each pack is judged once, not by every sidecar started."""

from pathlib import Path

from sidecar.config import PolicySettings

VERDICTS = Path(__file__).parent.parent / "build" / "verdicts"


def judged(pack: Path) -> PolicySettings:
    """The settings of a sidecar that decides by this pack."""
    return PolicySettings(str(pack), verdicts=str(VERDICTS))
