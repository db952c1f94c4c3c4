"""Putting start-up files right: guilty lines become comments, behind a copy of the file as it was."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence

from scupi_provision.access import shell_files
from scupi_provision.errors import StalePlanError, StepFailedError
from scupi_provision.host.recovery import Fault, Finding, ModeFinding, Repaired, Restored
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.session import Session, refusal
from scupi_provision.shell.actions import Action, CopyFile, Remove, SetMode, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import DeniedReply, LockedReply, StepFailed, StepStale

MARK = "# provision rescue {date}: "
"""What a line begins with that was taken out of use."""
_BACKUP = ".before-rescue-"
_NUMBER = re.compile(re.escape(_BACKUP) + r"(\d+)$")

FORBIDDEN = stat.S_IWGRP | stat.S_IWOTH
"""sshd(8), StrictModes: home, ~/.ssh and authorized_keys may be written by their owner only."""


def repaired(content: bytes, findings: Sequence[Finding], date: str) -> bytes:
    """The content of one file without what was found in it; every other byte as it was."""
    if any(finding.fault is Fault.WINDOWS for finding in findings):
        content = shell_files.with_unix_lines(content)
    for finding in findings:
        if finding.fault is not Fault.WINDOWS:
            content = shell_files.commented_out(content, finding.first, finding.last, MARK.format(date=date))
    return content


def repair(session: Session, findings: Sequence[Finding], date: str) -> Iterator[Repaired]:
    """Put each file right, all or nothing for each.

    Raises:
        StalePlanError: Somebody has changed a file meanwhile.
        ProvisionError: The host did not do it.
    """
    for path in dict.fromkeys(finding.path for finding in findings):
        yield _replace(session, path, [finding for finding in findings if finding.path == path], date)


def _replace(session: Session, path: str, findings: Sequence[Finding], date: str) -> Repaired:
    snapshot = read(session, [path])
    entry, content = snapshot.entries[path], snapshot.contents[path]
    name = path.removesuffix(shell_files.ASIDE)
    backup = f"{name}{_BACKUP}{_last_backup(session, name) + 1}"
    new = repaired(content, findings, date)
    _perform(session, [WriteFile(path, new, entry.mode or 0o644, entry, backup)])
    return Repaired(path, backup)


def restore(session: Session, paths: Sequence[str]) -> Iterator[Restored]:
    """Give each file the bytes that it had before the last rescue; what it has now is kept as one more copy."""
    for path in paths:
        number = _last_backup(session, path)
        if not number:
            continue
        old, backup = f"{path}{_BACKUP}{number}", f"{path}{_BACKUP}{number + 1}"
        snapshot = read(session, [path, old])
        entry, mode = snapshot.entries[path], snapshot.entries[old].mode or 0o644
        kept = backup if entry.kind is Kind.FILE else None
        _perform(session, [WriteFile(path, snapshot.contents[old], mode, entry, kept)])
        yield Restored(path, old, kept or "")


def put_back(session: Session, names: Sequence[str], home: str) -> Iterator[Restored]:
    """Give files that are out of the way, and are not in the way any more, their own names again."""
    aside = {f"{home}/{name}": f"{home}/{name}{shell_files.ASIDE}" for name in names}
    entries = read(session, [*aside, *aside.values()]).entries
    for path, other in aside.items():
        if entries[other].kind is Kind.FILE and entries[path].kind is Kind.ABSENT:
            copy = CopyFile(other, path, entries[other].mode or 0o644, entries[path])
            _perform(session, [copy, Remove(other, expect=entries[other])])
            yield Restored(path, other, "")


def set_modes(session: Session, findings: Sequence[ModeFinding]) -> Iterator[Repaired]:
    """Take the permissions away with which sshd does not accept keys."""
    for finding in findings:
        _perform(session, [SetMode(finding.path, finding.wanted)])
        yield Repaired(finding.path)


def read(session: Session, paths: Sequence[str]) -> Snapshot:
    """What is at these paths, with contents."""
    snapshot = Snapshot()
    wanted = dict.fromkeys(paths)
    session.read(Needs(entries=wanted, contents=wanted), snapshot)
    return snapshot


def _last_backup(session: Session, path: str) -> int:
    """The number of the youngest copy of before a rescue, 0 when there is none."""
    pattern = f"{path}{_BACKUP}*"
    snapshot = Snapshot()
    session.read(Needs(names={pattern: None}), snapshot)
    numbers = [int(match[1]) for name in snapshot.names[pattern] if (match := _NUMBER.search(name))]
    return max(numbers, default=0)


def _perform(session: Session, actions: Sequence[Action]) -> None:
    for reply in session.perform([Turn(0, actions)], keeps_proof=True):
        if isinstance(reply, StepFailed):
            raise StepFailedError("the host could not repair it", detail=f"{reply.why}\n{reply.output}".strip())
        if isinstance(reply, StepStale):
            raise StalePlanError("a start-up file has changed meanwhile", detail=reply.why, hint="run rescue again")
        if isinstance(reply, LockedReply | DeniedReply):
            raise refusal(reply)
