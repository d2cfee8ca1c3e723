# Larder's commands; `make help` lists them. Needs Python 3.11 or newer and any make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PARTS := $(BIN)/python -m tests.parts
PYTEST := $(BIN)/python -m pytest --durations=15
JOURNEYS := tests/journeys tests/browser
UNIT := -n auto --dist worksteal $(JOURNEYS:%=--ignore=%)
CLIENTS := pip uv twine poetry pdm hatch flit build setuptools dohq
UPSTREAMS := devpi proxpi pulp pypiserver simple-repository-server
APT := postgresql redis-server rabbitmq-server nginx-light wrk chromium unzip curl jq
BREW := postgresql@17 redis rabbitmq nginx wrk unzip jq

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

# honcho answers Ctrl-C with 130 once everything has stopped; for whoever pressed it, that is success.
# The shell ignores it meanwhile, and passes on a SIGTERM that make sends to it alone.
run: $(VENV)/base.txt  ## start Larder here: web, worker and beat, until Ctrl-C
	@$(BIN)/python manage.py prepare --before-serving
	@trap '' INT; trap 'kill -TERM $$honcho' TERM; \
	$(BIN)/honcho start & honcho=$$!; \
	while wait $$honcho; code=$$?; kill -0 $$honcho 2>/dev/null; do :; done; \
	case $$code in 130|143) exit 0 ;; *) exit $$code ;; esac

# On SQLite properties are tried with examples that nobody has seen; the summary names their seed.
test: $(VENV)/dev.txt  ## run every test, on SQLite and on PostgreSQL, and the journeys
	@code=0; summary=; \
	LARDER_TEST_FAILURES=$$(mktemp); export LARDER_TEST_FAILURES; \
	step() { \
		name=$$1; shift; printf '\n== %s\n' "$$name"; "$$@"; \
		case $$? in \
			0) said=passed ;; \
			69) said='SKIPPED (a part is missing)' ;; \
			*) said=FAILED; code=1 ;; \
		esac; \
		summary="$$summary $$name $$said."; \
	}; \
	seed=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' '); \
	step "SQLite --hypothesis-seed=$$seed" $(PARTS) moto rclone -- env -u LARDER_STORAGE_URL \
		$(PYTEST) $(UNIT) --hypothesis-profile=fresh --hypothesis-seed=$$seed; \
	step PostgreSQL $(PARTS) postgres moto rclone -- \
		env -u LARDER_STORAGE_URL $(PYTEST) $(UNIT) --with-database; \
	step Journeys $(PARTS) postgres pgmq moto -- \
		$(PYTEST) -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m 'not measured' $(JOURNEYS); \
	step Measured $(PARTS) postgres pgmq moto -- $(PYTEST) -m measured $(JOURNEYS); \
	printf '\n'; cat "$$LARDER_TEST_FAILURES"; rm "$$LARDER_TEST_FAILURES"; \
	printf 'make test:%s\n' "$$summary"; exit $$code

test-unit: $(VENV)/dev.txt  ## run the quick tests: SQLite, no servers
	@$(PYTEST) $(UNIT) -m 'not parts'

journeys: $(VENV)/dev.txt  ## run real clients and a browser against a running Larder
	@$(PARTS) postgres pgmq moto -- $(PYTEST) -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m 'not measured' $(JOURNEYS)
	@$(PARTS) postgres pgmq moto -- $(PYTEST) -m measured $(JOURNEYS)

soak: $(VENV)/dev.txt  ## run the tests and the benches with the full counts (hours)
	@LARDER_TEST_COUNTS=full $(MAKE) test bench-visibility bench-extraction bench-search

bench: $(VENV)/dev.txt  ## measure Larder, its peers and static files; BENCH='--help' tells of options
	@$(PARTS) postgres --durable -- $(BIN)/python -m bench.speed $(BENCH)

bench-visibility: $(VENV)/dev.txt  ## publish, then read at once from elsewhere, many times
	@$(PARTS) postgres -- $(BIN)/python bench/visibility.py

