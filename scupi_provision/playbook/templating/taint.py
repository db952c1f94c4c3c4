"""What templates make of secrets is secret, too: pieces, hashes, spellings that the mask would not find by itself."""

from __future__ import annotations

from typing import Any

from scupi_provision.masking import SHORTEST, mask
from scupi_provision.values import LockedText, Secretive, SecretText

_DEEPEST = 20
"""Levels of a value that are searched for secrets; text that is made of deeper ones is found by its text only."""


def carried(made: Any, *sources: Any) -> Any:
    """`made`, marked as secret when it is text that was made of secrets in `sources`.

    Text that shows none of the known secrets is learnt by the mask as a whole (the first letters of a password, its
    hash). A text that one of the sources holds as it is, and not as a secret, stays what it was: the name of a user is
    not secret because it was looked up in a list with passwords.
    """
    known = mask()
    if not known or isinstance(made, bool | int | float) or made is None:
        return made
    if isinstance(made, list | tuple):
        items = [carried(item, *sources) for item in made]
        return made if all(new is old for new, old in zip(items, made, strict=True)) else type(made)(items)
    if type(made) is not str or not any(map(_holds_secret, sources)) or _stands_open(made, sources):
        return made
    if len(made) >= SHORTEST and not known.knows(made):
        known.learn(made)
    return SecretText(made)


def refuse_locked(value: Any) -> None:
    """Raise why `value` is not to be had, when it is a vault that nobody could open."""
    if isinstance(value, LockedText):
        raise value.cause


def _holds_secret(value: Any, depth: int = 0) -> bool:
    if isinstance(value, Secretive):
        return True
    if isinstance(value, str) or depth > _DEEPEST:
        return False
    if type(value) is dict:  # not `hostvars` and the like, which would render every variable
        return any(_holds_secret(item, depth + 1) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds_secret(item, depth + 1) for item in value)


def _stands_open(text: str, value: Any, depth: int = 0) -> bool:
    """Whether `text` is one of the texts in `value` that are no secrets."""
    if isinstance(value, str):
        return value == text and not isinstance(value, Secretive)
    if depth > _DEEPEST:
        return False
    if type(value) is dict:
        return any(_stands_open(text, part, depth + 1) for item in value.items() for part in item)
    return isinstance(value, list | tuple) and any(_stands_open(text, item, depth + 1) for item in value)
