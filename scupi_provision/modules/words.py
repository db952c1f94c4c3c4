"""Command lines to words, as `shlex` splits them, with an error that a person can use."""

from __future__ import annotations

import shlex

from scupi_provision.host.record import TaskFailedError


def split_words(text: str, what: str) -> list[str]:
    """The words of a command line.

    Args:
        text: The command line; quotes and backslashes mean what they mean in a POSIX shell, nothing else does.
        what: The argument that it stands in, for the message.

    Raises:
        TaskFailedError: A quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise TaskFailedError(f"{what}: {str(error).lower()}: {text}") from None
