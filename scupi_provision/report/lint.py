"""What the rules say, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from scupi_provision.playbook.linting.findings import Finding, Rule
from scupi_provision.report import style
from scupi_provision.report.errors import headline, hint_lines, place_lines
from scupi_provision.report.wording import counted


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Each finding with its line and a caret, and how many there are."""
    for finding in findings:
        for line in _lines(finding, console.width):
            console.print(line, soft_wrap=True)
    if findings:
        rules = len({finding.rule for finding in findings})
        told = f"{counted(len(findings), 'remark')} by {counted(rules, 'rule')}; `# lint: ignore RULE` waives one"
        console.print(Text(told, style=style.QUIET), soft_wrap=True)
    else:
        console.print(Text("nothing to remark", style=style.GOOD))


def print_rules(rules: Sequence[Rule], console: Console) -> None:
    """A line for each rule."""
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        console.print(Text(rule.name.ljust(width), style="bold").append(f"  {rule.why}", style="not bold"))


def _lines(finding: Finding, width: int) -> list[Text]:
    told = finding.diagnostic
    lines = [headline(finding.rule, told.summary, style.WARNING)]
    if told.where:
        lines += place_lines(told.where, told.excerpt, width)
    return [*lines, *hint_lines(told.hint), Text()]
