"""What a fresh login runs, and what it answers: whether the account's own shells still do what they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word

START_UP_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_logout", ".zshrc", ".zshenv", ".zprofile", ".zlogin",
    ".zlogout", ".cshrc", ".tcshrc", ".login", ".logout", ".kshrc", ".mkshrc",
)  # fmt: skip
"""What shells read in a home, by their manuals: bash, zsh, csh and tcsh, ksh and mksh, and sh."""

_COMPLAINT = re.compile(rf"/({'|'.join(re.escape(name) for name in START_UP_FILES)})(:|\[|: line )")
"""How every shell begins its complaint of a file: with the file's path."""


def login_command(mark: str, body: bytes) -> str:
    """The command of a fresh login; `body` is sent to it on standard input.

    It is run by the account's own shell, which may be of any kind: no syntax but words, `;` and both quotes. What is
    found by that shell's own PATH shows whether its start-up files have spoilt it.
    """
    return (
        f'echo {mark}-shell; sh -c "ls -d / >/dev/null && echo {mark}-path"; '
        "exec /bin/sh -c 'PATH=/usr/bin:/bin:/usr/local/bin:$PATH; export PATH; "
        f'eval "$(dd bs=1 count={len(body)} 2>/dev/null)"\''
    )


def login_body(mark: str, limit_s: float) -> bytes:
    """The part that looks at the login shells, each for at most `limit_s`."""
    return f"L_WORD={word(mark)} L_LIMIT={max(1, round(limit_s))}\n{shell_source('login.sh')}".encode()


def by_login_shell(command: str) -> str:
    """`command` as sshd would have it run on this machine: by the account's own shell, told that SSH has started it.

    bash reads ~/.bashrc without a terminal only where it finds SSH_CLIENT, and only as the outermost shell.
    """
    client, connection = "127.0.0.1 0 22", "127.0.0.1 0 127.0.0.1 22"
    return (
        f"SSH_CLIENT={word(client)} SSH_CONNECTION={word(connection)}; export SSH_CLIENT SSH_CONNECTION; unset SHLVL; "
        f'exec "${{SHELL:-/bin/sh}}" -c {word(command)}'
    )


@dataclass(frozen=True)
class LoginAnswer:
    """What came back of a fresh login.

    Attributes:
        ran: Whether the shell came to run a command at all.
        finds: Whether that command found `sh` and `ls`.
        noise: What came of start-up files, in standard output and beside it (untrusted text).
        login, person: Whether a login shell, and one for a person, found `sh` and `ls` (True while it is not known).
        complaint: What a login shell said of a start-up file.
        ended: Whether everything was looked at.
    """

    ran: bool
    finds: bool
    noise: str
    login: bool
    person: bool
    complaint: str
    ended: bool


def read_answer(mark: str, output: str, errors: str) -> LoginAnswer:
    """Understand the output of `login_command`; `errors` is what came on standard error."""
    before, ran, rest = output.partition(f"{mark}-shell")
    between, own, after = rest.partition(f"{mark}-own")
    between, finds, _ = between.partition(f"{mark}-path")
    noise = "\n".join(part.strip() for part in (before, errors) if part.strip())
    ended = f"{mark}-end" in after
    complaint = next((line.strip() for line in after.splitlines() if _COMPLAINT.search(line)), "")
    return LoginAnswer(
        ran=bool(ran),
        finds=bool(finds),
        noise=noise,
        login=f"{mark}-login" in after or not own,
        person=f"{mark}-person" in after or not own,
        complaint=complaint,
        ended=ended,
    )
