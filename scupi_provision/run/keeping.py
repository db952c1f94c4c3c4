"""Files of a host that a play keeps on the controller (`fetch`, `synchronize` with `mode: pull`)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from scupi_provision.errors import StepFailedError
from scupi_provision.shell.actions import Action, Keep
from scupi_provision.shell.replies import StepFailed


def keep_files(actions: Iterable[Action], step: int) -> StepFailed | None:
    """Write what the actions of a step keep here, each file whole or not at all; why that failed, or None.

    It fails also where a file would lie outside of its folder.
    """
    try:
        for action in actions:
            if isinstance(action, Keep):
                _keep(action)
    except StepFailedError as error:
        return StepFailed(step, error.diagnostic.summary, "")
    return None


def _keep(action: Keep) -> None:
    target, within = Path(action.target), Path(action.within)
    # Looked at with links followed: one that somebody has put there must not lead out of the folder.
    if not target.parent.resolve().is_relative_to(within.resolve()):
        raise StepFailedError(f"{target} is not below {within}: nothing is written there")
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(action.content)
        temporary.chmod(action.mode)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StepFailedError(f"{target} cannot be written here: {error.strerror}") from error
