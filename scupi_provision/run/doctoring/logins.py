"""Checks of a fresh login: a new connection over every hop, the account's own shell, SFTP, the time it takes."""

from __future__ import annotations

from collections.abc import Iterator

from scupi_provision.host.finding import Finding, State, unseen
from scupi_provision.run.fresh_login import FreshLogin, Trouble
from scupi_provision.transport.base import Hop, Person

CHECKS = ("fresh login", "silence", "SFTP", "time to log in")
_SLOW_S = 6.0
"""Seconds for four shells, one after another; VS Code and scp give up on files that take longer than 10 to 15 each."""
_GUARD = "put what prints in ~/.bashrc below this line: case $- in *i*) ;; *) return ;; esac"


class CountingPerson:
    """The Person protocol for somebody else's answers; knows whether there was a question.

    Attributes:
        asked: Whether a secret was wanted.
    """

    def __init__(self, person: Person) -> None:
        self._person = person
        self.asked = False

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """Ask whoever is behind."""
        self.asked = True
        return self._person.secret(hop, question, echo=echo)

    def trusts(self, hop: Hop, offered: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """A look trusts nobody new."""
        return False


def told(name: str, login: FreshLogin | str, account: str, *, by_ssh: bool = True) -> Iterator[Finding]:
    """What a fresh login shows.

    Args:
        name: Of the node.
        login: The login; or what it would have cost, as text, where there was none.
        account: Whose, for the advice.
        by_ssh: Whether our SSH reaches the node, so that there could be SFTP.
    """
    if isinstance(login, str):
        yield from unseen(name, CHECKS, f"another login would take {login}")
        return
    rescue = f"provision rescue {account}".strip()
    if login.trouble >= Trouble.LOGIN_SHELL:
        yield Finding(name, CHECKS[0], State.PROBLEM, login.problem, rescue)
        if login.trouble >= Trouble.NO_SHELL:
            yield from unseen(name, CHECKS[1:], f"{CHECKS[0]} is in the way")
            return
    else:
        yield Finding(name, CHECKS[0], State.OK, "a new one works, with its own files, for people and for programs")
    if login.noise:
        said = " / ".join(login.noise.strip().split("\n"))[:120]
        what = f"the login files print something where nobody reads it, which breaks scp and rsync: {said!a}"
        yield Finding(name, CHECKS[1], State.WARNING, what, _GUARD)
    else:
        yield Finding(name, CHECKS[1], State.OK, "a shell for programs prints nothing")
    yield _sftp(name, login, by_ssh=by_ssh)
    yield _time(name, login)


def _sftp(name: str, login: FreshLogin, *, by_ssh: bool) -> Finding:
    if not by_ssh:
        return Finding(name, CHECKS[2], State.OK, "none on this way, and provision needs none")
    if login.sftp:
        return Finding(name, CHECKS[2], State.OK, "greets")
    fix = f"for scp: scp -O; else write to the administrator: {name} has no SFTP (`Subsystem sftp internal-sftp`)"
    said = "its SSH server has none" if login.sftp is None else "the SFTP server does not greet"
    return Finding(name, CHECKS[2], State.WARNING, said, fix)


def _time(name: str, login: FreshLogin) -> Finding:
    what = f"{login.seconds:.1f} s for a login and a shell of each kind"
    if login.seconds <= _SLOW_S:
        return Finding(name, CHECKS[3], State.OK, what)
    fix = (
        "see what takes so long: PS4='+ $(date +%T) ' bash -xic exit 2>&1 | less (conda init and module load often do)"
    )
    return Finding(name, CHECKS[3], State.WARNING, f"{what}: VS Code gives up on slow ones", fix)
