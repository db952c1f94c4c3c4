"""Questions that go beyond what is at a path: whose it is and since when, other sums, what is in a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import words


@dataclass(frozen=True)
class Inspection:
    """One question; the function of `inspect.sh` that answers it changes nothing.

    Attributes:
        what: The function, such as "tree".
        words: Its arguments.
        roots: The paths of which it tells, with all that is below them.
    """

    what: str
    words: tuple[str, ...]
    roots: tuple[str, ...]


def define() -> str:
    """The functions that answer; goes ahead of the first question of a program."""
    return shell_source("inspect.sh")


def ask(inspection: Inspection) -> str:
    """Asks; the answer is one ContentsReply."""
    return f"p_inspect {words(inspection.what, *inspection.words)}\n"


def expectation(inspection: Inspection, told: bytes) -> str:
    """The call that compares the answer with what a plan was told."""
    return f"p_expect_told {words(hashlib.sha256(told).hexdigest(), inspection.what, *inspection.words)}"
