"""What `command` and `shell` share: when they run, and what they register."""

from __future__ import annotations

import posixpath
import re
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, ModuleArgs, PathText, Result, Text, UnknownValue
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply

UNKNOWN = ("rc", "stdout", "stderr", "stdout_lines", "stderr_lines", "start", "end", "delta")
"""What is registered by a program, and known only when it has run."""


class ProgramArgs(ModuleArgs):
    """A program that is run as the account, in a clean environment, from the home."""

    chdir: PathText | None = Field(None, description="Where it runs; the home when not given.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is run.")
    removes: Text | None = Field(None, description="A path or glob: when it does not exist, nothing is run.")
    stdin: Text | None = Field(None, description="What it reads; it never reads from a terminal.")
    stdin_add_newline: Boolean = Field(default=True, description="End stdin with a line feed.")
    strip_empty_ends: Boolean = Field(default=True, description="Strip line feeds at the end of what is registered.")


def run(args: ProgramArgs, host: HostView, argv: tuple[str, ...], cmd: str | list[str]) -> Result:
    """Plan one run of a program, unless `creates` or `removes` says that it is not needed."""
    reason = reason_not_to_run(host, args.creates, args.removes, args.chdir)
    if reason:
        return Result(values={"cmd": cmd, **not_run(reason)}, message=f"not run, since {reason}")
    text = args.stdin or ""
    if text and args.stdin_add_newline and not text.endswith("\n"):
        text += "\n"
    cwd = host.path(args.chdir) if args.chdir else None
    shown = cmd if isinstance(cmd, str) else " ".join(cmd)
    host.run(Run(argv, cwd, stdin=text.encode("utf-8", "surrogateescape")), f"run {shown}")
    unknown = UnknownValue(f"what `{shown}` says")
    values: dict[str, Any] = {"cmd": cmd, **dict.fromkeys(UNKNOWN, unknown)}
    return Result(changed=True, values=values, unprovable=not args.creates and not args.removes)


def not_run(reason: str) -> dict[str, Any]:
    """What is registered of a program that `creates` or `removes` holds back."""
    text = f"skipped, since {reason}"
    told = {"rc": 0, "stdout": text, "stdout_lines": [text], "stderr": "", "stderr_lines": []}
    words = reason.rsplit(" exists", 1)[0].rsplit(" does not exist", 1)[0]
    msg = f"Did not run command since '{words}' {reason[len(words) + 1 :]}"
    return {**told, "start": None, "end": None, "delta": None, "msg": msg}


def finish(args: ProgramArgs, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What the program said, and that it failed when its exit status is not 0."""
    if not runs:
        return planned
    reply = runs[-1]
    values = {**planned.values, **said(reply, strip=args.strip_empty_ends), **when(reply.times), "msg": ""}
    failed = reply.status != 0
    if failed:
        values["msg"] = "non-zero return code"
    message = f"it ended with status {reply.status}" if failed else ""
    return Result(changed=True, values=values, message=message, failed=failed, unprovable=planned.unprovable)


def said(reply: RunReply, *, strip: bool) -> dict[str, Any]:
    """Exit status and output by the names that Ansible registers them under."""
    stdout, stderr = (_text(data, strip=strip) for data in (reply.stdout, reply.stderr))
    return {
        "rc": reply.status,
        "stdout": stdout,
        "stderr": stderr,
        "stdout_lines": stdout.splitlines(),
        "stderr_lines": stderr.splitlines(),
    }


def when(times: tuple[str, ...]) -> dict[str, str | None]:
    """`start`, `end` and `delta` of a program, by the host's clock; None for what it does not tell."""
    try:
        start, end = (datetime.strptime(time[:26], "%Y-%m-%d %H:%M:%S.%f") for time in times)  # noqa: DTZ007 - only shown
    except ValueError:
        return {"start": None, "end": None, "delta": None}
    return {"start": str(start), "end": str(end), "delta": str(end - start)}


def _text(data: bytes, *, strip: bool) -> str:
    text = data.decode("utf-8", "replace")
    return text.rstrip("\r\n") if strip else text


def reason_not_to_run(host: HostView, creates: str | None, removes: str | None, chdir: str | None = None) -> str:
    """Why `creates` or `removes` holds a program back, or ""."""
    if creates and exists(host, creates, chdir):
        return f"{creates} exists"
    if removes and not exists(host, removes, chdir):
        return f"{removes} does not exist"
    return ""


def exists(host: HostView, pattern: str, chdir: str | None = None) -> bool:
    """Whether anything matches the path or glob (`*`, `?`, `[…]`); a dangling link does not count, as in Ansible."""
    if chdir and not pattern.startswith(("/", "~", "$HOME", "${HOME}")):
        pattern = posixpath.join(host.path(chdir), pattern)
    pattern = host.path(pattern)
    if not any(character in pattern for character in "*?["):
        return host.entry(pattern, follow=True).exists
    # Hosts know `*` only; the rest is told apart here.
    wider = re.sub(r"\[[^/\]]*\]|\?", "*", pattern)
    return any(_matches(path, pattern) for path in host.names(wider))


def _matches(path: str, pattern: str) -> bool:
    return all(fnmatchcase(part, wanted) for part, wanted in zip(path.split("/"), pattern.split("/"), strict=True))
