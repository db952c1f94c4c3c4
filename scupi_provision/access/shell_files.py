"""The start-up files of login shells as texts: which there are, what they source, and taking lines out of use.

Files are bytes here: what is not touched stays as it was, whatever its encoding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["bash", "zsh", "csh", "sh"]
"""How a shell is told to read a file, and how it reads it."""
Occasion = Literal["command", "login", "person", "end", "server"]
"""When a file is read: for every command over SSH, by login shells, by shells for a person, at the end of a login
shell, and by the SSH server itself before any shell."""

BLOCK_BEGIN = re.compile(rb"^\s*# BEGIN provision\b")
BLOCK_END = re.compile(rb"^\s*# END provision\b")
"""The marks of the block of role shell_env."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class StartFile:
    """One start-up file.

    Attributes:
        name: Below the home.
        dialect: Of the shell that reads it.
        occasion: When it is read.
    """

    name: str
    dialect: Dialect
    occasion: Occasion


# bash(1) INVOCATION and sshd(8) SSHRC; zsh(1) STARTUP/SHUTDOWN FILES; tcsh(1) "Startup and shutdown".
_OF_BASH = (
    StartFile(".bashrc", "bash", "command"),
    StartFile(".bash_profile", "bash", "login"),
    StartFile(".bash_login", "bash", "login"),
    StartFile(".profile", "bash", "login"),
    StartFile(".bashrc", "bash", "person"),
    StartFile(".bash_logout", "bash", "end"),
)
_OF_ZSH = (
    StartFile(".zshenv", "zsh", "command"),
    StartFile(".zprofile", "zsh", "login"),
    StartFile(".zshrc", "zsh", "person"),
    StartFile(".zlogin", "zsh", "login"),
)
_OF_CSH = (
    StartFile(".tcshrc", "csh", "command"),
    StartFile(".cshrc", "csh", "command"),
    StartFile(".login", "csh", "login"),
)
_OF_SH = (StartFile(".profile", "sh", "login"),)
SERVER_FILE = StartFile(".ssh/rc", "sh", "server")
_ALTERNATIVES = ((".bash_profile", ".bash_login", ".profile"), (".tcshrc", ".cshrc"))
"""Of each group a shell reads only the first that is there."""

ALL_NAMES = tuple(dict.fromkeys(file.name for file in (*_OF_BASH, *_OF_ZSH, *_OF_CSH, *_OF_SH, SERVER_FILE)))
"""Every file that may keep somebody from logging in."""

COMMAND_NAMES = tuple(
    file.name for file in (*_OF_BASH, *_OF_ZSH, *_OF_CSH, SERVER_FILE) if file.occasion in {"command", "server"}
)
"""Those that are read for every command over SSH."""


def start_files(shell: str, present: Sequence[str]) -> tuple[StartFile, ...]:
    """The files that the login shell `shell` (a path) reads, of those present in the home; the server's own first."""
    kind = shell.rpartition("/")[2].lstrip("r")  # rbash reads what bash reads
    files = {"bash": _OF_BASH, "zsh": _OF_ZSH, "csh": _OF_CSH, "tcsh": _OF_CSH}.get(kind, _OF_SH)
    if kind == "csh":
        files = tuple(file for file in files if file.name != ".tcshrc")
    there = [file for file in (SERVER_FILE, *files) if file.name in present]
    names = {file.name for file in there}
    hidden = {name for group in _ALTERNATIVES for name in [each for each in group if each in names][1:]}
    return tuple(file for file in there if file.name not in hidden)


ASIDE = ".aside-for-rescue"
"""Ends the name that a start-up file has while it is out of the way: for one login, or by somebody's own hand."""


# --- lines -----------------------------------------------------------------------------------------------------------


