"""OpenSSH's client configuration: our hosts as text, and one marked block in a file that is somebody else's.

The block stands at the top. For every setting ssh takes the first value that it finds (ssh_config(5)), so below a
`Host *` of the user's ours would lose. It ends with an empty `Host *`: what follows applies to every host again, as it
did before the block was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import InputError

BEGIN = "# BEGIN provision (made by `provision ssh-config --write`; what is changed in here is lost)"
END = "# END provision"
_BEGIN_MARK, _END_MARK = b"# BEGIN provision", b"# END provision"
_REST = ("# What follows is for every host again.", "Host *")

_ALIVE_S = 30
"""Seconds between two signs of life; most firewalls forget a silent connection after some minutes."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:%@+,=\[\]-]+")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\"]|\$\{|\\[\\'\"]|\\$")
"""What no quoting carries through every release: OpenSSH 8.7 began to read escapes, 8.4 variables in `${}`."""


@dataclass(frozen=True)
class SshEntry:
    """One `Host` section.

    Attributes:
        alias: What is typed after `ssh`.
        address: Name or address that is dialled.
        port: Where its SSH server listens.
        user: Login name.
        key_files: Private keys, in order; empty: whatever the ssh-agent has.
        known_hosts: Files of trusted host keys; ssh writes new ones into the first.
        jump: The alias of the host before it, or "".
        host_keys: Keys that the inventory pins in full, as `ssh-ed25519 AAAA…`; only they are accepted. They have to be
            in one of `known_hosts` under the alias, where no other cluster's host of the same name is meant.
        remote_command: What is run there in place of a shell, on a terminal; "" for a shell.
        remark: A comment above the section.
    """

    alias: str
    address: str
    port: int
    user: str
    key_files: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    jump: str = ""
    host_keys: tuple[str, ...] = ()
    remote_command: str = ""
    remark: str = ""


@dataclass(frozen=True)
class WrittenBlock:
    """What became of an ssh configuration.

    Attributes:
        file: The file.
        changed: Whether it is another one now.
        aliases: What may be typed after `ssh`.
        overridden: For aliases for which ssh takes something else than we wrote: what it takes.
    """

    file: Path
    changed: bool
    aliases: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()


def config_text(entries: Iterable[SshEntry], included: Iterable[str] = ()) -> str:
    """The sections of `entries`, with an empty line between them; then what else is to be read.

    Args:
        entries: The sections, the more important first.
        included: Files that ssh reads after them.

    Raises:
        InputError: A path or a name cannot be written so that every ssh reads it alike.
    """
    sections = [_section(entry) for entry in entries]
    rest = [f"Include {_value(file)}\n" for file in included]
    return "\n".join([*sections, *(["\n".join(_REST) + "\n" + "".join(rest)] if rest else [])])


def known_lines(entry: SshEntry) -> list[str]:
    """The pinned keys of `entry` as lines of known_hosts."""
    return [f"{entry.alias.lower()} {key}" for key in entry.host_keys]


def with_block(content: bytes, body: str) -> bytes:
    """`content` with `body` in its marked block; every other byte is as it was.

    A block that is there is replaced where it stands; a new one goes to the top. Line ends are those of the file.

    Raises:
        InputError: The file has a block without end, or several, or ssh could not read it.
    """
    _refuse_unreadable(content)
    end_of_line = b"\r\n" if b"\r\n" in content else b"\n"
    lines = [BEGIN, *body.rstrip("\n").split("\n"), "", *_REST, END, ""]
    block = end_of_line.join(line.encode() for line in lines)
    before, after = _around_block(content)
    return before + block + after


def without_block(content: bytes) -> bytes:
    """`content` without the marked block, if it has one."""
    return b"".join(_around_block(content))


def has_block(content: bytes) -> bool:
    """Whether a marked block is in `content`."""
    return len(b"".join(_around_block(content))) != len(content)


def _section(entry: SshEntry) -> str:
    settings: list[tuple[str, str]] = [
        ("HostName", _value(_literal(entry.address))),
        ("Port", str(entry.port)),
        ("User", _value(entry.user)),
        *(("IdentityFile", _value(_literal(path))) for path in entry.key_files),
        *([("IdentitiesOnly", "yes")] if entry.key_files else []),
        *([("ProxyJump", entry.jump)] if entry.jump else []),
        *([("HostKeyAlias", entry.alias)] if entry.host_keys else []),
        *([("UserKnownHostsFile", _values(map(_literal, entry.known_hosts)))] if entry.known_hosts else []),
        ("StrictHostKeyChecking", "ask"),
        ("ForwardAgent", "no"),
        ("ServerAliveInterval", str(_ALIVE_S)),
        *([("RequestTTY", "yes"), ("RemoteCommand", _literal(entry.remote_command))] if entry.remote_command else []),
    ]
    remark = [f"# {line}" for line in entry.remark.splitlines()]
    return "\n".join([*remark, f"Host {entry.alias}", *(f"  {name} {value}" for name, value in settings), ""])


def _literal(text: str) -> str:
    """`text` where ssh would expand tokens such as `%h`."""
    return text.replace("%", "%%")


def _values(texts: Iterable[str]) -> str:
    return " ".join(map(_value, texts))


def _value(text: str) -> str:
    if _UNWRITABLE.search(text) or not text:
        raise InputError(
            f"{text!a} cannot be written in an ssh configuration",
            detail="releases of OpenSSH differ in how they read such a value",
            hint="give the file or folder a name without quotes, line breaks, `${` and double backslashes",
        )
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def _around_block(content: bytes) -> tuple[bytes, bytes]:
    """What stands before the block and what after it; a file without one is all after."""
    lines = _lines(content)
    begins = [index for index, line in enumerate(lines) if line.startswith(_BEGIN_MARK)]
    ends = [index for index, line in enumerate(lines) if line.startswith(_END_MARK)]
    if not begins and not ends:
        return b"", content
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise _torn(begins, ends)
    return b"".join(lines[: begins[0]]), b"".join(lines[ends[0] + 1 :])


def _lines(content: bytes) -> list[bytes]:
    """Lines with their ends; a lone carriage return ends none (`bytes.splitlines` thinks otherwise)."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def _torn(begins: Sequence[int], ends: Sequence[int]) -> InputError:
    places = ", ".join(str(index + 1) for index in sorted([*begins, *ends]))
    return InputError(
        "the marked block of provision in the ssh configuration is not whole",
        detail=f"marks in lines {places}; there must be one BEGIN and, after it, one END",
        hint="take the lines of the block and its marks out by hand, then run the same command again",
    )


def _refuse_unreadable(content: bytes) -> None:
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise InputError(
            "the ssh configuration was saved with a byte order mark or as UTF-16, which ssh does not read",
            hint="save it as UTF-8 without a byte order mark (in Notepad: Save as, Encoding UTF-8)",
        )
