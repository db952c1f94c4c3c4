"""Actions to a program without a controller: each is tested first, so that it does nothing where it has been done."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scupi_provision.shell.actions import (
    Action,
    CopyFile,
    Extract,
    Fetch,
    HardLink,
    Link,
    Mkdir,
    Remove,
    Run,
    SetMode,
    Touch,
    WriteFile,
)
from scupi_provision.shell.compile import Compiler, validation
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.guarding import GUARD_SECONDS, guard_definitions
from scupi_provision.shell.login import by_login_shell, login_body, login_command
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import encoded, is_literal, word, words

ANYTHING = tuple(f"{kind.value}:::" for kind in (Kind.FILE, Kind.DIRECTORY, Kind.LINK, Kind.ABSENT))
"""The states of a path that a program of the plan writes."""


@dataclass(frozen=True)
class Chain:
    """What else is known of the path that an action is about.

    Attributes:
        later: States that later actions of the plan leave there: where one of them is found, this one has been done.
        replaceable: Whether a file of any content may be replaced, as an apply would replace it.
    """

    later: tuple[str, ...] = ()
    replaceable: bool = False


def state_of(entry: Entry) -> str:
    """An entry as `standalone.sh` writes it: KIND:MODE:DIGEST:TARGET."""
    mode = f"{entry.mode:o}" if entry.mode is not None and entry.kind is not Kind.LINK else ""
    return f"{entry.kind.value}:{mode}:{entry.digest or ''}:{entry.target or ''}"


def left_by(action: Action) -> str | None:
    """The state that an action leaves at its path; None for those that are about no single path."""
    if isinstance(action, Mkdir):
        return state_of(Entry(Kind.DIRECTORY, action.mode if action.mode_asked else None))
    if isinstance(action, WriteFile):
        digest = hashlib.sha256(action.content).hexdigest()
        return state_of(Entry(Kind.FILE, action.mode if action.mode_asked else None, digest=digest))
    if isinstance(action, Fetch):
        return state_of(Entry(Kind.FILE, action.mode if action.mode_asked else None, digest=action.sha256))
    if isinstance(action, CopyFile | Touch | HardLink):
        return state_of(Entry(Kind.FILE))
    if isinstance(action, Link):
        return state_of(Entry(Kind.LINK, target=action.target))
    if isinstance(action, Remove):
        return state_of(ABSENT)
    if isinstance(action, SetMode):
        seen = action.expect or Entry(Kind.FILE)
        return state_of(replace(seen, mode=action.mode))
    return None


@dataclass(frozen=True)
class Edit:
    """Lines of ours for a file of the user's.

    Attributes:
        lines: Whole lines.
        at_top: Where they go: to the top, or to the end.
        marks: Lines that, without those between them, mean that somebody has changed what was ours.
    """

    lines: bytes
    at_top: bool
    marks: tuple[bytes, ...] = ()


class Standalone(Compiler):
    """Compiles actions for `standalone.sh`. Contents stand in the program, however large they are."""

    def __init__(self) -> None:
        """Compile for whoever starts the script."""
        super().__init__("")

    def form(self, content: bytes) -> str:
        """As `Compiler.form`, without blobs: there is no line on which they could follow."""
        return f"t {word(content.decode('ascii'))}" if is_literal(content) else f"b {encoded(content)}"

    def change(self, action: Action, chain: Chain) -> str:
        """The call that does `action` where it has something to do."""
        if isinstance(action, Touch):
            return f"s_touch && {self.command(action)}"
        if isinstance(action, CopyFile):
            before = words(*_before(action, chain))
            return f"s_copy {words(action.source, action.path, f'{action.mode:o}')} {before}"
        return self._guarded(action, chain)

    def _guarded(self, action: Action, chain: Chain) -> str:
        left, path = left_by(action), getattr(action, "path", None)
        if left is None or path is None:
            return f"s_touch && {self.command(action)}"
        command = f"eval {word(self.command(action))}" if isinstance(action, Fetch) else self.command(action)
        if not chain.replaceable or not isinstance(action, Mkdir | WriteFile):
            return f"s_do {word(path)} {words(*_before(action, chain))} -- {words(left, *chain.later)} -- {command}"
        # The mode is a matter of its own where other content is replaced.
        if isinstance(action, WriteFile) and not action.mode_asked:
            command = "s_rewrite" + command.removeprefix("p_write")
        after = [_without_mode(state) for state in (left, *chain.later)]
        call = f"s_do {word(path)} {words(*_before(action, chain))} -- {words(*dict.fromkeys(after))} -- {command}"
        modes = _modes((left, *chain.later))
        return f"{call} && s_mode {words(path, *modes)}" if action.mode_asked else call

    def run(self, action: Run, *, looks: bool = False) -> str:
        """The call that runs a program; with `looks` one that changes nothing."""
        return self.launch(action, "s_ask" if looks else "s_run")

    def edit(self, path: str, edit: Edit, validate: tuple[str, ...]) -> str:
        """The call that puts lines into a file of which only the host knows the rest."""
        marks = words(*(mark.decode("utf-8", "surrogateescape") for mark in edit.marks))
        place = "top" if edit.at_top else "end"
        return f"s_edit {word(path)} {self.form(edit.lines)} {place} {validation(validate)} {marks}".rstrip()

    def extract(self, action: Extract) -> str:
        """The call that unpacks an archive."""
        return f"s_touch && {self.command(action)}"


def _before(action: Action, chain: Chain) -> Iterable[str]:
    seen = getattr(action, "expect", None)
    states = [state_of(seen if seen is not None else ABSENT)]
    if chain.replaceable and isinstance(action, WriteFile | CopyFile | Fetch):
        states += ["-:::", "f:::"]
    return dict.fromkeys(states)


def _without_mode(state: str) -> str:
    kind, _, digest, target = state.split(":", 3)
    return f"{kind}::{digest}:{target}"


def _modes(states: Sequence[str]) -> list[str]:
    return [mode for mode in dict.fromkeys(state.split(":", 3)[1] for state in states) if mode]


_RUNTIME = (
    "standalone_begin.sh", "runtime.sh", "steps.sh", "jobs.sh", "async.sh", "lock.sh", "facts.sh", "system_facts.sh",
    "standalone.sh", "states.sh", "edits.sh", "basis.sh", "claims.sh", "elsewhere.sh",
)  # fmt: skip
_PUT = (
    'case ${KSH_VERSION-} in "") p_put() { printf %s "$1"; };; *) p_put() { print -rn -- "$1"; };; esac\n'
    "unset -f cat sha256sum 2>/dev/null\n"
)


_LOGIN_LIMIT_S = 9.0
"""Seconds that each of the account's shells may take, as over SSH (`run.greeting`)."""


