"""One start-up file, looked at by trial until a shell comes through it: what has to be taken out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from scupi_provision.access import shell_files
from scupi_provision.access.shell_files import StartFile
from scupi_provision.errors import StepFailedError
from scupi_provision.host.recovery import Fault, Finding
from scupi_provision.run.rescuing.search import Statement, blamed, faults_of, unreadable, whole_beginnings
from scupi_provision.shell import rescuing
from scupi_provision.shell.replies import FactReply
from scupi_provision.shell.rescuing import Parsed, Trial

_QUICK_S = 3
"""How long a beginning of a file may take while the line is sought that makes it hang."""
_MOST_FINDINGS = 20
"""In one file; more than that is no repair."""
_MOST_DEPTH = 3
"""How far files are followed that source others."""
_MOST_LINES = 2000
_LINE = re.compile(r"\bline (\d+):|\btext:(\d+):|\bbegin:(\d+):")
_OWN_NAME = re.compile(r"\S*/provision-rescue\.\w+/(?:text|begin):?\s*")

Ask = Callable[[str], list[FactReply]]
"""Sends a question of `shell.rescuing` to the host."""
Read = Callable[[str], bytes | None]
"""The content of a file of the host, None when there is none that can be read."""


@dataclass(frozen=True)
class Examiner:
    """Looks at the start-up files of an account. What it asks changes nothing on the host.

    Attributes:
        ask: Asks the host.
        read: Reads a file of it.
        shell: The account's login shell.
        home: The account's home.
        patience_s: How long a login may take.
    """

    ask: Ask
    read: Read
    shell: str
    home: str
    patience_s: int

    def examine(self, file: StartFile, path: str, content: bytes) -> Iterator[Finding]:
        """What is wrong in a file, in the order in which it is found: each once those before are out of use.

        Args:
            file: Which start-up file it is.
            path: Where it is; somewhere else than its name says when that is a link.
            content: Its bytes.
        """
        if shell_files.has_windows_lines(content):
            last = len(shell_files.lines_of(content))
            yield _found(path, content, Statement(1, last), Fault.WINDOWS, file)
            content = shell_files.with_unix_lines(content)
        yield from self._examine(_Text(file, path, content), 0)

    def _examine(self, text: _Text, depth: int) -> Iterator[Finding]:
        for _ in range(_MOST_FINDINGS):
            finding = self._worst(text, depth)
            if finding is None:
                return
            yield finding
            if finding.path != text.path:  # it is in a file that this one sources, and must be put right there first
                return
            text = text.without(Statement(finding.first, finding.last))

    def _worst(self, text: _Text, depth: int) -> Finding | None:
        parsed = self._parsed(text)
        if parsed.complaint:
            statement = self._unreadable(text, parsed)
            return text.found(statement, Fault.SYNTAX, _words(parsed.complaint)) if statement else None
        trial = self._trial(text.whole, text.file, self.patience_s)
        faults = faults_of(trial, text.file.occasion)
        if not faults:
            return None
        statement = self._blamed(text, parsed, faults[0])
        lines = shell_files.lines_of(text.content)
        if text.file.occasion == "person" and shell_files.replaces_shell(statement.of(lines)):
            return None  # a person's own choice, which needs the terminal that a trial has not
        inner = self._sourced(text, statement, faults[0], depth)
        return inner or text.found(self._cause(text, statement, faults[0]), faults[0], _words(trial.said))

    # --- asking -------------------------------------------------------------------------------------------------------

    def _parsed(self, text: _Text) -> Parsed:
        lines = shell_files.lines_of(text.content)
        if text.file.dialect == "csh":
            return Parsed(shell_files.csh_wholes(lines), "")
        count = len(lines)
        question = rescuing.parse(text.content, text.file.dialect, self._reader(text.file), min(count, _MOST_LINES))
        return rescuing.parsed(self.ask(question))

    def _trial(self, content: bytes, file: StartFile, limit_s: int) -> Trial:
        question = rescuing.trial(content, file.occasion, file.dialect, self._reader(file), max(limit_s, 2))
        trial = rescuing.tried(self.ask(question))
        if trial is None:
            raise StepFailedError(
                "the host cannot try start-up files out",
                detail="it has no room in /tmp or may not write there, or a start-up file forbids it (`ulimit -f`)",
                hint="make room in /tmp; look for ulimit in the account's start-up files",
            )
        return trial

    def _reader(self, file: StartFile) -> str:
        return "/bin/sh" if file.occasion == "server" else self.shell

    # --- finding who is to blame --------------------------------------------------------------------------------------

    def _blamed(self, text: _Text, parsed: Parsed, fault: Fault) -> Statement:
        lines = shell_files.lines_of(text.content)
        cuts = whole_beginnings(lines, parsed)

        def shows(cut: int, limit_s: int) -> bool:
            begin = text.before + b"".join(lines[:cut])
            return fault in faults_of(self._trial(begin, text.file, limit_s), text.file.occasion)

        limit_s = min(_QUICK_S, self.patience_s) if fault is Fault.HANGS else self.patience_s
        statement = blamed(cuts, lambda cut: shows(cut, limit_s))
        if limit_s < self.patience_s and statement.first > 1 and shows(statement.first - 1, self.patience_s):
            statement = blamed(cuts, lambda cut: shows(cut, self.patience_s))  # all of it is slow: take the time
        return statement

    def _unreadable(self, text: _Text, parsed: Parsed) -> Statement | None:
        lines = shell_files.lines_of(text.content)
        match = _LINE.search(parsed.complaint)
        number = int(next(filter(None, match.groups()))) if match else None
        return unreadable(lines, parsed, number, lambda content: not self._parsed(text.as_of(content)).complaint)

    def _cause(self, text: _Text, statement: Statement, fault: Fault) -> Statement:
        """`set -e` rather than the command that it does not forgive."""
        lines = shell_files.lines_of(text.content)
        number = shell_files.line_of_errexit(lines, statement.first) if fault is Fault.ENDS else None
        if number is None:
            return statement
        cause = Statement(number, number)
        begin = _Text(text.file, text.path, b"".join(lines[: statement.last]), text.before).without(cause)
        return (
            statement if fault in faults_of(self._trial(begin.whole, text.file, self.patience_s), "command") else cause
        )

    def _sourced(self, text: _Text, statement: Statement, fault: Fault, depth: int) -> Finding | None:
        """What is wrong in the file that the statement reads, when that is where it lies."""
        lines = shell_files.lines_of(text.content)
        path = shell_files.sourced_file(statement.of(lines), self.home)
        content = self.read(path) if path and depth < _MOST_DEPTH else None
        if path is None or content is None:
            return None
        inner = _Text(text.file, path, content, text.before + b"".join(lines[: statement.first - 1]))
        if fault not in faults_of(self._trial(inner.whole, text.file, self.patience_s), text.file.occasion):
            return None
        return next(self._examine(inner, depth + 1), None)


@dataclass(frozen=True)
class _Text:
    """What is tried: the text of a file, behind what its shell has read before."""

    file: StartFile
    path: str
    content: bytes
    before: bytes = b""

    @property
    def whole(self) -> bytes:
        return self.before + self.content

    def as_of(self, content: bytes) -> _Text:
        return replace(self, content=content)

    def without(self, statement: Statement) -> _Text:
        return self.as_of(shell_files.commented_out(self.content, statement.first, statement.last, "# "))

    def found(self, statement: Statement, fault: Fault, said: str) -> Finding:
        return _found(self.path, self.content, statement, fault, self.file, said)


def _found(path: str, content: bytes, statement: Statement, fault: Fault, file: StartFile, said: str = "") -> Finding:
    lines = shell_files.lines_of(content)
    shown = statement.of(lines).decode("utf-8", "replace").rstrip()
    ours = any(shell_files.in_our_block(lines, number) for number in range(statement.first, statement.last + 1))
    return Finding(path, statement.first, statement.last, shown, fault, file.occasion, said, ours=ours)


def _words(said: str) -> str:
    """The last line of what a shell says, without the name that the trial gave the file."""
    lines = [_OWN_NAME.sub("", line).strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if line), "")
