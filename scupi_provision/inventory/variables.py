"""Variables of hosts and groups: types, the connection variables that we understand, and those that we refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scupi_provision.errors import Diagnostic
from scupi_provision.inventory.names import address_problem
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, raw, suggestion
from scupi_provision.values import SourceText

Problems = list[Diagnostic]
"""Everything found wrong so far; readers append and go on, so that all of it is reported together."""

_VIA = "write `via: NAME` with the inventory's name of the jump host"
_NO_SECRETS = "a password does not belong in a file; log in with a key (`ansible_ssh_private_key_file`), or be asked"
_REFUSED = {
    "ansible_password": _NO_SECRETS,
    "ansible_ssh_pass": _NO_SECRETS,
    "ansible_ssh_password": _NO_SECRETS,
    "ansible_become_password": _NO_SECRETS,
    "ansible_become_pass": _NO_SECRETS,
    "ansible_ssh_private_key_passphrase": _NO_SECRETS,
    "ansible_ssh_host": "write `ansible_host`",
    "ansible_ssh_port": "write `ansible_port`",
    "ansible_ssh_user": "write `ansible_user`",
    "ansible_private_key_file": "write `ansible_ssh_private_key_file`",
}
_ONLY_EMPTY = {
    "ansible_ssh_common_args": _VIA,
    "ansible_ssh_extra_args": _VIA,
    "ansible_ssh_args": _VIA,
}
CONNECTIONS = ("ssh", "local")
_SAME_CONNECTIONS = {
    "ansible.builtin.ssh": "ssh",
    "ansible.builtin.local": "local",
    "ansible.builtin.paramiko_ssh": "ssh",
    "paramiko_ssh": "ssh",
    "paramiko": "ssh",
    "smart": "ssh",
}
"""Ansible's other names for the two ways that we have: `smart` chooses between ways of ssh."""


def read_variables(
    node: Node | None, problems: Problems, *, what: str = "vars", typing: Callable[[Node], Any] = implicit
) -> dict[Any, Any]:
    """The variables in `node`, typed: connection variables by our schema, all others by `typing`.

    Names are SourceText: they know where they are defined.
    """
    if node is None or isinstance(node, NullNode):
        return {}
    if not isinstance(node, MappingNode):
        problems.append(diagnostic(f"{what} must be a mapping of names to values", node.position))
        return {}
    variables: dict[Any, Any] = {}
    for key, value in node.items:
        if str(key) in _REFUSED:
            problems.append(diagnostic(f'"{key}" is not accepted in an inventory', key.position, hint=_REFUSED[key]))
            continue
        declared = _SCHEMA.get(str(key))
        variables[key] = declared(key, value, problems) if declared else typing(value)
    return variables


def _text(key: SourceText, node: Node, problems: Problems) -> Any:
    if isinstance(node, SourceText):
        return node
    problems.append(diagnostic(f'"{key}" must be text', node.position))
    return None


def _address(key: SourceText, node: Node, problems: Problems) -> Any:
    text = _text(key, node, problems)
    if text is not None and "{{" not in text and (problem := address_problem(text)):
        problems.append(diagnostic(f'{key}: "{text}" {problem}', node.position))
    return text


def _login(key: SourceText, node: Node, problems: Problems) -> Any:
    text = _text(key, node, problems)
    if text is None or "{{" in text:
        return text
    if not text or text.startswith("-") or any(not c.isprintable() or c in " @:'\"\\$`;&|<>()" for c in text):
        problems.append(diagnostic(f'{key}: "{text}" is not a login name', node.position))
    return text


def _port(key: SourceText, node: Node, problems: Problems) -> Any:
    text = _text(key, node, problems)
    if text is None or "{{" in text:
        return text
    if text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    problems.append(diagnostic(f'{key}: "{text}" is not a port', node.position, hint="a port is 1 to 65535"))
    return None


def _connection(key: SourceText, node: Node, problems: Problems) -> Any:
    text = _text(key, node, problems)
    if text is None or "{{" in text or text in CONNECTIONS:
        return text
    if text in _SAME_CONNECTIONS:
        return _SAME_CONNECTIONS[text]
    hint = suggestion(text, CONNECTIONS) or f"known are {', '.join(CONNECTIONS)}"
    problems.append(diagnostic(f'connection "{text}" is not supported yet', node.position, hint=hint))
    return None


def _jump_host(key: SourceText, node: Node, problems: Problems) -> Any:
    if isinstance(node, NullNode):
        return None
    text = _text(key, node, problems)
    if text is not None and "{{" in text:
        problems.append(diagnostic("via must be the name of a host, not a template", node.position))
        return None
    return text


def _texts(key: SourceText, node: Node, problems: Problems) -> Any:
    if isinstance(node, SourceText):
        return [node]
    if isinstance(node, SequenceNode) and all(isinstance(item, SourceText) for item in node.items):
        return raw(node)
    problems.append(diagnostic(f'"{key}" must be text or a list of texts', node.position))
    return []


def _only_empty(key: SourceText, node: Node, problems: Problems) -> Any:
    if not isinstance(node, NullNode) and not (isinstance(node, SourceText) and not node.strip()):
        summary = f'"{key}" is not supported: nothing here runs the ssh program'
        problems.append(diagnostic(summary, key.position, hint=_ONLY_EMPTY[key]))
    return ""


_SCHEMA: dict[str, Callable[[SourceText, Node, Problems], Any]] = {
    "ansible_host": _address,
    "ansible_user": _login,
    "ansible_port": _port,
    "ansible_ssh_private_key_file": _text,
    "ansible_connection": _connection,
    "account_id": _text,
    "via": _jump_host,
    "host_keys": _texts,
    "provision_known_hosts": _texts,
    **dict.fromkeys(_ONLY_EMPTY, _only_empty),
}
