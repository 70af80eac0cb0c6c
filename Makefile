# Everything is done by the small Python package dev/; this file only names it.
PYTHON ?= python3
IN_VENV = @exec $(PYTHON) -m dev.bootstrap

.DEFAULT_GOAL := help
.PHONY: help run manage test test-faults test-image test-clouds bench check fix lock

help:  ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run:  ## Start everything with demo data and print where it is; Ctrl-C stops it
	$(IN_VENV) dev.run

manage:  ## Run a manage.py command on what `make run` has started, such as ARGS=reconcile
	$(IN_VENV) dev.manage $(ARGS)

test:  ## Start real services and run every test; T=path picks some, ARGS=… goes to pytest
	$(IN_VENV) dev.test $(T) $(ARGS)

test-faults:  ## Kill, freeze and restart every part under load; prints what it cost (25 minutes)
	$(IN_VENV) dev.test $(or $(T),tests/faults) -m "processes" -n 0 $(ARGS)

test-clouds:  ## The real Terraform on all three clouds: validate, test, plan; AWS applied on an emulator
	$(IN_VENV) dev.clouds

test-image:  ## Build the image and run it with Docker Compose: browser, signals under load
	$(IN_VENV) dev.image $(ARGS)

bench:  ## Measure against the targets; ARGS="--only capture --rounds 3" a part
	$(IN_VENV) dev.bench $(ARGS)

check:  ## Format, lint, types, imports, migrations, settings, locks
	$(IN_VENV) dev.check

fix:  ## Format and repair what ruff can
	$(IN_VENV) dev.check --fix

lock:  ## Pin requirements/*.in again; ARGS=--upgrade takes newer versions
	$(IN_VENV) dev.locks $(ARGS)
