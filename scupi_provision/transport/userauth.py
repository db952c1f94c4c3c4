"""Paramiko's authentication, asking for the "ssh-userauth" service once per connection as RFC 4252 has it.

Paramiko asks again before every key. OpenSSH puts up with that; AsyncSSH takes it for a protocol error and hangs up, so
the second key of an account would never be tried. (`ServiceRequestingTransport` asks once, but it polls, its event can
be set before it exists, and its `auth_none` cannot be called: paramiko 5.1.)
"""

from __future__ import annotations

from threading import Event

import paramiko
from paramiko.auth_handler import AuthHandler

from scupi_provision.transport.hop_transport import HopTransport

_SERVICE = "ssh-userauth"


def try_key(transport: HopTransport, user: str, key: paramiko.PKey) -> list[str]:
    """Log in with `key`; returns the methods wanted in addition (empty: logged in), raises when it is rejected."""
    handler, answered = _handler(transport)
    handler.auth_publickey(user, key, answered)
    return handler.wait_for_response(answered)


def try_password(transport: HopTransport, user: str, password: str) -> list[str]:
    """Log in with `password`; as `try_key`. Falls back to keyboard-interactive, which is how PAM asks for one."""
    handler, answered = _handler(transport)
    handler.auth_password(user, password, answered)
    try:
        return handler.wait_for_response(answered)
    except paramiko.BadAuthenticationType as error:
        if "keyboard-interactive" not in error.allowed_types:
            raise
    handler, answered = _handler(transport)
    handler.auth_interactive(user, lambda _title, _text, prompts: _answers(prompts, password), answered)
    return handler.wait_for_response(answered)


def allowed_methods(transport: HopTransport, user: str) -> list[str]:
    """What the server would accept: the "none" request exists to be told (RFC 4252, 5.2)."""
    handler, answered = _handler(transport)
    handler.auth_none(user, answered)
    try:
        return handler.wait_for_response(answered)
    except paramiko.BadAuthenticationType as error:
        return list(error.allowed_types)


class _Handler(AuthHandler):
    transport: HopTransport

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


def _handler(transport: HopTransport) -> tuple[_Handler, Event]:
    handler = _Handler(transport)
    transport.auth_handler = handler
    return handler, Event()


def _answers(prompts: list[tuple[str, bool]], password: str) -> list[str]:
    """One question with hidden input is a password prompt; more than that (a code, say) is not ours to answer."""
    if not prompts:
        return []
    if len(prompts) > 1 or prompts[0][1]:
        raise paramiko.SSHException("the host asks for more than a password")
    return [password]
