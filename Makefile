# Everything a user, a developer and CI do, by name. Python 3.11 to 3.13 and make are all it needs.
PYTHON ?= python3
BIN := .venv/bin
SAMPLE_DAY := 2026-03-10
# The sample's review is nobody's evidence: it lies by itself, and `make clean` removes it.
SAMPLE := target/sample_review

# What macros expand to is linted as dbt compiles it, but for its layout, and for what dbt itself writes.
LINTED := target/lint
NOT_OF_COMPILED := layout,references.quoting,references.qualification,ambiguous.column_count,structure.column_order,references.from,references.consistent,aliasing.self_alias.column

export DBT_PROFILES_DIR := $(CURDIR)

.PHONY: help review check check-dbt check-tests check-style test lint diff docs screenshot benchmark mutants athena-local sample-logs settings-docs lock clean checkov least-privilege
.DEFAULT_GOAL := help

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

review: .venv/installed profiles.yml  ## Review the sample logs of a fixed day
	@$(BIN)/pci-log-review run --logs sample_logs --run-date $(SAMPLE_DAY) \
		--logs-copied-from s3://example-pay-cloudtrail-logs --public-keys sample_logs/public_keys.json \
		--evidence $(SAMPLE)/evidence --state $(SAMPLE)/state

test: .venv/installed-dev profiles.yml  ## Run every test: dbt's unit tests and pytest
	$(BIN)/pytest --numprocesses auto --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

check: .venv/installed-dev profiles.yml  ## In about a minute: style, types, every dbt test on the sample, and the quick part of pytest
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-dbt check-tests check-style

check-dbt:
	@mkdir -p target/check/state
	PCI_LOG_REVIEW_STATE=target/check/state $(BIN)/dbt --quiet build --vars '{run_date: $(SAMPLE_DAY)}' \
		--target-path target/check --log-path target/check

check-tests:
	$(BIN)/pytest --quiet --numprocesses 2 -m 'not slow' -k 'not s3' \
		tests/evidence tests/reader tests/wrapper tests/difference \
		--ignore tests/wrapper/test_benchmark.py --ignore tests/wrapper/test_mutants.py

check-style:
	$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache >/dev/null

lint: .venv/installed-dev profiles.yml  ## Check style, types, imports, SQL and the deployment: ruff, mypy, import-linter, sqlfluff, cfn-lint …
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/cfn-lint deploy/cloudformation/*.yaml
	$(BIN)/hadolint deploy/Dockerfile
	@mkdir -p $(LINTED)
	@PCI_LOG_REVIEW_STATE=$(LINTED) $(BIN)/sqlfluff lint --disable-progress-bar --processes 2 models analyses tests/singular
	$(BIN)/sqlfluff lint --disable-progress-bar --templater jinja --rules jinja.padding,layout.long_lines macros tests/generic
	@PCI_LOG_REVIEW_STATE=$(LINTED) $(BIN)/dbt --quiet compile --target-path $(LINTED) --log-path $(LINTED)
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 --templater raw --exclude-rules $(NOT_OF_COMPILED) \
		$(LINTED)/compiled/pci_log_review/models $(LINTED)/compiled/pci_log_review/tests
	@PCI_LOG_REVIEW_LOGS=s3://logs AWS_REGION=us-east-1 PCI_LOG_REVIEW_ATHENA_RESULTS=s3://results \
		PCI_LOG_REVIEW_ATHENA_DATA=s3://tables $(BIN)/dbt --quiet --no-populate-cache compile --no-introspect \
		--target athena --select staging intermediate --target-path $(LINTED)/athena --log-path $(LINTED)
	$(BIN)/sqlfluff lint --disable-progress-bar --templater raw --dialect trino \
		--exclude-rules $(NOT_OF_COMPILED),references.keywords,ambiguous.union,structure.nested_case \
		$(LINTED)/athena/compiled/pci_log_review/models

# checkov pins so many packages that it has a lock and an environment of its own
checkov: .venv-checkov/installed  ## Hold the CloudFormation template against checkov's rules
	@.venv-checkov/bin/checkov --compact --quiet --skip-download --framework cloudformation --directory deploy/cloudformation

least-privilege: .venv/installed-dev profiles.yml  ## Take each permission of the deployed policies away in turn: does something fail? For an hour
	@PYTHONPATH=scripts $(BIN)/python -m tests.athena.least_privilege $(LEAST_PRIVILEGE_ARGS)

# What a branch began with; in a pull request CI names it
BASE ?= $(shell git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main)

diff: .venv/installed  ## Show which evidence the working tree finds otherwise than BASE does; DIFF_ARGS are its options
	@$(BIN)/pci-log-review diff --base "$(BASE)" --output target/diff $(DIFF_ARGS) || test $$? -eq 4

docs: .venv/installed profiles.yml  ## Write the evidence catalogue of the sample's review, or of PCI_LOG_REVIEW_STATE: target/docs/static_index.html
	@test -n "$(PCI_LOG_REVIEW_STATE)" || test -f $(SAMPLE)/state/review.duckdb || $(MAKE) review
	@PCI_LOG_REVIEW_STATE=$(or $(PCI_LOG_REVIEW_STATE),$(SAMPLE)/state) $(BIN)/dbt docs generate --static --target-path target/docs

screenshot: .venv/installed-dev review  ## Take the picture of the sample's page that the README shows, with chromium
	@PYTHONPATH=scripts $(BIN)/python -m tools.screenshot \
		"$$(ls -d $(SAMPLE)/evidence/$(SAMPLE_DAY)/*/ | tail -1)report.html" docs/report.png

benchmark: .venv/installed profiles.yml  ## Measure the review on generated logs; BENCHMARK_ARGS="--full" measures all
	@PYTHONPATH=scripts $(BIN)/python -m tools.benchmark $(BENCHMARK_ARGS)

mutants: .venv/installed-dev  ## Change the code in one place after the other: which change does no test notice? For hours
	@PYTHONPATH=scripts $(BIN)/python -m tools.mutants $(MUTANTS_ARGS)

athena-local: .venv/installed-dev  ## Serve an Athena on this machine, to try the athena target; LOGS=folder gives it logs
	@$(BIN)/python -m tests.local_athena $(if $(LOGS),--logs "$(LOGS)")

sample-logs: .venv/installed  ## Write sample_logs/ anew
	$(BIN)/python scripts/tools/make_sample_logs.py

settings-docs: .venv/installed  ## Write anew what describes the settings' columns, from seeds/catalogue/settings.yml
	@PYTHONPATH=scripts $(BIN)/python -m tools.settings_page

lock: .venv/installed-dev  ## Write the requirements files anew from pyproject.toml
	$(BIN)/uv pip compile $(COMPILE) --extra dev -o requirements-dev.txt
	$(BIN)/uv pip compile $(COMPILE) -o requirements.txt -c requirements-dev.txt
	echo checkov | $(BIN)/uv pip compile $(LOCKED) - -o deploy/requirements-checkov.txt

LOCKED = --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-annotate \
	--no-header --quiet
COMPILE = $(LOCKED) pyproject.toml --extra build

clean:  ## Remove what was installed and generated, but no evidence and no state
	rm -rf .venv .venv-checkov target logs

profiles.yml:
	cp profiles.example.yml $@

.venv/installed: requirements.txt pyproject.toml setup.py dbt_project.yml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=…")'
	@echo "Installing into .venv; the first time takes a minute or two"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-checkov/installed: deploy/requirements-checkov.txt
	@test -x .venv-checkov/bin/python || $(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "Installing what tests need into .venv, which takes a minute or two ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
