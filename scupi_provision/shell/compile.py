"""Actions to shell text: the one place where a plan becomes a program."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import singledispatch
from typing import NamedTuple

from scupi_provision.shell.actions import (
    Action,
    Async,
    CopyFile,
    Extract,
    Fetch,
    HardLink,
    Keep,
    Link,
    Mkdir,
    Recheck,
    Remove,
    Run,
    SetMode,
    Touch,
    WriteFile,
)
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.guarding import GUARD_SECONDS, Guarded, guard_definitions, guard_words
from scupi_provision.shell.inspection import define, expectation
from scupi_provision.shell.program import end, shell_source
from scupi_provision.shell.words import encoded, glob_word, is_literal, word, words

INLINE_LIMIT = 64 * 1024
"""Bytes of content that stand in the program itself; larger ones follow it as blobs and go straight to a file."""
KEPT_OUTPUT = 1024 * 1024
"""Bytes of a short program's stdout and stderr that come back (the rest stays in the log on the host)."""
KEPT_JOB_OUTPUT = 8 * 1024
"""The same for durable jobs, whose output is a log for people."""

STALL_S = 30
"""Seconds over which a download's rate is judged; one that is too slow is left for the next source."""


class Turn(NamedTuple):
    """One step's part of a stream.

    Attributes:
        number: The step's, by which replies name it.
        actions: In order, each only when the one before it went well.
        aside: Whether the last of them, a durable Run, is left running while the stream goes on.
        after: Steps left running whose programs must have ended well before this one begins.
        guarded: What it may change that decides about logins; such a turn is never left running.
        guard_s: How long the lockout guard then waits for a verdict.
    """

    number: int
    actions: Sequence[Action]
    aside: bool = False
    after: tuple[int, ...] = ()
    guarded: tuple[Guarded, ...] = ()
    guard_s: int = GUARD_SECONDS


class Compiler:
    """Compiles the steps of one stream; `blobs` holds the large contents in the order in which it takes them."""

    def __init__(self, owner: str, *, keeps_proof: bool = False) -> None:
        """Compile for the run of `owner`.

        Args:
            owner: Who holds the lock, in words, for whoever is refused by it.
            keeps_proof: False when the steps may change something: then earlier proofs of verification fall.
        """
        self._owner = owner
        self._keeps_proof = keeps_proof
        self.blobs: list[bytes] = []

    def program(self, stream: Sequence[Turn]) -> str:
        """The program that performs the stream's steps in order, under the lock, until one fails."""
        first = next((place for place, turn in enumerate(stream) if turn.aside), len(stream))
        body = "".join(_gather(turn) * (place > first) + self._turn(turn) for place, turn in enumerate(stream))
        receive = "".join(f"p_blob {hashlib.sha256(blob).hexdigest()} {len(blob)}\n" for blob in self.blobs)
        proof = "" if self._keeps_proof else "p_unprove\n"
        seconds = max((turn.guard_s for turn in stream if turn.guarded), default=0)
        guard, rest = (guard_definitions(seconds), "p_guard_rest\n") if seconds else ("", "")
        asks = any(isinstance(a, Recheck) and a.inspections for turn in stream for a in turn.actions)
        # Blobs are taken off the line even when the lock is denied, else they would be read as the next program.
        return (
            f"{guard}{define() if asks else ''}p_open_run\n{receive}"
            f'if [ -z "$P_STOP" ] && p_lock {word(self._owner)}; then\n{proof}{body}p_gather $P_ASIDE\nfi\n'
            f"{rest}p_forget_brought\np_unlock\np_close_run\n{end()}"
        )

    def _turn(self, turn: Turn) -> str:
        *before, last = turn.actions or (Recheck(),)
        kept = guard_words(turn.guarded)
        commands = [f"p_guard {kept}" if kept else "", *(self._compile(action) for action in before)]
        commands.append(_launch(last, self, "p_aside") if turn.aside and isinstance(last, Run) else self._compile(last))
        chain = " &&\n  ".join(command for command in commands if command)
        close = "|| p_close $?" if turn.aside else "\n  p_close $?"
        saw = f"\n  p_guard_saw {kept}" if kept else ""
        return f'[ -n "$P_STOP" ] || {{\n  p_step {turn.number} &&\n  {chain or ":"} {close}{saw}\n}}\n'

    def _compile(self, action: Action) -> str:
        guard = _guard(action)
        command = _command(action, self)
        return f"{guard} && {command}" if guard and command else guard or command

    def command(self, action: Action) -> str:
        """The call of the runtime that does `action`, without its guard."""
        return _command(action, self)

    def launch(self, action: Run, function: str) -> str:
        """The call of `function`, which takes what `p_run` takes, with this program."""
        return _launch(action, self, function)

    def form(self, content: bytes) -> str:
        """`content` as the two words FORM TEXT of `p_fill`: literal text, base64, or the name of a blob."""
        if len(content) > INLINE_LIMIT:
            if content not in self.blobs:
                self.blobs.append(content)
            return f"f {hashlib.sha256(content).hexdigest()}"
        if is_literal(content):
            return f"t {word(content.decode('ascii'))}"
        return f"b {encoded(content)}"


