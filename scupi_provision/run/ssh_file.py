"""Our block in the user's ssh configuration, and what it needs beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scupi_provision.access.ssh_config import (
    SshEntry,
    WrittenBlock,
    config_text,
    known_lines,
    with_block,
    without_block,
)
from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.run.request import RunRequest
from scupi_provision.run.ssh_config import ssh_entries
from scupi_provision.transport.known_hosts import parse_known_hosts
from scupi_provision.transport.trusted_keys import exchange, put

_ANSWER_S = 10


def write_block(inventory: Inventory, request: RunRequest, account: str | None, file: Path) -> WrittenBlock:
    """Put the hosts into the marked block of `file`, and the keys that the inventory pins where ssh finds them.

    Raises:
        InputError: A host cannot be written, or the file has a block that is not whole. Nothing was written.
    """
    entries = ssh_entries(inventory, request, account)
    if not entries:
        raise InputError("no host of the inventory is reached by SSH", hint="hosts that are this machine need no entry")
    before = _content(file)
    after = with_block(before, config_text(entries))
    if request.new_keys is not None:
        _pin(entries, request.new_keys)
    if after != before or not file.exists():
        put(file, after)
    aliases = tuple(entry.alias for entry in entries)
    return WrittenBlock(file, after != before, aliases, tuple(_overridden(entries, file)))


def remove_block(file: Path) -> WrittenBlock:
    """Take the marked block out of `file`."""
    before = _content(file)
    after = without_block(before)
    if after != before:
        put(file, after)
    return WrittenBlock(file, after != before)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InputError(f"{file} cannot be read", detail=str(error.strerror)) from error


def _pin(entries: Sequence[SshEntry], file: Path) -> None:
    """Under each alias exactly the keys that are pinned now; a pin that was taken back is no longer accepted."""
    aliases = {entry.alias.lower() for entry in entries}
    known = parse_known_hosts(_content(file).decode("utf-8", "surrogateescape"), str(file))
    there = [line for line in known.entries if line.names in aliases]
    wanted = [line for entry in entries for line in known_lines(entry)]
    if [f"{line.names} {line.key.text}" for line in there] != wanted:
        exchange(file, {line.line for line in there}, wanted)


def _overridden(entries: Sequence[SshEntry], file: Path) -> list[str]:
    """Ask ssh, where there is one, whether it reads what we wrote: something above the block may win."""
    program = shutil.which("ssh")
    return [] if program is None else [said for entry in entries if (said := _difference(program, entry, file))]


def _difference(program: str, entry: SshEntry, file: Path) -> str:
    command = [program, "-F", str(file), "-G", entry.alias]
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_ANSWER_S)  # noqa: PLW1510 - the status is looked at
    except (OSError, subprocess.TimeoutExpired):
        return ""  # an ssh that cannot be asked may still work; it says why when it is used
    if done.returncode != 0:
        return f"{entry.alias}: ssh does not read the file: {done.stderr.strip()[:200]}"
    taken = dict(line.split(" ", 1) for line in done.stdout.split("\n") if " " in line)
    wanted = {"hostname": entry.address.lower(), "port": str(entry.port), "user": entry.user}
    wrong = [f"{name} {taken.get(name)}" for name, value in wanted.items() if taken.get(name) != value]
    return f"{entry.alias}: ssh takes {', '.join(wrong)}" if wrong else ""
