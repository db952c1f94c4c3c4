"""`wait_for`: wait until a port, a file or a text is there, or gone. The host waits."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Literal

from pydantic import field_validator, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes
from scupi_provision.modules.contract import Field, Integer, Module, ModuleArgs, PathText, Result, Text, Words
from scupi_provision.modules.host_patterns import extended
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script
from scupi_provision.values import UnknownValueError

_STATES = {
    "ESTABLISHED": "01", "SYN_SENT": "02", "SYN_RECV": "03", "FIN_WAIT1": "04", "FIN_WAIT2": "05", "TIME_WAIT": "06",
}  # fmt: skip
"""Numbers of /proc/net/tcp (Linux, include/net/tcp_states.h)."""
_GRACE_S = 60


class Args(ModuleArgs):
    """Wait for a condition; without one, for `timeout` seconds."""

    host: Text = Field("127.0.0.1", description="Whose port it is, as seen from the host of the task.")
    port: Integer | None = Field(None, description="A port of TCP.")
    path: PathText | None = Field(None, description="A file.")
    search_regex: Text | None = Field(None, description="What must be in the file, or be said by the port.")
    state: Literal["started", "stopped", "present", "absent", "drained"] = Field(
        "started", description="Open or there (started, present), gone (stopped, absent), or unused (drained)."
    )
    timeout: Integer = Field(300, description="Seconds after which the task fails.")
    delay: Integer = Field(0, description="Seconds before the first look.")
    sleep: Integer = Field(1, description="Seconds between two looks.")
    connect_timeout: Integer = Field(5, description="Seconds that one connection may take.")
    msg: Text | None = Field(None, description="What is said when the time is over.")
    active_connection_states: Words = Field(default=list(_STATES), description="Which count as connections.")
    exclude_hosts: Words = Field(default=[], description="Addresses whose connections do not count.")

    @field_validator("search_regex")
    @classmethod
    def _searchable(cls, value: str | None) -> str | None:
        if value is not None:
            extended(value)
        return value

    @field_validator("exclude_hosts")
    @classmethod
    def _addresses(cls, values: list[str]) -> list[str]:
        for value in values:
            _in_proc(value)
        return values

    @field_validator("active_connection_states")
    @classmethod
    def _known(cls, values: list[str]) -> list[str]:
        for value in values:
            if value not in _STATES:
                raise ValueError(f"{value} is none of {', '.join(_STATES)}")
        return values

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.port is not None and self.path is not None:
            raise ValueError("give port or path, not both")
        if self.path is not None and self.state in {"stopped", "drained"}:
            raise ValueError(f"state: {self.state} goes with a port")
        if self.state == "drained" and self.port is None:
            raise ValueError("state: drained needs a port")
        if self.exclude_hosts and self.state != "drained":
            raise ValueError("exclude_hosts goes with state: drained")
        if self.port is not None and not 0 < self.port < 65536:
            raise ValueError(f"{self.port} is no port")
        return self


def _in_proc(address: str) -> str:
    """An address as /proc/net/tcp writes it on machines that count bytes from the small end."""
    try:
        packed = ipaddress.ip_address(address).packed
    except ValueError:
        raise ValueError(f"{address} is no address; names are not looked up") from None
    words = [packed[start : start + 4][::-1] for start in range(0, len(packed), 4)]
    return b"".join(words).hex().upper()


def plan(args: Args, host: HostView) -> Result:
    """Plan the wait; what can be read at once is not waited for."""
    searched = args.search_regex if _wants(args) else None  # for `absent`, the file counts and not what is in it
    if args.path is not None and searched is None and args.delay == 0:
        try:
            there = host.entry(args.path, follow=True).exists
        except UnknownValueError:
            there = not _wants(args)
        if there is _wants(args):
            return Result(values=_values(args, 0, "") | (attributes(host, args.path) if there else {}))
    goal = "port" if args.port is not None else "path" if args.path is not None else "time"
    pattern, any_case = extended(searched) if searched else ("", False)
    local = "" if args.host in {"0.0.0.0", "::", "localhost"} or not _is_address(args.host) else _in_proc(args.host)  # noqa: S104 - compared, not bound
    settings: dict[str, Any] = {
        "goal": goal,
        "state": {"present": "started", "absent": "stopped"}.get(args.state, args.state),
        "host": args.host,
        "port": args.port or "",
        "path": host.path(args.path) if args.path else "",
        "pattern": pattern,
        "flags": "-i" if any_case else "",
        "delay": args.delay,
        "rest": max(args.sleep, 1),
        "limit": args.timeout,
        "connect": args.connect_timeout,
        "hex_port": f"{args.port or 0:04X}",
        "states": " ".join(_STATES[state] for state in args.active_connection_states),
        "excluded": " ".join(map(_in_proc, args.exclude_hosts)),
        "local_addresses": local,
    }
    words = script("wait_for.sh", **{name: str(value) for name, value in settings.items()})
    limit = args.timeout + args.delay + args.connect_timeout + _GRACE_S
    host.run(Run(words, timeout_s=limit, writes=(), fails_when_nonzero=False), f"wait for {_subject(args)}")
    return Result(undecided=f"what happens to {_subject(args)}")


def _is_address(text: str) -> bool:
    try:
        return bool(_in_proc(text))
    except ValueError:
        return False


def _wants(args: Args) -> bool:
    return args.state in {"started", "present"}


def _subject(args: Args) -> str:
    if args.port is not None:
        return f"{args.host}:{args.port}"
    return f"file {args.path}" if args.path is not None else f"{args.timeout} seconds"


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """Whether it came in time, and what was found."""
    if not runs:
        return planned
    head, _, text = runs[-1].stdout.decode("utf-8", "replace").partition("\n")
    elapsed = int(head.rpartition(" ")[2]) if head.startswith("elapsed ") else 0
    if runs[-1].status != 0:
        message = args.msg or _overdue(args)
        return Result(values={"msg": message, "elapsed": elapsed}, message=message, failed=True)
    return Result(values=_values(args, elapsed, text))


def _values(args: Args, elapsed: int, text: str) -> dict[str, Any]:
    found = re.search(args.search_regex, text, re.MULTILINE) if args.search_regex and _wants(args) else None
    return {
        "state": args.state,
        "port": args.port,
        "search_regex": args.search_regex,
        "match_groups": list(found.groups()) if found else [],
        "match_groupdict": found.groupdict() if found else {},
        "path": args.path,
        "elapsed": elapsed,
    }


def _overdue(args: Args) -> str:
    subject = f"{args.host}:{args.port}" if args.port is not None else str(args.path)
    if args.state == "drained":
        return f"Timeout when waiting for {subject} to drain"
    if not _wants(args):
        end = "to stop." if args.port is not None else "to be absent."
        return f"Timeout when waiting for {subject} {end}"
    if args.search_regex:
        return f"Timeout when waiting for search string {args.search_regex} in {subject}"
    return f"Timeout when waiting for {'' if args.port is not None else 'file '}{subject}"


MODULE = Module("wait_for", Args, plan, finish, aliases=("ansible.builtin.wait_for",))
