"""`python -m tests.bench [NAME]`: measure all, or one thing. Prints a table, writes build/bench/NAME.{json,svg}."""

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.report import show

BENCHES = ("check", "stages", "engine", "ledger", "reload", "import", "breakglass")
MODULES = {"import": "importing"}  # where a bench is named as no module can be


def main() -> None:
    """Run the benches asked for."""
    for name in sys.argv[1:] or BENCHES:
        if name not in BENCHES:
            sys.exit(f"bench: no `{name}`; there are {', '.join(BENCHES)}")
        print(f"\n== {name}\n")
        bench = import_module(f"tests.bench.{MODULES.get(name, name)}")
        show(name, bench.run(), Path("build/bench"), getattr(bench, "drawn", None))


if __name__ == "__main__":
    main()
