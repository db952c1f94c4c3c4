"""A person's own login on a host, or one command there, by the ssh program of this computer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from scupi_provision.access.ssh_config import config_text, known_lines
from scupi_provision.errors import InputError, StepFailedError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.onward import split_route
from scupi_provision.run.opened import opened
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.run.session import refusal
from scupi_provision.run.ssh_config import entries_of_way
from scupi_provision.shell.actions import Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import DeniedReply, LockedReply, RunReply, StepFailed
from scupi_provision.shell.words import words
from scupi_provision.transport.base import Route
from scupi_provision.transport.opening import open_transport
from scupi_provision.transport.route import check_route

SSH_FAILED = 255
"""How ssh says that it could not log in; a command may end so too (ssh(1), EXIT STATUS)."""

_LIMIT_S = 24 * 3600
_DOWNLOAD = "Windows: Settings, Optional features, OpenSSH Client; Linux: the package openssh-client"


@dataclass(frozen=True)
class SshWish:
    """What somebody wants on a host.

    Attributes:
        command: A program and its arguments; empty for a shell.
        terminal: Whether a command is given a terminal, as `ssh -t` does.
    """

    command: tuple[str, ...] = ()
    terminal: bool = False


@dataclass(frozen=True)
class SshEnded:
    """How it ended.

    Attributes:
        status: The exit status: the command's own, or 255 when ssh itself failed.
        stdout, stderr: What the command wrote, where that did not go to our own streams.
    """

    status: int
    stdout: bytes = b""
    stderr: bytes = b""


def log_in(
    inventory: Inventory, request: RunRequest, host: Host, wish: SshWish, tell: Callable[[str], None]
) -> SshEnded:
    """Run ssh on our own streams until it ends.

    A login node that turns out to forward nothing is gone through by its own ssh, or by a job; `tell` is told.

    Raises:
        InputError: The host is this machine, or there is no ssh and no command to do without it.
        UnreachableError: ssh failed on the way, and so did we: the reason is in it.
    """
    if connection_of(host, request) == "local":
        raise InputError(f"{host.base} is this machine", hint="run the command as it is")
    route = route_to(host, inventory, request)
    check_route(route)
    program = shutil.which("ssh")
    if program is None:
        return _without_ssh(inventory, request, host, wish)
    with _private_folder(inventory, request, host) as folder:
        status = _run(_command(program, folder, inventory, request, host, route, wish))
        if status != SSH_FAILED or len(route) == 1 or route[-1].reach != "auto":
            return SshEnded(status)
        with closing(open_transport(route, "ssh", request.person, tell=tell)) as way:
            reach, why = way.way, way.explanation
        if reach == "jump":
            return SshEnded(status)
        tell(why)
        route = (*route[:-1], replace(route[-1], reach=reach))
        return SshEnded(_run(_command(program, folder, inventory, request, host, route, wish)))


@contextmanager
def _private_folder(inventory: Inventory, request: RunRequest, host: Host) -> Iterator[Path]:
    """A configuration of our own: the hosts first, then the user's and the system's, so that nothing of theirs is lost.

    Keys that the inventory pins are in a file beside it: nothing in ~/.ssh is written for a login.
    """
    with tempfile.TemporaryDirectory(prefix="provision-ssh-") as name:
        folder = Path(name)
        pins = folder / "pins"
        entries = entries_of_way(inventory, request, host)
        lines = [line for entry in entries for line in known_lines(entry)]
        pins.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        entries = [replace(entry, known_hosts=(*entry.known_hosts, pins.as_posix())) for entry in entries]
        text = config_text(entries, [path.as_posix() for path in _usual_files() if path.is_file()])
        (folder / "config").write_text(text, encoding="utf-8")
        yield folder


def _usual_files() -> tuple[Path, ...]:
    """What ssh reads when nobody tells it otherwise (ssh_config(5); on Windows below %PROGRAMDATA%)."""
    system = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "ssh" if os.name == "nt" else Path("/etc/ssh")
    return (Path.home() / ".ssh/config", system / "ssh_config")


def _command(
    program: str, folder: Path, inventory: Inventory, request: RunRequest, host: Host, route: Route, wish: SshWish
) -> list[str]:
    terminal = wish.terminal or not wish.command
    ours, command = split_route(route, words(*wish.command) if wish.command else "", terminal=terminal)
    alias = entries_of_way(inventory, request, host)[len(ours) - 1].alias
    flags = ["-t"] if terminal and command else []
    return [program, "-F", str(folder / "config"), *flags, alias, *(["--", command] if command else [])]


def _run(command: Sequence[str]) -> int:
    """Ctrl-C belongs to ssh while it runs; a handler of Python's is not inherited, an ignored signal would be."""
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        status = subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def _without_ssh(inventory: Inventory, request: RunRequest, host: Host, wish: SshWish) -> SshEnded:
    if not wish.command or wish.terminal:
        raise InputError("this computer has no ssh program, which a terminal on a host needs", hint=_DOWNLOAD)
    action = Run(wish.command, timeout_s=_LIMIT_S, phase="ssh", writes=(), fails_when_nonzero=False)
    with opened(inventory, request, host, "ssh") as link:
        for reply in link.session.perform([Turn(0, [action])], keeps_proof=True):
            if isinstance(reply, RunReply):
                return SshEnded(reply.status, reply.stdout, reply.stderr)
            if isinstance(reply, LockedReply | DeniedReply):
                raise refusal(reply)
            if isinstance(reply, StepFailed):
                raise StepFailedError(f"{host.base}: the command could not be started", detail=reply.why)
    raise StepFailedError(f"{host.base}: the command did not run", hint="run the same command again")