def lines_of(content: bytes) -> list[bytes]:
    """The lines, each with its line break; for a shell only a line feed breaks lines."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def commented_out(content: bytes, first: int, last: int, mark: str) -> bytes:
    """The content with lines `first` to `last` (from 1) turned into comments behind `mark`; all other bytes as before.

    A line in Windows' fashion keeps its carriage return, which does no harm in a comment.
    """
    lines = lines_of(content)
    for number in range(first - 1, min(last, len(lines))):
        lines[number] = mark.encode() + lines[number]
    return b"".join(lines)


def has_windows_lines(content: bytes) -> bool:
    """Whether most lines end in a carriage return, so that the file was written by an editor of Windows."""
    lines = lines_of(content)
    return 2 * sum(line.endswith(b"\r\n") for line in lines) > len(lines)


def with_unix_lines(content: bytes) -> bytes:
    """The content without the carriage returns at the ends of lines, and without a byte order mark."""
    return content.removeprefix(_BOM).replace(b"\r\n", b"\n")


def continues(line: bytes) -> bool:
    """Whether the next line belongs to this one: an odd number of backslashes stands at its end."""
    text = line.rstrip(b"\n")
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


_CSH_OPENS = re.compile(rb"^\s*(?:foreach|while|switch)\b|^\s*if\b.*\bthen\s*$")
_CSH_CLOSES = re.compile(rb"^\s*(?:end|endif|endsw)\s*$")


def csh_wholes(lines: Sequence[bytes]) -> tuple[bool, ...]:
    """For each line of a text for csh, whether the text up to its end is a whole: csh has no parser that only looks."""
    wholes, depth = [], 0
    for line in lines:
        depth += bool(_CSH_OPENS.match(line)) - bool(_CSH_CLOSES.match(line))
        wholes.append(depth <= 0)
    return tuple(wholes)


def indented_end(lines: Sequence[bytes], first: int) -> int:
    """The last of the lines (from 1) that belong to `first` by their indentation; `first` itself when none does."""
    last = first
    for number in range(first, len(lines)):
        if lines[number].strip() and not lines[number].startswith((b" ", b"\t")):
            break
        if lines[number].strip():
            last = number + 1
    return last


def in_our_block(lines: Sequence[bytes], number: int) -> bool:
    """Whether line `number` (from 1) stands in the block that role shell_env keeps."""
    inside = False
    for line in lines[:number]:
        if BLOCK_BEGIN.match(line):
            inside = True
        elif BLOCK_END.match(line):
            inside = False
    return inside or bool(number <= len(lines) and BLOCK_END.match(lines[number - 1]))


# A word that ends a line, `;`, `&`, `|` or a closing parenthesis ends the path.
_SOURCED = re.compile(
    rb"""(?:^|[;&|]|\bthen|\bdo|\{)\s*(?:\.|source)\s+("[^"\n]+"|'[^'\n]+'|[^\s;&|)]+)""", re.MULTILINE
)
_HOME = re.compile(r"^(?:~|\$HOME|\$\{HOME\})/")


def sourced_file(statement: bytes, home: str) -> str | None:
    """The file below the home that a statement reads by `.` or `source`, when its name can be seen."""
    for match in _SOURCED.finditer(statement):
        word = match[1].decode("utf-8", "surrogateescape").strip("\"'")
        path = _HOME.sub(f"{home}/", word)
        if path.startswith(f"{home}/") and not re.search(r"[$`*?\[]", path):
            return path
    return None


_ERREXIT = re.compile(rb"^\s*set\s+(?:-[A-Za-z]*e[A-Za-z]*|-o\s+errexit)\b", re.MULTILINE)
_REPLACES = re.compile(rb"\bexec\b|\btmux\b|\bscreen\b|\bzellij\b")


def line_of_errexit(lines: Sequence[bytes], before: int) -> int | None:
    """The last line (from 1) ahead of line `before` that makes the shell end at any failure (`set -e`)."""
    found = [number for number in range(1, before) if _ERREXIT.match(lines[number - 1])]
    return found[-1] if found else None


def replaces_shell(statement: bytes) -> bool:
    """Whether a statement seems to put another program in the shell's place, which a person may well want."""
    return bool(_REPLACES.search(statement))
