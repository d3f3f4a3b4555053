# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps demo test contract verify bench eval lint secrets

TARGET := $(or $(CARGO_TARGET_DIR),target)
# Passed on to `secretaria demo`, e.g. `make demo ARGS="--port 9000 --json"`.
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# PostgreSQL and Redis are only installed, never configured: demo and tests start private copies on Unix sockets.
# `create_main_cluster = false` comes first, so that installing PostgreSQL leaves no server and no cluster behind.
define DEPS
have_pg() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
have_pg || missing+=(postgresql)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust with rustup, then run this again" >&2; exit 1
fi
if [ $${#missing[@]} -eq 0 ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
    echo "missing: $${missing[*]}. This is not Debian or Ubuntu: install PostgreSQL 15+ and Redis 7+ and put their programs on PATH" >&2; exit 1
fi
read -r -d '' install <<'SCRIPT' || true
set -eu
export DEBIAN_FRONTEND=noninteractive
conf=/etc/postgresql-common/createcluster.conf
[ -e $$conf ] || { mkdir -p $${conf%/*}; echo 'create_main_cluster = false' > $$conf; }
apt-get update -qq
want=""
for p in "$$@"; do
    # Debian 12 has 15; newer releases have only a newer one, which serves as well.
    if [ $$p = postgresql ] && apt-cache show postgresql-15 >/dev/null 2>&1; then p=postgresql-15; fi
    want="$$want $$p"
done
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold $$want </dev/null
SCRIPT
echo "installing: $${missing[*]}" >&2
if [ "$$(id -u)" -eq 0 ]; then
    sh -c "$$install" sh "$${missing[@]}"
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo sh -c "$$install" sh "$${missing[@]}"
else
    echo "not root and no sudo: run as root, then try again:" >&2
    echo "  mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends $${missing[*]}" >&2
    exit 1
fi
if ! have_pg || ! command -v redis-server >/dev/null; then
    echo "installed, yet initdb or redis-server is still not found: see apt-get's output above" >&2; exit 1
fi
endef
export DEPS

deps: ## install PostgreSQL and Redis (apt) if they are missing
	@bash -euo pipefail -c "$$DEPS"

# A dev build on purpose: on two busy cores it takes 2 to 3 minutes from nothing, a release build four times that,
# and one person typing into the simulator cannot tell them apart.
demo: deps ## build and start everything: private databases, stand-ins, simulator
	@cargo build --locked
	@exec $(TARGET)/debug/secretaria demo $(ARGS)

test: deps ## the whole test suite, on its own private PostgreSQL and Redis
	cargo test --locked

# SPECS_DIR holds the providers' documents. Needs node and npm, and says so where they are missing.
SPECS_DIR ?= ../shared/specs
contract: ## our clients against the providers' own documents, checked by Prism
	@SPECS_DIR="$(SPECS_DIR)" tests/tools/contract/run.sh

# Kills, outages, power cuts, floods: about a quarter of an hour. `make verify ARGS="--only bursts --seed 7"`.
verify: deps ## the promises under attack; writes docs/RELIABILITY.md
	cargo test --locked --release --test verify -- $(ARGS)

# ARMS=intake,pipeline chooses arms, QUICK=1 is a look of two minutes, COMPANIES=10000 sets the size of the arm `companies`.
bench: deps ## floor and product side by side in one run; writes docs/BENCHMARKS.md
	ARMS="$(ARMS)" QUICK="$(QUICK)" $(if $(COMPANIES),COMPANIES="$(COMPANIES)") cargo bench --locked --bench bench

# EVAL_DIR holds labelled rows and the program that scores them; neither is part of this repository.
EVAL_DIR ?= ../shared/eval
eval: ## the detectors over labelled messages, the chances of missed appointments: goal beside measure
	@if [ ! -f "$(EVAL_DIR)/score.py" ]; then echo "SKIPPED, NOTHING MEASURED: no labelled rows in $(EVAL_DIR) (make eval EVAL_DIR=...)" >&2; \
	elif ! command -v python3 >/dev/null; then echo "SKIPPED, NOTHING MEASURED: python3 is missing, and the rows are scored by it" >&2; \
	else cargo build --locked --release --example detect --example no_show && { met=0; \
	python3 tests/tools/eval/table.py "$(EVAL_DIR)" $(TARGET)/release/examples/detect || met=$$?; \
	python3 tests/tools/eval/no_show.py "$(EVAL_DIR)" $(TARGET)/release/examples/no_show || met=$$?; exit $$met; }; fi

lint: ## formatting, clippy, licences and bans
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; \
	else echo "skipped: licences and bans. Install the checker with: cargo install --locked cargo-deny" >&2; fi

secrets: ## passwords, URLs and master key for docker-compose.yml, where missing
	@config/compose/secrets.sh
