"""The lockout guard as text: what goes ahead of a stream that changes how people log in, and what is said after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from scupi_provision.shell.program import end, shell_source
from scupi_provision.shell.words import word, words

GUARD_SECONDS = 90
"""How long the host waits for a verdict once the stream has ended or the connection is gone."""

Verdict = Literal["keep", "back", "forth", "drop"]
"""All is well; put it back; put it in again, since it was not to blame; it is of no more use."""


class Guarded(NamedTuple):
    """A path that a step may change and that decides about logins.

    Attributes:
        path: Absolute.
        whole: Whether a folder is kept with all that is below.
    """

    path: str
    whole: bool = False


def guard_definitions(seconds: int) -> str:
    """Defines the guard's functions in a session; the watchdog gets the same text."""
    files = word(shell_source("guard_files.sh"))
    return f'P_GUARD_TEXT={files} P_GUARD_S={seconds}\neval "$P_GUARD_TEXT"\n{shell_source("guard.sh")}'


def guard_words(guarded: tuple[Guarded, ...]) -> str:
    """The arguments of `p_guard` and `p_guard_saw`."""
    return words(*(text for one in guarded for text in ("tree" if one.whole else "flat", one.path)))


def judge_guard(verdict: Verdict, stuck: Sequence[str] = ()) -> str:
    """The program that carries out a verdict on what the session has changed.

    Args:
        verdict: What is to be done.
        stuck: Words in the arguments of processes of the account that nobody else will end: shells that the change has
            caught in a loop.
    """
    return "".join(f"p_guard_end {word(mark)}\n" for mark in stuck) + f"p_guard_judge {verdict}\n{end()}"


def look_at_guards(*, finish: bool) -> str:
    """The program that tells what earlier runs have left; with `finish` it also ends that."""
    return f"{guard_definitions(GUARD_SECONDS)}p_guard_left {'finish' if finish else 'look'}\n{end()}"