def _gather(turn: Turn) -> str:
    return f"p_gather {' '.join(map(str, turn.after))}".rstrip() + "\n"


def _octal(mode: int) -> str:
    return f"{mode:o}"


def _expectation(path: str, entry: Entry) -> str:
    mode = _octal(entry.mode) if entry.mode is not None and entry.kind is not Kind.LINK else ""
    return words(path, entry.kind.value, mode, entry.digest or "", entry.target or "")


def _names_digest(names: Sequence[str]) -> str:
    """The hash of sorted lines, as `sort` in the C locale makes them (a name with a line break is two)."""
    lines = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape").split(b"\n")[:-1]
    return hashlib.sha256(b"".join(line + b"\n" for line in sorted(lines))).hexdigest()


def _guard(action: Action) -> str:
    if isinstance(action, Recheck):
        expected = [f"p_expect {_expectation(path, entry)}" for path, entry in action.entries]
        expected += [expectation(question, told) for question, told in action.inspections]
        expected += [f"p_expect_names {_names_digest(names)} {glob_word(pattern)}" for pattern, names in action.names]
        return " &&\n  ".join(expected)
    entry = getattr(action, "expect", None)
    if entry is None:
        return ""
    path: str = action.path  # type: ignore[union-attr]  # every action with `expect` has a path
    return f"p_expect {_expectation(path, entry)}"


@singledispatch
def _command(action: Action, _compiler: Compiler) -> str:
    raise NotImplementedError(type(action).__name__)


@_command.register
def _(_action: Recheck | Keep, _compiler: Compiler) -> str:
    return ""


@_command.register
def _(action: Mkdir, _compiler: Compiler) -> str:
    special = _octal(action.mode) if action.mode > 0o777 else ""
    return f"p_mkdir {words(action.path, _octal(0o777 & ~action.mode), special)}"


@_command.register
def _(action: WriteFile, compiler: Compiler) -> str:
    digest = hashlib.sha256(action.content).hexdigest()
    content = compiler.form(action.content)
    place = words(action.path, _octal(action.mode), digest)
    return f"p_write {place} {content} {word(action.backup or '')} {validation(action.validate)}"


def validation(argv: tuple[str, ...]) -> str:
    """The command that judges a file before it takes its name, as one word in which `$1` is the file."""
    return word(" ".join('"$1"'.join(word(part) if part else "" for part in text.split("%s")) for text in argv))


@_command.register
def _(action: CopyFile, _compiler: Compiler) -> str:
    return f"p_copy {words(action.source, action.path, _octal(action.mode))}"


@_command.register
def _(action: SetMode, _compiler: Compiler) -> str:
    return f"p_chmod {words(action.path, _octal(action.mode))}"


@_command.register
def _(action: Link, _compiler: Compiler) -> str:
    return f"p_link {words(action.path, action.target)}"


@_command.register
def _(action: HardLink, _compiler: Compiler) -> str:
    return f"p_hard_link {words(action.path, action.source)}"


@_command.register
def _(action: Remove, _compiler: Compiler) -> str:
    return f"p_remove {words(action.path, 'r' if action.recursive else '')}"


@_command.register
def _(action: Touch, _compiler: Compiler) -> str:
    return f"p_touch {words(action.path, _octal(action.mode), action.accessed, action.modified)}"


