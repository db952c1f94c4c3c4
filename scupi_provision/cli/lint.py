"""`provision lint`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded

if TYPE_CHECKING:
    from scupi_provision.playbook.linting.findings import Finding

_EXIT_REMARKS = 1


def lint(
    playbook: options.Playbook = "site.yaml",
    inventory: options.Inventory = None,
    extra_vars: options.ExtraVars = [],  # noqa: B006 - typer copies it
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when there is any remark.")] = False,
    skip: Annotated[str, typer.Option("--skip", help="No remarks of these rules (commas between them).")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="List the rules, with what each is good for.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Each remark as a line of JSON.")] = False,
) -> None:
    """Say what check would refuse, and what could be written better. No host is asked."""
    raise typer.Exit(
        guarded(
            lambda: (
                _rules() if rules else _lint(playbook, inventory, extra_vars, skip=skip, strict=strict, as_json=as_json)
            )
        )
    )


def _rules() -> int:
    from scupi_provision.playbook.linting.linter import RULES  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.lint import print_rules  # noqa: PLC0415 - likewise
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - likewise

    print_rules(list(RULES.values()), open_console(sys.stdout))
    return 0


def _lint(
    playbook: str, inventory: list[Path] | None, extra_vars: list[str], *, skip: str, strict: bool, as_json: bool
) -> int:
    from scupi_provision.cli.options import make_request  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.lint import print_findings  # noqa: PLC0415 - likewise
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - likewise
    from scupi_provision.run.lint import lint as run  # noqa: PLC0415 - likewise

    skipped = _skipped(skip)
    request = make_request(playbook, inventory=inventory, limit=None, lab=False, extra_vars=extra_vars)
    found = [finding for finding in run(request) if finding.rule not in skipped]
    if as_json:
        _print_json(found)
    else:
        print_findings(found, open_console(sys.stdout))
    return _EXIT_REMARKS if strict and found else 0


def _skipped(skip: str) -> set[str]:
    from scupi_provision.errors import InputError  # noqa: PLC0415 - as above
    from scupi_provision.playbook.linting.linter import RULES  # noqa: PLC0415 - as above
    from scupi_provision.source import suggestion  # noqa: PLC0415 - as above

    names = {name.strip() for name in skip.split(",") if name.strip()}
    for name in sorted(names - RULES.keys()):
        hint = suggestion(name, RULES) or "`provision lint --rules` lists them"
        raise InputError(f'there is no rule "{name}"', hint=hint)
    return names


def _print_json(found: list[Finding]) -> None:
    import json  # noqa: PLC0415 - as above
    from dataclasses import asdict  # noqa: PLC0415 - as above

    for finding in found:
        print(json.dumps({"rule": finding.rule, **asdict(finding.diagnostic)}))
