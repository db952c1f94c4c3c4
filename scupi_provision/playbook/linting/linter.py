"""All rules over a playbook."""

from __future__ import annotations

from scupi_provision.playbook.definitions import items_of_play
from scupi_provision.playbook.linting.findings import Finding, Rule
from scupi_provision.playbook.linting.play_rules import PLAYBOOK_RULES
from scupi_provision.playbook.linting.task_rules import TASK_RULES
from scupi_provision.playbook.models import Playbook, Task

RULES: dict[str, Rule] = {rule.name: rule for rule in (*PLAYBOOK_RULES, *TASK_RULES)}
"""Every rule by its name."""


def findings(playbook: Playbook) -> list[Finding]:
    """What the rules say of `playbook`, in the order of files and lines, each place once; waived ones left out."""
    found = [Finding(rule.name, each) for rule in PLAYBOOK_RULES for each in rule.look(playbook)]
    for play in playbook.plays:
        tasks = [placed.item for placed in items_of_play(play)]
        found += [
            Finding(rule.name, each)
            for task in tasks
            if isinstance(task, Task) and task.module and task.where.line > 0
            for rule in TASK_RULES
            for each in rule.look(task)
        ]
    once = {(each.rule, each.diagnostic.where, each.diagnostic.summary): each for each in found}
    kept = [each for each in once.values() if not each.is_waived]
    return sorted(kept, key=lambda each: (str(each.diagnostic.where), each.rule))