bench-crashes: $(VENV)/dev.txt  ## upload while the server is killed, and look for losses
	@$(BIN)/python bench/crashes.py --database sqlite
	@$(PARTS) postgres -- $(BIN)/python bench/crashes.py --database postgres

bench-extraction: $(VENV)/dev.txt  ## extract many small wheels, and watch the memory
	@$(BIN)/python bench/extraction.py
	@$(PARTS) postgres -- $(BIN)/python bench/extraction.py --database postgres

bench-search: $(VENV)/dev.txt  ## search among 200,000 files with 3 million properties
	@$(PARTS) postgres -- $(BIN)/python bench/search.py

bench-pages: $(VENV)/dev.txt  ## open every screen over 100,000 projects and a million files
	@$(PARTS) postgres -- $(BIN)/python bench/pages.py

bench-proxy: $(VENV)/dev.txt  ## resolve through Larder and through other proxies, side by side
	@$(BIN)/python bench/proxy.py

bench-reading: $(VENV)/dev.txt  ## read many small wheels, and look at the rate and the memory
	@$(BIN)/python bench/reading.py

bench-attestations: $(VENV)/dev.txt  ## verify attestations, and look at the rate and the memory
	@$(BIN)/python bench/attestations.py

screenshots: $(VENV)/dev.txt  ## take the pictures of README and docs anew
	@$(BIN)/python -m tests.browser.take_pictures

lint: $(VENV)/dev.txt  ## check style, types, imports, templates, migrations and settings
	@$(BIN)/pre-commit run --all-files --show-diff-on-failure

format: $(VENV)/dev.txt  ## rewrite Python and templates in the house style
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .
	@find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

requirements: $(VENV)/dev.txt  ## pin the newest versions that requirements/*.in allow
	@compile() { \
		set=requirements/$$1; shift; \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-header $$set.in -o $$set.txt "$$@"; \
	}; \
	set -e; compile base; compile dev --constraints requirements/base.txt; \
	for client in $(CLIENTS); do compile clients/$$client; done; \
	for upstream in $(UPSTREAMS); do compile upstreams/$$upstream; done

parts:  ## install the servers and the browser that the tests use
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	if command -v apt-get >/dev/null; then \
		$$sudo apt-get update -q && $$sudo apt-get install -q -y $(APT); \
	elif command -v brew >/dev/null; then \
		brew install $(BREW) && brew install --cask chromium; \
	else echo 'Install PostgreSQL, Redis, Chromium and unzip with the package manager of this system.'; fi

clean:  ## remove everything that can be made again; data in var/ stays
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An installed set is remembered by a copy of its requirements, made when all of it is there. A
# checkout that only touched the file installs nothing.
$(VENV)/base.txt: requirements/base.txt $(BIN)/python
	@$(call install,base)

$(VENV)/dev.txt: requirements/dev.txt $(BIN)/python
	@$(call install,dev)
	@cp requirements/base.txt $(VENV)/base.txt

define install
if ! cmp -s requirements/$1.txt $@; then \
	rm -f $@; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	echo 'Installing requirements/$1.txt into $(VENV) ...'; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes \
		-r requirements/$1.txt || exit; \
fi; cp requirements/$1.txt $@
endef

# The first interpreter that is new enough and has all of venv; Debian keeps half of it in a package.
$(BIN)/python:
	@usable() { "$$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
	whole() { "$$1" -c 'import ensurepip' 2>/dev/null; }; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		usable $$python || continue; \
		first=$${first:-$$python}; \
		whole $$python && exec $$python -m venv --clear $(VENV); \
	done; \
	if [ -z "$$first" ]; then \
		echo 'Larder needs Python 3.11 or newer: `apt install python3-venv` or `brew install python`.'; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get install -q -y python3-venv || \
			{ apt-get update -q && apt-get install -q -y python3-venv; }; } && \
		exec $$first -m venv --clear $(VENV); \
	else \
		echo "$$first cannot make virtual environments here: \`apt install python3-venv\`."; \
	fi; exit 1

.PHONY: help run test test-unit journeys soak screenshots bench bench-visibility bench-crashes bench-proxy bench-reading bench-extraction bench-search bench-pages bench-attestations lint format requirements parts clean
