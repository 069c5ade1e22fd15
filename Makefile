# The verbs of the project. `make` alone lists them.
PYTHON ?=
BIN := .venv/bin
SETUP := scripts/setup

.DEFAULT_GOAL := help
.PHONY: help setup demo serve proto format check test soak docs golden bench lock image

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.dev  ## set up everything (virtual environment with pinned, hashed packages; what tests need beside it)

.venv/.runtime: requirements/runtime.txt pyproject.toml $(SETUP)
	@PYTHON="$(PYTHON)" $(SETUP) runtime

.venv/.dev: requirements/dev.txt pyproject.toml clients/python/pyproject.toml $(SETUP) $(wildcard tests/ledger/thirdparty/*)
	@PYTHON="$(PYTHON)" $(SETUP) dev

demo: .venv/.runtime  ## start a sidecar on fictitious facts, ask it a few questions, show the records
	@$(BIN)/dpi-sidecar demo

serve: .venv/.runtime  ## the same sidecar, left running
	@$(BIN)/dpi-sidecar demo --keep

proto: setup  ## write sidecar/v1 from proto/
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=. --pyi_out=. --grpc_python_out=. proto/sidecar/v1/*.proto

format: setup  ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

check: setup  ## style, types, imports, API
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint proto
	$(BIN)/buf breaking proto --against proto/released.binpb
	$(BIN)/dpi-sidecar policy check policies/hospital

test: check  ## everything that must hold
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

soak: setup  ## the long form of the campaigns: every property tried 25 times more
	SOAK=1 $(BIN)/pytest --timeout=7200

docs: setup  ## write the pages that are made from other files
	$(BIN)/python -m tests.pack.requirements

golden: setup  ## write tests/golden/ anew; read the diff in review
	GOLDEN=rewrite $(BIN)/pytest tests/ledger/test_leaf.py tests/explain/test_pages.py

build/cerbos/.installed: tests/bench/cerbos/package-lock.json
	@command -v npm >/dev/null || { echo "bench: npm is missing; as root: apt-get install npm" >&2; exit 1; }
	@mkdir -p build/cerbos && cp tests/bench/cerbos/package.json tests/bench/cerbos/package-lock.json build/cerbos/
	@npm install --prefix build/cerbos --no-save --no-audit --no-fund --silent && touch $@

bench: setup $(if $(filter-out ledger,$(ONLY)),,build/cerbos/.installed)  ## measure; make bench ONLY=check measures one
	@command -v h2load >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nghttp2-client >/dev/null; } || \
	  { echo "bench: h2load is missing; as root: apt-get install nghttp2-client" >&2; exit 1; }
	$(BIN)/python -m tests.bench $(ONLY)

lock: setup  ## pin the newest packages with their hashes
	$(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade \
	  --custom-compile-command "make lock" -o requirements/runtime.txt
	$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --upgrade \
	  -c requirements/runtime.txt --custom-compile-command "make lock" -o requirements/dev.txt

image: setup  ## at a release: the API that later versions may not break
	$(BIN)/buf build proto -o proto/released.binpb
