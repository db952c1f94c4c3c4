"""A fresh login: whether who comes new gets in and finds a shell that works, as ssh, scp and VS Code need it."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Literal

from scupi_provision.errors import ProvisionError, UnreachableError
from scupi_provision.shell.login import LoginAnswer, by_login_shell, login_body, login_command, read_answer
from scupi_provision.transport.base import Channel, Ending, Person, Route, Transport
from scupi_provision.transport.offers import OffersSftp
from scupi_provision.transport.opening import open_transport
from scupi_provision.transport.shared_hops import SharedHops

_POLL_S = 0.5
_MOST_OUTPUT = 256 * 1024
"""Bytes that are read of a shell that does not stop printing."""
_SHOWN = 200
"""Characters of noise in a sentence."""
_SHELLS_AFTER = 2
"""Shells that are looked at, one after another, when the first has come through: for logins, and for people."""


class Trouble(IntEnum):
    """What is wrong with a login, in the order of how much it hurts."""

    NONE = 0
    NOISY = 1
    NO_SFTP = 2
    LOGIN_SHELL = 3
    LOST_PATH = 4
    NO_SHELL = 5
    NO_LOGIN = 6


@dataclass(frozen=True)
class FreshLogin:
    """How a fresh login went.

    Attributes:
        seconds: From the first packet to the end of the look.
        noise: What the start-up files printed in a shell that is not for a person (untrusted text).
        sftp: Whether an SFTP server greets; None where there is none, or where the login did not get that far.
        problem: What is wrong, one sentence; "" when all is well.
        trouble: The kind of the problem.
        mark: A word in the arguments of whatever the login has started, and of nothing else.
    """

    seconds: float
    noise: str = ""
    sftp: bool | None = None
    problem: str = ""
    trouble: Trouble = Trouble.NONE
    mark: str = ""


def fresh_login(
    route: Route,
    person: Person,
    *,
    connection: Literal["ssh", "local"] = "ssh",
    limit_s: float = 20,
    hops: SharedHops[Any] | None = None,
) -> FreshLogin:
    """Log in anew over every hop of `route` and look whether the account's shells do what they are told.

    A connection of its own is made. The account's shell, with its start-up files and without a terminal, must run our
    word, print nothing else and find `sh` and `ls`; so must a login shell find them, also one for a person (these two
    may print). SFTP is tried where the way allows it.

    Args:
        route: The hops; unused when `connection` is "local".
        person: Who answers what hops ask.
        connection: How the host is reached.
        limit_s: For each shell, and for the SFTP greeting.
        hops: Those that other fresh logins of the same look have opened; by default all are opened anew.
    """
    started = time.monotonic()
    name = route[-1].name if route else "this machine"
    try:
        transport = open_transport(route, connection, person, hops)
    except ProvisionError as error:
        return FreshLogin(time.monotonic() - started, problem=_sentence(error), trouble=Trouble.NO_LOGIN)
    try:
        found = _looked(transport, name, local=connection == "local", limit_s=limit_s)
    except ProvisionError as error:
        found = FreshLogin(0.0, problem=_sentence(error), trouble=Trouble.NO_SHELL)
    finally:
        transport.close()
    return replace(found, seconds=time.monotonic() - started)


def _looked(transport: Transport, name: str, *, local: bool, limit_s: float) -> FreshLogin:
    mark = f"provision-{secrets.token_hex(8)}"
    body = login_body(mark, limit_s)
    command = login_command(mark, body)
    channel = transport.open_shell(by_login_shell(command) if local else command)
    try:
        answer, in_time = _answer(channel, mark, body, limit_s)
    finally:
        channel.close()
    sftp = None
    if answer.ended and isinstance(transport, OffersSftp):
        sftp = transport.sftp_greets(limit_s)
    return replace(_judged(answer, name, limit_s, sftp=sftp, in_time=in_time), mark=mark)


def _answer(channel: Channel, mark: str, body: bytes, limit_s: float) -> tuple[LoginAnswer, bool]:
    """What the host says, and whether it had said it all before its time was over."""
    with suppress(UnreachableError):  # a shell that ends at once reads nothing; what it says is read all the same
        channel.send(body)
    output = b""
    deadline = time.monotonic() + limit_s
    came_through = False
    while not read_answer(mark, _text(output), "").ended:
        if not came_through and f"{mark}-own".encode() in output:
            came_through = True
            deadline = time.monotonic() + _SHELLS_AFTER * (limit_s + 1) + 1
        left = deadline - time.monotonic()
        if left <= 0 or len(output) > _MOST_OUTPUT:
            if isinstance(channel, Ending):
                channel.kill()
            return read_answer(mark, _text(output), channel.stderr_tail()), False
        data = channel.receive(min(left, _POLL_S))
        if data == b"":
            break
        output += data or b""
    return read_answer(mark, _text(output), channel.stderr_tail()), True


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def _judged(answer: LoginAnswer, name: str, limit_s: float, *, sftp: bool | None, in_time: bool) -> FreshLogin:
    """The worst of what was found."""
    trouble, problem = Trouble.NONE, ""
    if not answer.ran:
        trouble = Trouble.NO_SHELL
        problem = f"the login shell on {name} ends before it runs a command" if in_time else _endless(name, limit_s)
    elif not answer.finds:
        trouble = Trouble.LOST_PATH
        problem = f"a command on {name} no longer finds `sh` and `ls`: its PATH is spoilt"
    elif not answer.ended:
        trouble, problem = Trouble.NO_SHELL, f"the login shell on {name} breaks off"
    elif not answer.login or not answer.person:
        trouble = Trouble.LOGIN_SHELL
        kind = "a login shell" if not answer.login else "the shell that a person gets"
        problem = f"{kind} on {name} ends, hangs, or does not find `sh` and `ls`"
    elif sftp is False:
        trouble, problem = Trouble.NO_SFTP, f"the SFTP server of {name} does not greet"
    elif answer.noise or answer.complaint:
        trouble, problem = Trouble.NOISY, f"the start-up files on {name} print something, which breaks scp and rsync"
    said = (answer.noise or answer.complaint) if trouble else ""
    quoted = f": {_quoted(said)}" if said else ""
    return FreshLogin(0.0, said, sftp, problem + quoted, trouble)


def _endless(name: str, limit_s: float) -> str:
    return (
        f"the login shell on {name} does not come to run a command within {limit_s:g} s: a start-up file waits or loops"
    )


def _quoted(noise: str) -> str:
    """The first lines of untrusted text, as one that cannot be mistaken for ours."""
    return ascii(" / ".join(noise.split("\n"))[:_SHOWN])


def _sentence(error: ProvisionError) -> str:
    diagnostic = error.diagnostic
    return f"{diagnostic.summary}: {diagnostic.detail}" if diagnostic.detail else diagnostic.summary
