"""`expect` on what a program says."""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Claim, Result, UnknownValue
from scupi_provision.modules.words import split_words
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply

_TIMED_OUT = 124
_MOST_SEEN = 300
"""Characters of output that are shown as what was seen."""


def plan(args: Any, host: HostView) -> Result:
    """Plan the run; `claims` judges it."""
    argv = ("/bin/sh", "-c", args.shell) if args.shell is not None else tuple(split_words(args.command, "command"))
    action = Run(
        argv,
        cwd=host.path(args.chdir) if args.chdir else None,
        environment=tuple(sorted(args.environment.items())),
        timeout_s=args.timeout,
        writes=(),
        fails_when_nonzero=False,
        login=args.login_shell,
    )
    host.run(action, f"test {_subject(args)}")
    unknown = UnknownValue(f"what {_subject(args)} says")
    return Result(values=dict.fromkeys(("rc", "stdout", "stderr"), unknown))


def _subject(args: Any) -> str:
    where = " in a fresh login shell" if args.login_shell else ""
    return f"`{args.command if args.shell is None else args.shell}`{where}"


def claims(args: Any, reply: RunReply) -> tuple[Claim, ...]:
    """What `expect: command=…` claims, one claim for each thing that was asked for."""
    subject = _subject(args)
    if reply.status == _TIMED_OUT:
        return (Claim(passed=False, expected=f"{subject} to end within {args.timeout} s", seen="it did not"),)
    stdout, stderr = _text(reply.stdout), _text(reply.stderr)
    found = []
    if args.stdout is not None:
        found.append(Claim(stdout == args.stdout.strip(), f"{subject} to print {args.stdout.strip()!r}", _seen(stdout)))
    if args.stdout_contains is not None:
        passed = args.stdout_contains in stdout
        found.append(Claim(passed, f"{subject} to print {args.stdout_contains!r} somewhere", _seen(stdout)))
    if args.stdout_matches is not None:
        passed = re.search(args.stdout_matches, stdout) is not None
        found.append(Claim(passed, f"{subject} to print what matches {args.stdout_matches!r}", _seen(stdout)))
    if args.stdout_lacks is not None:
        passed = args.stdout_lacks not in stdout
        found.append(Claim(passed, f"{subject} not to print {args.stdout_lacks!r}", _seen(stdout)))
    if args.stderr_contains is not None:
        passed = args.stderr_contains in stderr
        found.append(Claim(passed, f"{subject} to print {args.stderr_contains!r} to stderr", _seen(stderr)))
    if not found or "rc" in args.model_fields_set or reply.status != args.rc:
        seen = f"{reply.status}" + (f": {_seen(stderr)}" if stderr and reply.status != args.rc else "")
        found.append(Claim(reply.status == args.rc, f"{subject} to end with status {args.rc}", seen))
    return tuple(found)


def values(reply: RunReply) -> dict[str, Any]:
    """What is registered."""
    stdout, stderr = _text(reply.stdout), _text(reply.stderr)
    return {
        "rc": reply.status,
        "stdout": stdout,
        "stderr": stderr,
        "stdout_lines": stdout.splitlines(),
        "stderr_lines": stderr.splitlines(),
    }


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()


def _seen(text: str) -> str:
    if not text:
        return "nothing"
    return text if len(text) <= _MOST_SEEN else f"…{text[-_MOST_SEEN:]}"
