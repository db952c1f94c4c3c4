"""`accounts:`: who may log in. Every host is crossed with every account."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.inventory.models import Access, Account
from scupi_provision.inventory.names import name_problem
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, suggestion
from scupi_provision.values import SourceText

_KEYS = ("id", "key", "name", "groups", "hosts", "vars", "access")
_REFUSED = {
    "password": "the cluster's web page gives a private key: save it and write `key: PATH`",
    "key_passphrase": "provision asks for the passphrase, or takes the key from your ssh-agent",
}
_ACCESS_HINT = "write `access: {own_key: true}`, or leave it out"


def read_accounts(nodes: Iterable[Node], hosts: Collection[str], problems: Problems) -> tuple[Account, ...]:
    """The accounts in `nodes`, the values of every `accounts:`. `hosts` are base names that `hosts:` may name."""
    accounts: dict[str, Account] = {}
    for account in (
        read for node in nodes for item in _items(node, problems) if (read := _read_account(item, hosts, problems))
    ):
        if account.id in accounts:
            first = accounts[account.id].where
            detail = f"it is already declared in line {first.line}"
            problems.append(diagnostic(f"account {account.id} is declared twice", account.where, detail=detail))
        elif account.id in hosts:
            problems.append(diagnostic(f'"{account.id}" is both an account and a host', account.where))
        else:
            accounts[account.id] = account
    return tuple(accounts.values())


def _items(node: Node, problems: Problems) -> tuple[Node, ...]:
    if isinstance(node, SequenceNode):
        return node.items
    if not isinstance(node, NullNode):
        hint = "write\n    accounts:\n      - id: 2021141520001\n        key: ~/.ssh/scupi_id_rsa"
        problems.append(diagnostic("accounts must be a list", node.position, hint=hint))
    return ()


def _read_account(node: Node, hosts: Collection[str], problems: Problems) -> Account | None:
    if not isinstance(node, MappingNode):
        problems.append(diagnostic("an account must be a mapping with id and key", node.position))
        return None
    _check_keys(node, problems)
    identifier = _text(node, "id", problems)
    key = _text(node, "key", problems)
    if identifier is None or key is None:
        return None
    if problem := name_problem(identifier):
        problems.append(diagnostic(f'account id "{identifier}" {problem}', identifier.position))
        return None
    return Account(
        id=str(identifier),
        key=key,
        where=identifier.position,
        name=str(_text(node, "name", problems, required=False) or ""),
        groups=_names(node.get("groups"), "groups", problems),
        hosts=_hosts(node.get("hosts"), hosts, problems),
        variables=read_variables(node.get("vars"), problems),
        access=_access(node.get("access"), problems),
    )


def _check_keys(node: MappingNode, problems: Problems) -> None:
    for key, _value in node.items:
        if str(key) in _REFUSED:
            problems.append(diagnostic(f'"{key}" does not belong in a file', key.position, hint=_REFUSED[key]))
        elif key not in _KEYS:
            hint = suggestion(key, _KEYS) or f"an account has {', '.join(_KEYS)}; other variables go below vars"
            problems.append(diagnostic(f'unknown key "{key}" in an account', key.position, hint=hint))


def _text(node: MappingNode, key: str, problems: Problems, *, required: bool = True) -> SourceText | None:
    value = node.get(key)
    if isinstance(value, SourceText) and (value or not required):
        return value
    if value is not None:
        problems.append(diagnostic(f"{key} of an account must be text", value.position))
    elif required:
        problems.append(diagnostic(f'an account needs "{key}"', node.position))
    return None


def _names(node: Node | None, what: str, problems: Problems) -> tuple[SourceText, ...]:
    if node is None or isinstance(node, NullNode):
        return ()
    items: tuple[Node, ...] = node.items if isinstance(node, SequenceNode) else (node,)
    names: list[SourceText] = []
    for item in items:
        if not isinstance(item, SourceText):
            problems.append(diagnostic(f"{what} of an account must be a list of names", item.position))
        elif problem := name_problem(item):
            problems.append(diagnostic(f'{what}: "{item}" {problem}', item.position))
        else:
            names.append(item)
    return tuple(names)


def _access(node: Node | None, problems: Problems) -> Access:
    if node is None or isinstance(node, NullNode):
        return Access()
    if not isinstance(node, MappingNode):
        problems.append(diagnostic("access of an account must be a mapping", node.position, hint=_ACCESS_HINT))
        return Access()
    own_key = False
    for key, value in node.items:
        read = implicit(value)
        if key != "own_key":
            hint = suggestion(key, ("own_key",)) or _ACCESS_HINT
            problems.append(diagnostic(f'unknown key "{key}" in access', key.position, hint=hint))
        elif not isinstance(read, bool):
            problems.append(diagnostic("own_key must be true or false", value.position, hint=_ACCESS_HINT))
        else:
            own_key = read
    return Access(own_key)


def _hosts(node: Node | None, known: Collection[str], problems: Problems) -> tuple[str, ...] | None:
    if node is None:
        return None
    names = _names(node, "hosts", problems)
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"known hosts: {', '.join(sorted(known)) or 'none'}"
            problems.append(diagnostic(f'unknown host "{name}"', name.position, hint=hint))
    return tuple(str(name) for name in names)


def login_variables(account: Account) -> dict[str, Any]:
    """What an account says about how to log in, and its own variables."""
    return {
        "ansible_user": account.id,
        "ansible_ssh_private_key_file": account.key,
        "account_id": account.id,
        **({"account_name": account.name} if account.name else {}),
        **account.variables,
    }


def position_of(value: Any, fallback: Position) -> Position:
    """Where `value` stands when it remembers that, else `fallback`."""
    return value.position if isinstance(value, SourceText) else fallback
