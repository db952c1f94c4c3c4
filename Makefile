# `make demo` shows the main job, `make test` proves the whole. Each sets up what it needs, in .venv, once.
# Needs make and any python3 >= 3.10 (say PYTHON=/path/to/python3.12 to choose one).

SHELL = /bin/sh
.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: demo test unit help clean

demo: .venv/.lab ## the main job on two simulated nodes: git, conda and torch, made on admin1, proved on gpu2
	.venv/bin/provision apply site.yaml --lab

test: .venv/.dev ## everything CI checks: lint, types, layers, shell, and all tests (a quarter of an hour)
	.venv/bin/invoke check

unit: .venv/.dev ## the tests that start no shell, no server and no lab (half a minute)
	.venv/bin/invoke unit

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

clean: ## remove .venv and what the tools leave behind
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.lab: pyproject.toml .ci/environment
	@sh .ci/environment lab

.venv/.dev: pyproject.toml .ci/environment
	@sh .ci/environment lab,dev
