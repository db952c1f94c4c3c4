"""Programs that look at a node for a diagnosis: each tells facts and leaves the node as it was."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.shell.program import read_facts, shell_source
from scupi_provision.shell.words import word, words


def define() -> str:
    """The functions that the other programs call; goes ahead of the first of them in a session."""
    return shell_source("doctor.sh")


def clock() -> str:
    """Asks for the node's time: fact `clock`, seconds since 1970."""
    return "p_clock\n"


def look(names: Sequence[str], keys: Sequence[str], urls: Sequence[str]) -> str:
    """Asks for everything that a diagnosis of the node needs, its ordinary facts included.

    Args:
        names: Hosts whose addresses are looked up there.
        keys: Public keys in base64 that may be authorized there.
        urls: Addresses that may answer there.
    """
    return (
        f"{read_facts()}p_around\np_modes\np_authorized {words(*keys)}\np_space\np_resolve {words(*names)}\n"
        f"p_startup\np_own\np_reach {words(*urls)}\n"
    )


def libraries() -> str:
    """Asks what VS Code's server rests on: facts `libstdcxx` (versions), `musl`, `has_bash` and so on."""
    return "p_libraries\n"


def mark(name: str) -> str:
    """Puts a file called `name` into the home, as a mark that another node looks for: fact `mark`."""
    return f"p_mark {word(name)}\n"


def find_mark(name: str, seconds: int) -> str:
    """Looks for another node's mark for at most so long: fact `marked`, the seconds it took, or `-`."""
    return f"p_find_mark {word(name)} {seconds}\n"


def unmark(name: str, *, made_folder: bool) -> str:
    """Removes a mark, with the folder if that was made for it."""
    return f"p_unmark {word(name)} {'made' if made_folder else ''}\n"
