"""The hospital's first rows: of its pack, those that one recorded check end to end was first built for.

Gates of the subject, the session, the device and the patient's will, ten grounds, an emergency's, one machine job, the
cells of six profiles, and what comes with a yes. `python -m tests.bench.first_rows FOLDER` writes the pack.
"""

import shutil
import sys
from pathlib import Path

HOSPITAL = Path(__file__).parents[2] / "policies/hospital"
GATES = {
    "G-SUB-1", "G-SUB-2", "G-SUB-3", "G-SUB-5", "G-SUB-6", "G-AUTH-1", "G-AUTH-2", "G-AUTH-3", "G-AUTH-4", "G-DEV-1",
    "G-DEV-2", "G-PUR-1", "G-LIFE-1", "G-LIFE-2", "G-WILL-1", "G-WILL-2", "G-WILL-3",
}  # fmt: skip
RULES = GATES | {
    "A-01", "A-02", "A-05", "A-06", "A-08", "A-10", "A-15", "A-20", "A-21", "A-31", "A-BG-1", "A-BG-3", "A-BG-6",
}  # fmt: skip
PROFILES = {"medecin", "interne", "infirmier", "secretaire_medicale", "agent_admission", "maintenance", "tache"}


def write(folder: Path) -> Path:
    """Write the pack and give its folder."""
    shutil.copytree(HOSPITAL, folder, ignore=shutil.ignore_patterns("tests"))
    for file in (folder / "rules").glob("*.csv"):
        file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if _kept(line)))
    return folder


def _kept(line: str) -> bool:
    kind, rule, profile, *_ = [*(part.strip() for part in line.split(",", 3)), "", ""]
    if kind in ("p", "p2"):
        return rule in RULES
    return kind == "p3" and (profile in PROFILES or rule in RULES)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
