"""Shell files that run as programs of a plan: their text with variables set ahead of it."""

from __future__ import annotations

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word


def script(*names: str, **variables: str) -> tuple[str, ...]:
    """The command that runs one of this room's shell files, or several as one program.

    Args:
        *names: The files, such as "tree.sh" and "build.sh".
        **variables: Set before the text; a list travels as one text of quoted words (`shell.words.words`).
    """
    assignments = "".join(f"{variable}={word(value)}\n" for variable, value in variables.items())
    return ("/bin/sh", "-c", assignments + "".join(map(shell_source, names)))
