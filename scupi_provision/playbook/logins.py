"""Keywords that say as whom and how a host is entered: `become`, `connection`, `remote_user`, `port`."""

from __future__ import annotations

from scupi_provision.playbook.scalars import Problems, as_template, is_template, read_boolean, read_text_value
from scupi_provision.source import Node, NullNode, diagnostic
from scupi_provision.values import TemplateText

NO_ROOT = "become is not possible: nobody has root on the cluster"
NO_ROOT_HINT = "remove it; install into the home instead"
"""What is said of `become`, by the loader and, where it is a template, by the task."""
_OUR_CONNECTIONS = {"local": "local", "ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh"}
"""Ansible's names of connections that we have; `smart` is ssh today (its documentation of `connection`)."""


def read_become(node: Node, problems: Problems) -> TemplateText | bool | None:
    """False, or a template (which must turn out false)."""
    if isinstance(node, NullNode):
        return None
    if is_template(node):
        assert isinstance(node, TemplateText)  # noqa: S101 - is_template says so
        return as_template(node)
    if read_boolean(node, []) is not False:
        problems.append(diagnostic(NO_ROOT, node.position, hint=NO_ROOT_HINT))
    return False


def read_become_user(node: Node, problems: Problems) -> None:
    """Nothing: to be somebody else needs root. Beside `become: false` the loader does not come here."""
    if not isinstance(node, NullNode):
        summary = '"become_user": nobody has root on the cluster'
        problems.append(diagnostic(summary, node.position, hint="remove it; tasks run as the account that logs in"))


def read_become_detail(_node: Node, _problems: Problems) -> None:
    """Nothing: how one would become somebody else matters only to who does."""


def read_connection(node: Node, problems: Problems) -> str | None:
    """`local` or `ssh`."""
    text = read_text_value(node, problems)
    if text is None:
        return None
    kind = _OUR_CONNECTIONS.get(text.removeprefix("ansible.builtin.").removeprefix("ansible.netcommon."))
    if kind is None:
        hint = "provision knows local and ssh"
        problems.append(diagnostic(f'connection "{text}" is not possible here', text.position, hint=hint))
    return kind


def read_login(node: Node, problems: Problems) -> TemplateText | None:
    """The account or the port of a play's hosts."""
    return read_text_value(node, problems)


def refuse_login(node: Node, problems: Problems) -> None:
    """Report a login of one task: all tasks of a play use the one connection that was made for it."""
    if isinstance(node, NullNode):
        return
    summary = "a host is entered in one way during a play, so this belongs to the play or to the inventory"
    hint = "to run a task on this computer write `delegate_to: localhost`"
    problems.append(diagnostic(summary, node.position, hint=hint))
