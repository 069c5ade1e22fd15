"""Where what ships with the product lies."""

from pathlib import Path


def policies_folder() -> Path:
    """The packs that ship with the product: beside the package in the source tree, inside it when installed."""
    package = Path(__file__).parent.parent
    beside, inside = package.parent / "policies", package / "policies"
    return beside if beside.is_dir() else inside
