"""Rules that look at one task."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scupi_provision.errors import Diagnostic
from scupi_provision.playbook.arguments import RAW
from scupi_provision.playbook.linting.findings import Rule
from scupi_provision.playbook.models import Task
from scupi_provision.playbook.scalars import is_template
from scupi_provision.source import diagnostic
from scupi_provision.values import TemplateText

_PROGRAMS = frozenset({"command", "shell", "script", "raw"})
_NAMELESS = frozenset({"meta", "debug", "assert", "fail", "set_fact", "ping", "expect"})
"""Modules whose arguments say enough by themselves."""
_SHELL_SYNTAX = re.compile(r"[|&;<>*?$`(){}\[\]~#\n=]|\b(if|for|while|case|cd|export|source|set)\b")
_INSTEAD = {
    "git clone": "git",
    "git pull": "git",
    "git config": "git_config",
    "curl": "get_url",
    "wget": "get_url",
    "mkdir": "file: {state: directory}",
    "ln": "file: {state: link}",
    "rm": "file: {state: absent}",
    "touch": "file: {state: touch}",
    "chmod": "file: {mode: …}",
    "tar": "unarchive",
    "unzip": "unarchive",
    "pip install": "pip",
    "pip3 install": "pip",
    "sed -i": "lineinfile or replace",
    "rsync": "synchronize",
    "conda create": "conda_env",
}
_SECRET_NAME = re.compile(r"(password|passwd|passphrase|secret|token|api_?key)$", re.IGNORECASE)
_MOVING = frozenset({"master", "main", "HEAD", "develop", "devel"})


def _text(task: Task) -> str:
    for name in (RAW, "cmd", "_raw_params"):
        if isinstance(task.arguments.get(name), str):
            return str(task.arguments[name]).strip()
    argv = task.arguments.get("argv")
    return " ".join(map(str, argv)) if isinstance(argv, list) else ""


def _unnamed(task: Task) -> Iterator[Diagnostic]:
    if task.name is None and task.module not in _NAMELESS:
        yield diagnostic(f"this {task.module} has no name", task.where, hint="write `- name: what it is for`")


def _unprovable(task: Task) -> Iterator[Diagnostic]:
    if task.module not in _PROGRAMS or task.changed_when or task.until:
        return
    if not {"creates", "removes"} & task.arguments.keys():
        hint = "give `creates:` or `removes:`, or `changed_when: false` when it only looks"
        yield diagnostic("no check can tell whether this is still needed", task.where, hint=hint)


def _needless_shell(task: Task) -> Iterator[Diagnostic]:
    text = _text(task)
    plain = re.sub(r"\{\{.*?\}\}", "x", text)
    if task.module == "shell" and text and "executable" not in task.arguments and not _SHELL_SYNTAX.search(plain):
        yield diagnostic("nothing in this text needs a shell", task.where, hint="write `command`")


def _module_instead(task: Task) -> Iterator[Diagnostic]:
    if task.module not in {"command", "shell"}:
        return
    text = _text(task)
    for program, module in _INSTEAD.items():
        if re.match(rf"{re.escape(program)}(\s|$)", text):
            summary = f"`{program}` changes what a module would look at first"
            yield diagnostic(summary, task.where, hint=f"write `{module}`")
            return


def _moving_version(task: Task) -> Iterator[Diagnostic]:
    version = task.arguments.get("version", "HEAD")
    if task.module == "git" and isinstance(version, str) and str(version) in _MOVING:
        yield diagnostic("what is checked out is another thing every day", task.where, hint="name a tag or a commit")
    if task.module == "get_url" and "checksum" not in task.arguments:
        yield diagnostic("nobody will notice when this download is another one", task.where, hint="give a `checksum`")


def _plain_secret(task: Task) -> Iterator[Diagnostic]:
    for name, value in task.arguments.items():
        if _SECRET_NAME.search(name) and _is_literal(value):
            where = task.argument_positions.get(name, task.where)
            hint = "keep it in a vault: `provision vault encrypt-string`"
            yield diagnostic(f'"{name}" is a secret in plain text', where, hint=hint)


def _is_literal(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not is_template(value)


def _conditions(task: Task) -> Iterator[TemplateText]:
    for conditions in (task.inherited.when[-1:], task.changed_when, task.failed_when, task.until):
        yield from (condition for condition in conditions if isinstance(condition, TemplateText))


def _braced_condition(task: Task) -> Iterator[Diagnostic]:
    for condition in _conditions(task):
        if condition.lstrip().startswith("{{"):
            yield diagnostic("a condition is an expression already", condition.position, hint="leave the braces out")


def _compared_with_literal(task: Task) -> Iterator[Diagnostic]:
    for condition in _conditions(task):
        if re.search(r"[!=]=\s*(true|false)\b", condition, re.IGNORECASE):
            hint = "write `x` or `not x`"
            yield diagnostic("a boolean need not be compared with true or false", condition.position, hint=hint)
        elif re.search(r"[!=]=\s*(''|\"\")", condition):
            hint = "write `x | length == 0`, or `x | length > 0`"
            yield diagnostic("what is empty is better asked for its length", condition.position, hint=hint)


def _blind_ignoring(task: Task) -> Iterator[Diagnostic]:
    if task.inherited.ignore_errors is True and task.register is None:
        hint = "say which failure is meant by `failed_when:`, or register what comes of it"
        yield diagnostic("every failure of this task is ignored, foreseen or not", task.where, hint=hint)


def _mode_of_private_file(task: Task) -> Iterator[Diagnostic]:
    path = str(task.arguments.get("dest") or task.arguments.get("path") or "")
    private = re.search(r"/\.ssh/(?!.*\.pub$)|\.netrc$|/\.aws/", path)
    if private and task.module in {"copy", "template", "assemble", "get_url"} and "mode" not in task.arguments:
        yield diagnostic("others may be able to read this file", task.where, hint='give `mode: "0600"`')


TASK_RULES = (
    Rule("unnamed-task", "A run, its errors and its plan speak of tasks by name.", _unnamed),
    Rule("unprovable-command", "Only what leaves a trace can be checked, and left out the second time.", _unprovable),
    Rule("needless-shell", "A shell reads quotes, variables and globs into what was meant as text.", _needless_shell),
    Rule("module-instead", "A module changes only what is not so yet, and check can foretell it.", _module_instead),
    Rule("moving-version", "What was tried once is not what the next student gets.", _moving_version),
    Rule("plain-secret", "A playbook is read by many.", _plain_secret),
    Rule("braced-condition", "Braces make of a value a text, and of a text a template.", _braced_condition),
    Rule(
        "compared-with-literal", "Such comparisons are true for values that nobody thought of.", _compared_with_literal
    ),
    Rule("blind-ignoring", "An ignored failure that was not foreseen is a lost one.", _blind_ignoring),
    Rule("private-mode", "A new file is readable as the account's umask has it.", _mode_of_private_file),
)
