"""A Jupyter server that answers here, and those that there are, as people read it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone

from rich.console import Console
from rich.text import Text

from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.report import style
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import counted, duration


def print_serving(console: Console, node: str, server: JupyterServer, version: str, *, joined: bool) -> None:
    """`Jupyter 2.17 runs on gpu2 in ~/envs/torch`, or that one was found which runs already."""
    since = f"has run for {_age(server.since)} already; joined it" if joined else "was started"
    heading = Text(f"Jupyter on {visible(node)} ", style=style.HEADING)
    heading.append(f"(server {visible(version)}, {visible(server.environment)}) {since}", style="not bold")
    console.print(heading, soft_wrap=True)
    if not server.token.reveal():
        text = "your own ~/.jupyter configuration turns the token off; only the socket's mode keeps others out"
        console.print(Text(f"  {text}", style=style.WARNING), soft_wrap=True)


def print_address(console: Console, url: str, port: int, wanted_port: int, *, lasts: bool) -> None:
    """The address to open. It is a key to the account: it goes to this terminal and nowhere else."""
    if port != wanted_port:
        console.print(Text(f"  port {wanted_port} of this computer is taken; it is {port} this time"), soft_wrap=True)
    console.print(Text("  open ").append(visible(url), style=style.GOOD), soft_wrap=True)
    text = "  Ctrl-C closes the line and leaves the server running"
    if not lasts:
        text = "  it runs in a job of Slurm: Ctrl-C, a lost connection or the job's limit end it, so save your work"
    console.print(Text(text, style=style.QUIET), soft_wrap=True)


def print_left(console: Console, node: str, *, lasts: bool) -> None:
    """What to do after Ctrl-C; a server that does not last was part of a job of Slurm, which has ended."""
    if not lasts:
        console.print(f"\nthe job on {visible(node)} ends, and with it the server and its kernels", soft_wrap=True)
        return
    console.print(f"\nthe server on {visible(node)} goes on, with its kernels", soft_wrap=True)
    console.print("  come back:  provision jupyter", soft_wrap=True)
    console.print("  end it:     provision jupyter --stop", soft_wrap=True)


def print_servers(console: Console, node: str, servers: Sequence[JupyterServer]) -> None:
    """The servers of one node, one a line."""
    heading = Text(visible(node), style=style.HEADING)
    console.print(heading.append("" if servers else "   no Jupyter server", style="not bold"), soft_wrap=True)
    for one in servers:
        line = Text(f"  {visible(one.key)}  {visible(one.environment)}  ")
        if one.state == "running":
            told = f"runs for {_age(one.since)}, process {one.pid}, {counted(one.kernels, 'kernel')}"
            line.append(told, style=style.GOOD)
        else:
            line.append(one.wording, style=style.WARNING)
            line.append("; `provision jupyter --stop` removes what it left", style=style.QUIET)
        console.print(line, soft_wrap=True)


def servers_data(node: str, servers: Sequence[JupyterServer]) -> dict[str, object]:
    """The same for machines. The token is not among it."""
    told = ("key", "state", "environment", "since", "pid", "node", "socket", "kernels")
    return {"host": node, "servers": [{name: getattr(one, name) for name in told} for one in servers]}


def _age(since: str) -> str:
    """How long ago a time is, `?` when it is none: a host wrote it."""
    try:
        began = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return "?"
    return duration(max(time.time() - began.timestamp(), 0.0))