@_command.register
def _(action: Fetch, _compiler: Compiler) -> str:
    if action.via == "controller":
        return f"p_bring {words(action.sha256 or '', action.path, _octal(action.mode))}"
    # Named by the hash: what is left of another content is never continued.
    part = f"{action.path}.{action.sha256[:16]}.part" if action.sha256 else f"{action.path}.part"
    settings = {"part": part, "sha256": action.sha256 or "", "limit": str(action.timeout_s), "window": str(STALL_S)}
    assignments = "".join(f"{name}={word(value)}\n" for name, value in settings.items())
    script = f"{assignments}set -- {words(*action.urls)}\n{shell_source('download.sh')}"
    whole = 2 * action.timeout_s * len(action.urls) + 60
    run = f"p_run '' {whole} c {KEPT_JOB_OUTPUT} {word(script)} {word(part)}"
    return f"{run} && p_place {words(part, action.path, _octal(action.mode))}"


@_command.register
def _(action: Extract, _compiler: Compiler) -> str:
    arguments = words(action.archive, action.directory, str(action.strip), "e" if action.empty_first else "")
    members = f"members={word(words(*action.members))}\n"
    script = f"{members}set -- {arguments} {words(*action.options)}\n{shell_source('extract.sh')}"
    return f"p_run '' 3600 c {KEPT_JOB_OUTPUT} {word(script)}"


@_command.register
def _(action: Run, compiler: Compiler) -> str:
    return _launch(action, compiler, "p_run")


def _launch(action: Run, compiler: Compiler, function: str) -> str:
    check = "c" if action.fails_when_nonzero else ""
    if action.asynchronous is not None:
        command = _launch_async(action, action.asynchronous, check)
    else:
        keep = KEPT_JOB_OUTPUT if action.durable_key else KEPT_OUTPUT
        head = f"{function} {words(action.durable_key or '', str(action.timeout_s), check, str(keep))}"
        command = f"{head} {word(_run_script(action))} {words(*action.creates)}".rstrip()
    if action.stdin:
        form, text = compiler.form(action.stdin).split(" ", 1)
        command = f"{{ P_INPUT={form} P_INPUT_TEXT={text}; {command}; }}"
    waited_for = action.asynchronous is not None and action.asynchronous.waits
    if action.confidential and (waited_for or not action.durable_key):
        command = f'{{ {command}; p_ended=$?; rm -f -- "$p_dir/out" "$p_dir/err"; [ "$p_ended" -eq 0 ]; }}'
    return command


def _launch_async(action: Run, terms: Async, check: str) -> str:
    start = words(action.durable_key or "", str(terms.limit_s), terms.title, _run_script(action))
    return f"p_async_wait {start} {words(check, str(KEPT_OUTPUT))}" if terms.waits else f"p_async_leave {start}"


# The runtime puts HOME, USER, LOGNAME, SHELL, LANG and PATH ahead of every script: only the host knows them. Variables
# are set inside the script, which only its owner can read, never on a command line that `ps` would show.
def _run_script(action: Run) -> str:
    exports = "".join(f"export {name}={word(value)}\n" for name, value in action.environment)
    where = f"cd {word(action.cwd)} || exit 125\n" if action.cwd else "cd || exit 125\n"
    if action.login:
        return f'{where}{exports}unset PATH LANG\nexec "$SHELL" -l -c {word(_shell_words(action.argv))}\n'
    if action.shell_text is not None:
        return f"{_TEXT_TO_FILE.format(text=_heredoc(action.shell_text))}{where}{exports}{_exec_file(action.argv[0])}"
    return f"{where}{exports}exec {words(*action.argv)}\n"


# A text with a secret in it goes to the shell by a file that only its owner can read, and that is gone as soon as the
# shell has opened it: words of a command line are seen by everybody. `.` is what `-c` would do with the text.
_TEXT_TO_FILE = '( umask 077; cat >"$PROVISION_JOB/text" ) {text}'


def _heredoc(text: str) -> str:
    end = f"END_{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    return f"<<'{end}'\nrm -f -- \"$PROVISION_JOB/text\"\n{text}\n{end}\n"


def _exec_file(shell: str) -> str:
    return f"exec {word(shell)} -c '. \"$PROVISION_JOB/text\"'\n"


def _shell_words(argv: tuple[str, ...]) -> str:
    return argv[2] if argv[:2] == ("/bin/sh", "-c") and len(argv) == 3 else words(*argv)
