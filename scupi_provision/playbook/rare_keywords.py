"""Keywords that matter to how Ansible works inside: accepted where they change nothing here, else refused."""

from __future__ import annotations

from scupi_provision.playbook.scalars import Problems, is_template, read_number, read_text_value, read_texts
from scupi_provision.source import Node, diagnostic
from scupi_provision.values import TemplateText


def read_collections(node: Node, problems: Problems) -> tuple[TemplateText, ...]:
    """Where Ansible would search short names of modules. Ours are found by their last word in any collection."""
    return read_texts(node, problems)


def read_debugger(node: Node, problems: Problems) -> str | None:
    """`never`; the other choices stop a run and ask a person, which is refused."""
    text = read_text_value(node, problems)
    if text is not None and text != "never":
        hint = "look at `provision check --diff`, or register a result and show it with debug"
        summary = f'debugger "{text}": a plan is made as a whole, so there is no place to stop in it'
        problems.append(diagnostic(summary, text.position, hint=hint))
    return str(text) if text is not None else None


def read_timeout_of_facts(node: Node, problems: Problems) -> None:
    """Nothing: facts are read together with everything else, and the connection has limits of its own."""
    read_number(node, problems)


def refuse_facts(node: Node, problems: Problems) -> None:
    """Report `fact_path` unless it is a template or empty: facts of the host's own scripts are not read."""
    text = read_text_value(node, problems)
    if text is not None and (is_template(text) or text.strip()):
        hint = "read the files with `slurp` or `command` and `register`"
        problems.append(diagnostic("fact_path: facts.d is not read", text.position, hint=hint))