def standalone_guard() -> str:
    """Defines the lockout guard of a compiled script."""
    mark = f"login-{secrets.token_hex(8)}"
    body = login_body(mark, _LOGIN_LIMIT_S)
    command = by_login_shell(login_command(mark, body))
    settings = f"S_MARK={mark} S_LOGIN={word(command)} S_LOOK={word(body.decode())}\n"
    return f"{guard_definitions(GUARD_SECONDS)}{settings}{shell_source('login_guard.sh')}"


_LOOKING = ("standalone_begin.sh", "runtime.sh", "facts.sh", "system_facts.sh", "elsewhere.sh", "look.sh")


def looking_runtime() -> str:
    """Everything that the text of a script which only looks is preceded by."""
    return "".join(map(shell_source, _LOOKING))


def standalone_runtime() -> str:
    """Everything that the text of a compiled script is preceded by."""
    return "".join(map(shell_source, _RUNTIME))


def sealed(text: str, *, about: Sequence[str]) -> str:
    """`text` as a file that runs it only when all of it has arrived, unchanged.

    The text stands in a here-document inside a function, so a shell has read it to its end before it does anything;
    its hash is compared before a word of it is evaluated.

    Args:
        text: A program.
        about: Lines for whoever opens the file.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    end = f"END-{digest[:16]}"
    comments = "".join(f"# {line}\n" for line in about)
    return (
        f"#!/bin/sh\n{comments}{_PUT}"
        f"p_whole() {{ cat <<'{end}'\n{text}{end}\n}}\n"
        "P_TEXT=$(p_whole; echo .) P_TEXT=${P_TEXT%.} S_ROLE=${1-apply}\n"
        'p_sum=$(p_put "$P_TEXT" | sha256sum)\n'
        f'if [ "${{p_sum%% *}}" != {digest} ]; then\n'
        '  echo "this script has not arrived whole: nothing of it was run" >&2\n  exit 97\nfi\n'
        'eval "$P_TEXT"\n'
    )


def pasteable(script: str, path: str) -> str:
    """`script` as lines to be pasted into a terminal, which keep it under `path` and run it when all has arrived."""
    content = script.encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(content).hexdigest()
    lines = base64.encodebytes(content).decode("ascii")
    target = word(path)
    return (
        "/bin/sh\n"
        f"(umask 077; cat >{target}.b64) <<'END-OF-PASTE'\n{lines}END-OF-PASTE\n"
        f"(umask 077; base64 -d <{target}.b64 >{target}); rm -f {target}.b64; "
        f"set -- $(sha256sum <{target}); "
        f'if [ "$1" = {digest} ]; then sh {target}; '
        f'else echo "it has not arrived whole: paste it again"; rm -f {target}; fi; exit\n'
    )
