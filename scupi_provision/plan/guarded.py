"""Which paths that decide about logins a step may change, as far as a plan can tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from scupi_provision.plan.models import Step
from scupi_provision.shell.actions import Action, Extract, Recheck, Remove, Run, Touch
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.guarding import Guarded
from scupi_provision.shell.login import START_UP_FILES

_SSH_FILES = (".ssh", ".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/config", ".ssh/rc", ".ssh/environment")
"""What sshd and the shells that it starts read, and ssh on the way to the next host: sshd(8), FILES; ssh_config(5)."""
_CURRENT = ".provision/current"
"""What new shells read of ours (`host.generation`)."""
_SSH = ".ssh"

_MENTIONED = re.compile(
    r"(?<![\w.])(?P<file>" + "|".join(re.escape(name) for name in START_UP_FILES) + r")(?![\w-]|\.\w)"
    r"|(?P<ssh>\.ssh\b|\bauthorized_keys)"
    r"|(?P<init>\b(?:conda|mamba|micromamba)\b[^\n;|&]*\binit\b)"
)
"""A program's text that names such a file, or does what is known to write into one."""


def with_guards(stream: Sequence[Turn], steps: Sequence[Step], home: str, seconds: int) -> list[Turn]:
    """The stream with every turn marked that may change how the account at `home` logs in.

    A program that says what it writes is taken at its word; of any other, its text has to name the file. Such a turn is
    never left running: what it has written could not be told from what others write.

    Args:
        stream: What is to be done.
        steps: What the numbers of its turns mean.
        home: The account's home.
        seconds: How long the host waits for a verdict.
    """
    marked = []
    for turn in stream:
        step = steps[turn.number] if turn.number < len(steps) else None
        found = guarded_paths(turn.actions, step, home)
        marked.append(turn._replace(guarded=found, guard_s=seconds, aside=False) if found else turn)
    return marked


def guarded_paths(actions: Sequence[Action], step: Step | None, home: str) -> tuple[Guarded, ...]:
    """What of the files that decide about logins these actions may change, in order.

    Args:
        actions: In order.
        step: What they are for; a file that is reached by a link of a guarded name is guarded as well.
        home: The account's home.
    """
    linked = step is not None and any(
        entry.kind is Kind.LINK and _decides(path, home) for path, entry in step.reads.items()
    )
    found: dict[str, Guarded] = {}
    for action in actions:
        for one in _of_action(action, home, linked=linked):
            found.setdefault(one.path, one)
    return tuple(found.values())


def _of_action(action: Action, home: str, *, linked: bool) -> Iterable[Guarded]:
    if isinstance(action, Recheck):
        return ()
    if isinstance(action, Extract):
        return _in_roots([action.directory], home)
    if isinstance(action, Run):
        return _in_roots(action.writes, home) if action.writes is not None else _named(action, home)
    if isinstance(action, Touch) and action.expect and action.expect.exists and action.expect.mode == action.mode:
        return ()
    emptied = isinstance(action, Remove) and action.recursive
    return (Guarded(action.path, whole=emptied),) if linked or _decides(action.path, home) else ()


def _decides(path: str, home: str) -> bool:
    return path == home or path in _standard(home) or path.startswith(f"{home}/{_SSH}/")


def _standard(home: str) -> tuple[str, ...]:
    return tuple(f"{home}/{name}" for name in (*START_UP_FILES, *_SSH_FILES, _CURRENT))


def _in_roots(roots: Iterable[str], home: str) -> Iterable[Guarded]:
    return [Guarded(path) for path in _standard(home) for root in roots if f"{path}/".startswith(f"{root}/")]


def _named(action: Run, home: str) -> Iterable[Guarded]:
    text = "\n".join([*action.argv, action.stdin.decode("utf-8", "replace")])
    names: list[str] = []
    for match in _MENTIONED.finditer(text):
        names += [match["file"]] if match["file"] else _SSH_FILES if match["ssh"] else START_UP_FILES
    return [Guarded(f"{home}/{name}") for name in dict.fromkeys(names)]
