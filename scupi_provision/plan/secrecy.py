"""What keeps secrets in: files of the controller that are vaults, old values in diffs, programs that get a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.events import Diff
from scupi_provision.masking import STARS, mask
from scupi_provision.modules.contract import ControllerFile, ControllerTree, ModuleArgs
from scupi_provision.shell.actions import Action, Run
from scupi_provision.vault.format import is_vault
from scupi_provision.vault.keyring import keyring

_LONGEST_LEARNT = 64 * 1024
"""Bytes of a vaulted file whose lines are masked; what is longer is a program or an archive, and is only not shown."""
_NAMED_FOR_SECRETS = re.compile(r"(?i)(?:^|_)(?:password|passwd|passphrase|secret|token|api_key|url_password)$")
"""Names of what holds a secret, whatever it is: arguments of modules (no_log in Ansible's), extra variables."""


def opened_file(content: bytes, name: str, where: Position | None) -> tuple[bytes, bool]:
    """The content of a file of the controller, and whether it was a vault; what was in one is masked from here on.

    Raises:
        InputError: It is a vault that cannot be opened.
    """
    if not is_vault(content):
        return content, False
    inner = keyring().open(content, name, where).content
    if len(inner) <= _LONGEST_LEARNT:
        mask().learn(inner.decode("utf-8", "replace"))
    return inner, True


def learn_arguments(args: ModuleArgs) -> None:
    """Mask what a task gives to arguments that are there for passwords and their like."""
    learn_named({name: getattr(args, name) for name in type(args).model_fields})


def learn_named(values: Mapping[str, Any]) -> None:
    """Mask the texts among `values` whose names say that they are secret."""
    for name, value in values.items():
        if isinstance(value, str) and _NAMED_FOR_SECRETS.search(name):
            mask().learn(value)


def fit_to_show(diffs: Iterable[Diff], args: ModuleArgs) -> tuple[Diff, ...]:
    """Diffs without the content of vaulted files, and without the secrets that are being replaced by known ones."""
    if any(file.secret for file in _files(args)):
        return tuple(replace(diff, before=None, after=None) for diff in diffs)
    return tuple(map(without_old_secrets, diffs)) if mask() else tuple(diffs)


def _files(args: ModuleArgs) -> Iterator[ControllerFile]:
    for name in type(args).model_fields:
        yield from _files_in(getattr(args, name))


def _files_in(value: Any) -> Iterator[ControllerFile]:
    if isinstance(value, ControllerFile):
        yield value
    elif isinstance(value, ControllerTree):
        yield from value.files


def without_old_secrets(diff: Diff) -> Diff:
    """`diff` with stars for the lines that make room for lines with a secret.

    Where a new password is put, the old one stood: the mask does not know it, and somewhere it may still be in use.
    """
    if diff.before is None or diff.after is None or not mask().knows(diff.after):
        return diff
    old, new = diff.before.split("\n"), diff.after.split("\n")
    shown: list[str] = []
    for kind, start, end, begin, stop in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        hides = kind != "equal" and any(map(mask().knows, new[begin:stop]))
        shown += [STARS] * (end - start) if hides else old[start:end]
    return replace(diff, before="\n".join(shown))


def kept_private(actions: Iterable[Action], *, hidden: bool) -> tuple[Action, ...]:
    """The actions, with programs marked confidential that are given a secret, or whose task has `no_log`."""
    return tuple(
        replace(action, confidential=True)
        if isinstance(action, Run) and (hidden or _is_given_a_secret(action))
        else action
        for action in actions
    )


def _is_given_a_secret(action: Run) -> bool:
    known = mask()
    if not known:
        return False
    texts = [*action.argv, *(value for _, value in action.environment), action.stdin.decode("utf-8", "replace")]
    return any(map(known.knows, texts))


def holds_a_secret(action: Action) -> bool:
    """Whether a secret would be sent to the host for this action."""
    if isinstance(action, Run):
        return _is_given_a_secret(action)
    content = getattr(action, "content", b"").decode("utf-8", "replace")
    texts = [content, getattr(action, "path", ""), getattr(action, "target", ""), *getattr(action, "urls", ())]
    return any(map(mask().knows, texts))


def shows_a_secret(actions: Iterable[Action]) -> bool:
    """Whether a secret is among the words of a program, which everybody on the host can see while it runs."""
    known = mask()
    return bool(known) and any(known.knows(word) for a in actions if isinstance(a, Run) for word in a.visible_words)
