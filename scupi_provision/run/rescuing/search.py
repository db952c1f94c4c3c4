"""Finding the statement that is to blame, by trying beginnings of a text. Pure but for the trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scupi_provision.access import shell_files
from scupi_provision.host.recovery import Fault
from scupi_provision.shell.rescuing import Parsed, Trial

_OF_COMMANDS = (Fault.HANGS, Fault.ENDS, Fault.SILENCES, Fault.READS, Fault.PATH, Fault.PRINTS)
FAULTS: dict[str, tuple[Fault, ...]] = {
    "command": _OF_COMMANDS,
    "login": (Fault.HANGS, Fault.ENDS, Fault.PATH),
    "person": (Fault.HANGS, Fault.ENDS, Fault.PATH),
    "end": (Fault.HANGS,),
    "server": (Fault.HANGS, Fault.PRINTS),
}
"""What counts as a fault in a file, by the occasion on which it is read. A shell for a person may print."""

_FIRST_LINE = "provision-1"


def faults_of(trial: Trial, occasion: str) -> tuple[Fault, ...]:
    """What is wrong with a shell after its file, the worst first."""
    alive = trial.alive
    shown = {
        Fault.HANGS: trial.late and not alive,
        Fault.ENDS: not trial.late and not alive,
        Fault.SILENCES: alive and not trial.speaks,
        Fault.READS: alive and trial.next_line != _FIRST_LINE,
        Fault.PATH: alive and not trial.finds,
        Fault.PRINTS: bool(trial.printed.strip(b"\n")),
    }
    return tuple(fault for fault in FAULTS[occasion] if shown[fault])


@dataclass(frozen=True)
class Statement:
    """Lines `first` to `last` of a text, from 1."""

    first: int
    last: int

    def of(self, lines: Sequence[bytes]) -> bytes:
        """Its text."""
        return b"".join(lines[self.first - 1 : self.last])


def whole_beginnings(lines: Sequence[bytes], parsed: Parsed) -> list[int]:
    """After how many lines the text may be cut, 0 first and all of it last."""
    cuts = [
        number
        for number, whole in enumerate(parsed.cuts, 1)
        if whole and number < len(lines) and not shell_files.continues(lines[number - 1])
    ]
    return [0, *cuts, len(lines)]


def blamed(cuts: Sequence[int], shows: Callable[[int], bool]) -> Statement:
    """The statement after which `shows` becomes true; it is false of nothing (cut 0) and true of the whole.

    Where it comes and goes, one of the places where it comes.
    """
    low, high = 0, len(cuts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if shows(cuts[middle]):
            high = middle
        else:
            low = middle
    return Statement(cuts[low] + 1, cuts[high])


def unreadable(
    lines: Sequence[bytes], parsed: Parsed, complaint_line: int | None, parses: Callable[[bytes], bool]
) -> Statement | None:
    """The lines without which the shell can read the text; None when leaving out lines does not help.

    Of a statement that is never closed, its opening line goes, and those that are indented below it: they would else
    run whatever the condition says.
    """
    cuts = whole_beginnings(lines, parsed)[:-1]
    begin = cuts[-1] + 1
    candidates = []
    if complaint_line is not None and begin <= complaint_line <= len(lines):
        candidates.append(Statement(complaint_line, complaint_line))
    candidates.append(Statement(begin, shell_files.indented_end(lines, begin)))
    candidates += [Statement(begin, last) for last in range(begin, len(lines) + 1)]
    content = b"".join(lines)
    for statement in dict.fromkeys(candidates):
        if parses(shell_files.commented_out(content, statement.first, statement.last, "# ")):
            return statement
    return None
