"""One command or shell on a node, run as OpenSSH's sshd runs it.

The command goes to `bash -c` with a fresh environment; bash sees SSH_CLIENT and no SHLVL and therefore reads ~/.bashrc,
as on a real node. Standard input, output and error are pipes, or one terminal when the client asked for one.

When the connection or the channel is lost, only the pipes are closed: the command sees the end of its input, and
SIGPIPE if it writes. It is not killed; a real sshd does not kill it either. A terminal is hung up, which sends SIGHUP.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from scupi_provision.lab.home import SEARCH_PATH_VARIABLE
from scupi_provision.lab.layout import ACCOUNT

_CHUNK = 1 << 16
_ACCEPTED_VARIABLES = ("LANG", "LC_")

Process = asyncssh.SSHServerProcess[bytes]


@dataclass(frozen=True)
class Node:
    """One host of the lab: its name, its PATH and the home it shares."""

    name: str
    search_path: str
    home: Path


@dataclass(frozen=True)
class _Wires:
    """File descriptors of one command: three for the child, and our ends (stderr is -1 with a terminal)."""

    child: tuple[int, int, int]
    stdin: int
    stdout: int
    stderr: int


async def run_session(node: Node, process: Process, on_start: Callable[[int], None]) -> None:
    """Run what the client asked for until it ends, and report its exit status or signal.

    Args:
        node: Where it runs.
        process: The client's request.
        on_start: Told the process id (also its session's and group's id).
    """
    wires = _open_wires(process)
    try:
        child = await _spawn(node, process, wires)
    finally:
        for descriptor in set(wires.child):
            os.close(descriptor)
    on_start(child.pid)
    lost = asyncio.create_task(process.channel.wait_closed())
    carrying = asyncio.create_task(_carry(process, child, wires))
    await asyncio.wait({lost, carrying}, return_when=asyncio.FIRST_COMPLETED)
    lost.cancel()
    carrying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await carrying
    status = await child.wait()
    if not process.channel.is_closing():
        _report(process, status)


def environment(node: Node, process: Process) -> dict[str, str]:
    """The fresh environment that sshd gives a command; of the client's variables only LANG and LC_* come in."""
    # gpu2 is reached over a socket pair, which has no address: there the peer is admin1.
    peer, port = (process.get_extra_info("peername") or ("127.0.0.1", 22))[:2]
    variables = {
        "HOME": str(node.home),
        "USER": ACCOUNT,
        "LOGNAME": ACCOUNT,
        "SHELL": _shell(),
        "PATH": node.search_path,
        SEARCH_PATH_VARIABLE: node.search_path,
        "HOSTNAME": node.name,
        "LANG": "C.UTF-8",
        "SSH_CLIENT": f"{peer} {port} 22",
        "SSH_CONNECTION": f"{peer} {port} 127.0.0.1 22",
    }
    variables |= {n: value for n, value in process.env.items() if n.startswith(_ACCEPTED_VARIABLES)}
    if process.term_type:
        variables["TERM"] = process.term_type
    return variables


def _shell() -> str:
    return "/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh"


async def _spawn(node: Node, process: Process, wires: _Wires) -> asyncio.subprocess.Process:
    shell = _shell()
    name = Path(shell).name
    # A leading dash is how login(1) and sshd tell a shell that it is a login shell.
    arguments = [name, "-c", process.command] if process.command is not None else [f"-{name}"]
    terminal = bool(process.term_type)
    return await asyncio.create_subprocess_exec(
        *arguments,
        executable=shell,
        stdin=wires.child[0],
        stdout=wires.child[1],
        stderr=wires.child[2],
        cwd=node.home,
        env=environment(node, process),
        start_new_session=True,
        preexec_fn=_take_terminal if terminal else None,
    )


def _take_terminal() -> None:
    """Make the terminal on stdin the controlling one of the child's new session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _open_wires(process: Process) -> _Wires:
    if process.term_type:
        master, slave = pty.openpty()
        _resize(master, *process.term_size)
        return _Wires((slave, slave, slave), stdin=os.dup(master), stdout=master, stderr=-1)
    child_in, stdin = os.pipe()
    stdout, child_out = os.pipe()
    stderr, child_err = os.pipe()
    return _Wires((child_in, child_out, child_err), stdin, stdout, stderr)


def _resize(terminal: int, columns: int, rows: int, width: int, height: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, width, height))


async def _carry(process: Process, child: asyncio.subprocess.Process, wires: _Wires) -> None:
    """Carry bytes both ways until the command and its output have ended; close our ends in every case."""
    stdin = await _open_writer(wires.stdin)
    outputs = [(process.stdout, await _open_reader(wires.stdout))]
    if wires.stderr >= 0:
        outputs.append((process.stderr, await _open_reader(wires.stderr)))
    feeding = asyncio.create_task(_feed(process, child, stdin, wires))
    try:
        await asyncio.gather(child.wait(), *(_drain(reader, sink) for sink, (reader, _) in outputs))
    finally:
        feeding.cancel()
        _drop(stdin.transport)
        for _, (_, transport) in outputs:
            transport.close()


def _drop(pipe: asyncio.WriteTransport) -> None:
    """Close at once: input that the command has not read must not keep its pipe open when the client is gone."""
    if pipe.get_write_buffer_size() or not pipe.is_closing():
        pipe.abort()


async def _feed(
    process: Process, child: asyncio.subprocess.Process, stdin: asyncio.StreamWriter, wires: _Wires
) -> None:
    """Pass on what the client types, its signals, its window size, and the end of its input."""
    while True:
        try:
            data = await process.stdin.read(_CHUNK)
            if not data:
                break
            stdin.write(data)
            await stdin.drain()
        except asyncssh.TerminalSizeChanged as size:
            _resize(wires.stdin, size.width, size.height, size.pixwidth, size.pixheight)
        except asyncssh.SignalReceived as received:
            _send_signal(child.pid, received.signal)
        except asyncssh.BreakReceived:
            continue  # a serial line's break means nothing to a pipe
        except (asyncssh.Error, OSError):
            break  # the command stopped reading, or the client is gone
    if not process.term_type:
        # Closing one end of a terminal would not end its input; the client's own ^D does.
        stdin.close()


def _send_signal(group: int, name: str) -> None:
    number = getattr(signal, f"SIG{name}", None)
    if number is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


async def _drain(reader: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    while True:
        try:
            data = await reader.read(_CHUNK)
        except OSError:
            return  # a terminal whose last process is gone reads as EIO on Linux
        if not data:
            return
        try:
            sink.write(data)
            await sink.drain()
        except (asyncssh.Error, OSError):
            return  # the client is gone


def _report(process: Process, status: int) -> None:
    if status >= 0:
        process.exit(status)
    else:
        process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))


async def _open_reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_CHUNK)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader, transport


async def _open_writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(descriptor, "wb", 0)
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)
