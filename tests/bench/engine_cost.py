"""`python -m tests.bench.engine_cost RULES`: what it costs to load a pack of the hospital model, as one JSON line."""

import gc
import json
import sys
import time

import psutil

from sidecar.authoring.bundle import Bundle, compile_bundle, decode_pack, digest
from tests.bench import engine_pack


def main() -> None:
    """Load it once, in a process that has loaded nothing but the smallest pack."""
    rules = int(sys.argv[1])
    kept = [engine_pack.compiled(engine_pack.shaped(10))]
    files = engine_pack.shaped(rules)
    gc.collect()
    before = resident()
    started = time.process_time()
    kept.append(compile_bundle(Bundle(decode_pack(files["pack.toml"]), files, digest(files))))
    seconds = time.process_time() - started
    gc.collect()
    print(json.dumps({"load_s": round(seconds, 2), "bytes_per_rule": round((resident() - before) / rules)}))


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    main()
