"""Tasks for people who work on provision: `.venv/bin/invoke --list`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from invoke import Collection, Context, task

_BIN = Path(sys.executable).parent
_ROOT = Path(__file__).parent
_SHELL_FILES = "scupi_provision/shell/*.sh"


def _tool(context: Context, command: str) -> None:
    """Run a program of this environment in the project's folder; invoke stops at the first that fails."""
    os.chdir(_ROOT)
    context.run(command, env={"PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"})


@task
def lint(context: Context) -> None:
    """Ruff: rules and layout."""
    _tool(context, "ruff check .")
    _tool(context, "ruff format --check .")


@task(name="format")
def format_(context: Context) -> None:
    """Ruff: mend what it can mend by itself."""
    _tool(context, "ruff check --fix .")
    _tool(context, "ruff format .")


@task
def types(context: Context) -> None:
    """Mypy, strict."""
    _tool(context, "mypy")


@task
def layers(context: Context) -> None:
    """Import-linter: rooms import downwards only."""
    _tool(context, "lint-imports --no-cache")


@task
def shell(context: Context) -> None:
    """Shellcheck: the shell that runs on hosts, and the scripts of this checkout."""
    _tool(context, f"shellcheck --shell=sh {_SHELL_FILES} .ci/environment bench/tutorial.sh")
    _tool(context, "shellcheck .ci/run")


@task
def docs(context: Context) -> None:
    """Write docs/modules/ from the modules themselves."""
    _tool(context, "python -m scupi_provision.cli.module_pages docs/modules")


@task
def unit(context: Context) -> None:
    """The tests that start no shell, no server and no lab."""
    _tool(context, "pytest -n 2 -m 'not real and not slow'")


@task
def tests(context: Context) -> None:
    """All tests, with the reason of each that was skipped."""
    _tool(context, "pytest -n 2 --dist loadfile -rs")


@task(lint, types, layers, shell, tests)
def check(context: Context) -> None:
    """Everything that CI checks, the quick things first."""


namespace = Collection(lint, format_, types, layers, shell, docs, unit, tests, check)
# `sh` is everywhere; bash, invoke's default, is not.
namespace.configure({"run": {"shell": "/bin/sh", "echo": True, "echo_format": "\n→ {command}"}})
