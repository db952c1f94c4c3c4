"""Vaults in sources: whole files, and values tagged `!vault`."""

from __future__ import annotations

import re
from dataclasses import replace

from scupi_provision.errors import InputError, Position
from scupi_provision.masking import mask
from scupi_provision.source.nodes import MappingNode, Node, SequenceNode
from scupi_provision.values import LockedText, SecretSource, SecretTemplate, SourceText, TemplateText
from scupi_provision.vault.format import is_vault
from scupi_provision.vault.keyring import DamagedVaultError, keyring

_NOT_TELLING = re.compile(
    r"(?i)true|false|yes|no|on|off|null|none|present|absent|latest|file|directory|link|touch|localhost|[0-9]{1,5}|0?[0-7]{3,4}"
)
"""Values of a file that say nothing by themselves; masking them would make every report unreadable."""


def opened_document(data: bytes, name: str) -> tuple[bytes, bool]:
    """What the file called `name` holds, and whether it was a vault.

    Raises:
        InputError: It is one that cannot be opened.
    """
    if not is_vault(data):
        return data, False
    return keyring().open(data, name, Position(name, 1, 1)).content, True


def opened_value(text: str, position: Position, line: str) -> SecretSource | LockedText:
    """A `!vault` value. One that stays closed is an error only for who uses it: other hosts may be what it is for.

    Args:
        text: The vault.
        position: Its place.
        line: The line at its place, for errors.

    Raises:
        DamagedVaultError: It is none that any password would open.
    """
    try:
        content = keyring().open(text.encode("utf-8", "surrogateescape"), "this value", position).content
    except DamagedVaultError:
        raise
    except InputError as error:
        return LockedText.of(text, position, InputError.of([replace(error.diagnostic, excerpt=line)]))
    secret = content.decode("utf-8", "replace")
    mask().learn(secret)
    return SecretSource(secret, position)


def secretive(node: Node) -> Node:
    """A document of a file that is a vault: every value in it is a secret, but for words that tell nothing."""
    if isinstance(node, MappingNode):
        return replace(node, items=tuple((key, secretive(value)) for key, value in node.items))
    if isinstance(node, SequenceNode):
        return replace(node, items=tuple(secretive(item) for item in node.items))
    if not isinstance(node, SourceText) or isinstance(node, SecretSource | LockedText) or _NOT_TELLING.fullmatch(node):
        return node
    if "{{" not in node and "{%" not in node:
        mask().learn(node)
    made = SecretTemplate if isinstance(node, TemplateText) else SecretSource
    return made(str.__str__(node), node.position, plain=node.plain)


def without_excerpts(error: InputError) -> InputError:
    """`error` without lines of its file, which are secret."""
    for_people = "the line is not shown: the file is a vault (`provision vault view` shows it)"
    return InputError.of(
        [replace(one, excerpt="", detail=one.detail or for_people, hint=one.hint) for one in error.diagnostics]
    )
