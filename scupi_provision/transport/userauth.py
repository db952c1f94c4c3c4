"""Paramiko's authentication, asking for the "ssh-userauth" service once per connection as RFC 4252 has it.

Paramiko asks again before every key. OpenSSH puts up with that; AsyncSSH takes it for a protocol error and hangs up, so
the second key of an account would never be tried. (`ServiceRequestingTransport` asks once, but it polls, its event can
be set before it exists, and its `auth_none` cannot be called: paramiko 5.1.)

Questions of keyboard-interactive (RFC 4256) are answered in the thread that logs in. Paramiko would ask in the one that
reads from the host, with the clock running that is meant for the host and not for a person looking for a phone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.common import cMSG_USERAUTH_INFO_RESPONSE

from scupi_provision.transport.hop_transport import HopTransport

INTERACTIVE = "keyboard-interactive"
"""The method by which a host asks what it likes (RFC 4256)."""
_SERVICE = "ssh-userauth"
_MOST_ROUNDS = 20
"""Of questions within one attempt; PAM asks a handful, and a host could go on for ever."""
_MOST_QUESTIONS = 20
_LOOK_S = 0.1


@dataclass(frozen=True)
class Reply:
    """What a host said to one attempt.

    Attributes:
        accepted: The attempt itself was right.
        methods: What may be tried next; after an accepted attempt: what is wanted in addition, nothing when logged in.
    """

    accepted: bool
    methods: tuple[str, ...] = ()

    @property
    def logged_in(self) -> bool:
        """Whether nothing more is wanted."""
        return self.accepted and not self.methods


@dataclass(frozen=True)
class Questions:
    """What a host asks at once (untrusted text).

    Attributes:
        heading: Its title and instructions; may be empty, and may be all that it sends.
        prompts: Each question, and whether the answer may be seen while it is typed.
    """

    heading: str
    prompts: tuple[tuple[str, bool], ...]


def try_key(transport: HopTransport, user: str, key: paramiko.PKey) -> Reply:
    """Log in with `key`; raises only when the connection fails."""
    handler, answered = _handler(transport)
    handler.auth_publickey(user, key, answered)
    return _reply(handler, answered)


def try_password(transport: HopTransport, user: str, password: str) -> Reply:
    """Log in with the method "password"; as `try_key`."""
    handler, answered = _handler(transport)
    handler.auth_password(user, password, answered)
    return _reply(handler, answered)


def try_interactive(transport: HopTransport, user: str, answers: Callable[[Questions], Sequence[str]]) -> Reply:
    """Log in by answering what the host asks, in as many rounds as it likes; as `try_key`.

    `answers` gives one answer for each prompt; what it raises comes out here.
    """
    handler, answered = _handler(transport)
    handler.auth_interactive(user, _never, answered)
    for _ in range(_MOST_ROUNDS):
        handler.await_host(answered)
        if handler.asked is None:
            return _reply(handler, answered)
        given = answers(handler.asked)
        handler.asked = None
        answered.clear()
        handler.send_answers(given)
    raise paramiko.SSHException(f"the host asks more than {_MOST_ROUNDS} times")


def allowed_methods(transport: HopTransport, user: str) -> list[str]:
    """What the server would accept: the "none" request exists to be told (RFC 4252, 5.2). Empty: we are in."""
    handler, answered = _handler(transport)
    handler.auth_none(user, answered)
    return list(_reply(handler, answered).methods)


def _reply(handler: _Handler, answered: Event) -> Reply:
    try:
        return Reply(accepted=True, methods=tuple(handler.wait_for_response(answered)))
    except paramiko.AuthenticationException:
        if not handler.transport.is_active():
            raise
        return Reply(accepted=False, methods=handler.methods)


class _Handler(AuthHandler):
    """One attempt.

    Attributes:
        methods: What the host listed when it said no; paramiko keeps that from us unless the method itself was wrong.
        asked: The questions that wait for answers.
    """

    transport: HopTransport
    auth_event: Event

    def __init__(self, transport: HopTransport) -> None:
        super().__init__(transport)
        self.methods: tuple[str, ...] = ()
        self.asked: Questions | None = None

    def await_host(self, answered: Event) -> None:
        """Wait until the host has decided or asked, or has hung up; raises when it is silent for too long."""
        deadline = time.monotonic() + self.transport.auth_timeout
        while self.transport.is_active() and not answered.wait(_LOOK_S):
            if time.monotonic() > deadline:
                raise paramiko.AuthenticationException("the host does not answer")

    def send_answers(self, answers: Sequence[str]) -> None:
        """What was asked for, in order."""
        message = paramiko.Message()
        message.add_byte(cMSG_USERAUTH_INFO_RESPONSE)
        message.add_int(len(answers))
        for answer in answers:
            message.add_string(answer)
        self.transport._send_message(message)  # type: ignore[attr-defined]  # noqa: SLF001 - as paramiko does it here

    def _request_auth(self) -> None:
        """Ask for the service; when it was granted before, go on as if it had just been granted again."""
        if not self.transport.userauth_granted:
            super()._request_auth()  # type: ignore[misc]
            return
        granted = paramiko.Message()
        granted.add_string(_SERVICE)
        granted.rewind()
        self._parse_service_accept(granted)

    def _parse_userauth_banner(self, message: paramiko.Message) -> None:
        """Keep all of them: PAM's modules tell in one why they refuse, and paramiko keeps the last of one handler."""
        super()._parse_userauth_banner(message)  # type: ignore[misc]
        said = self.banner or b""
        self.transport.banners.append(said.encode() if isinstance(said, str) else said)

    def _parse_service_accept(self, message: paramiko.Message) -> None:
        self.transport.userauth_granted = True
        super()._parse_service_accept(message)  # type: ignore[misc]

    def _parse_userauth_failure(self, message: paramiko.Message) -> None:
        self.methods = tuple(paramiko.Message(message.get_remainder()).get_list())
        super()._parse_userauth_failure(message)  # type: ignore[misc]

    def _parse_userauth_info_request(self, message: paramiko.Message) -> None:
        if self.auth_method != INTERACTIVE:
            raise paramiko.SSHException("the host asks questions that belong to no login")
        title, instructions = _text(message), _text(message)
        message.get_binary()  # a language tag, which nobody sets
        count = message.get_int()
        if count > _MOST_QUESTIONS:
            raise paramiko.SSHException(f"the host asks {count} questions at once")
        prompts = tuple((_text(message), message.get_boolean()) for _ in range(count))
        self.asked = Questions("\n".join(filter(None, (title.strip(), instructions.strip()))), prompts)
        self.auth_event.set()


def _handler(transport: HopTransport) -> tuple[_Handler, Event]:
    handler = _Handler(transport)
    transport.auth_handler = handler
    return handler, Event()


def _text(message: paramiko.Message) -> str:
    """A host may send anything where RFC 4256 wants UTF-8."""
    return message.get_string().decode("utf-8", "replace")


def _never(_title: str, _instructions: str, _prompts: object) -> list[str]:
    raise paramiko.SSHException("paramiko asked for answers by itself")
