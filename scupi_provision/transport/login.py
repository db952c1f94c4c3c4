"""Authentication on one hop: each key once, then the agent, then the password; and what was tried, for the error."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import paramiko

from scupi_provision.errors import AuthenticationError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import CONNECTION_ERRORS, job_needed
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import HostKey
from scupi_provision.transport.route import described, printable
from scupi_provision.transport.user_keys import UserKey
from scupi_provision.transport.userauth import allowed_methods, try_key, try_password


@dataclass(frozen=True)
class _Way:
    """One way to log in: the SSH method's name, what to call it in messages, and the call that tries it.

    `attempt` returns the methods that the server wants in addition (empty: logged in) or raises.
    """

    method: str
    label: str
    attempt: Callable[[], list[str]]


class Login:
    """How to log in to one hop: what paramiko calls an auth strategy, of which it uses `authenticate` only."""

    def __init__(self, hop: Hop, judge: HostKeyJudge, keys: tuple[UserKey, ...]) -> None:
        self._hop = hop
        self._judge = judge
        self._keys = keys
        self._user = hop.user or getpass.getuser()
        self._tried: list[str] = []
        self._allowed: list[str] = []
        self._further: list[str] = []

    def authenticate(self, transport: HopTransport) -> list[str]:
        """Log in, or raise AuthenticationError.

        The host key is judged here a second time: should a later Fabric or paramiko consult a key store of its own
        before it asks our policy, still no name, key or password is sent to a host that we do not know.
        """
        offered = transport.get_remote_server_key()
        self._judge.check(HostKey(offered.get_name(), offered.asbytes()))
        agent = paramiko.Agent() if self._hop.use_agent else None
        try:
            if any(self._succeeds(way, transport) for way in self._ways(transport, agent)):
                return []
            self._ask_what_is_allowed(transport)
        finally:
            if agent:
                agent.close()
        raise self._refused(transport)

    def _ways(self, transport: HopTransport, agent: paramiko.Agent | None) -> Iterator[_Way]:
        keys = list(self._keys)
        keys += [UserKey(key, "the ssh-agent") for key in agent.get_keys()] if agent else []
        for key in keys:
            yield _Way("publickey", str(key), partial(try_key, transport, self._user, key.key))
        password = self._hop.password
        if password and not any(key.was_encrypted for key in keys):  # then it is a passphrase, not for the host to see
            yield _Way("password", "password", lambda: try_password(transport, self._user, password.reveal()))

    def _succeeds(self, way: _Way, transport: HopTransport) -> bool:
        if not transport.is_active() or (
            way.method == "publickey" and self._allowed and way.method not in self._allowed
        ):
            return False
        self._tried.append(way.label)
        try:
            self._further = way.attempt()
        except paramiko.BadAuthenticationType as error:
            self._allowed = list(error.allowed_types)
            return False
        except CONNECTION_ERRORS:
            return False  # rejected, or the server hung up; `_refused` tells the two apart
        return not self._further

    def _ask_what_is_allowed(self, transport: HopTransport) -> None:
        """A rejected key brings no list of methods, and the message is much better with one."""
        if self._allowed or not transport.is_active():
            return
        try:
            self._allowed = allowed_methods(transport, self._user)
        except CONNECTION_ERRORS:
            return  # it hung up on us, which `_refused` says

    def _refused(self, transport: HopTransport) -> AuthenticationError:
        if wanted := job_needed(transport.announcement, self._hop):
            return wanted
        lines = [f"tried:  {label}" for label in self._tried] or ["tried:  nothing (the ssh-agent has no keys)"]
        if self._allowed:
            lines.append(f"server allows: {', '.join(map(printable, self._allowed))}")
        if self._further:
            lines.append(f"server wants in addition: {', '.join(map(printable, self._further))}")
        if not transport.is_active():
            lines.append("the server closed the connection")
        return AuthenticationError(
            f"{described(self._hop)} does not let user {printable(self._user)} in",
            detail="\n".join(lines),
            hint=self._advice(),
        )

    def _advice(self) -> str:
        if self._allowed and "publickey" not in self._allowed:
            return f"this host takes no keys, only: {', '.join(map(printable, self._allowed))}"
        return (
            "check the login name, and that the key's public half is in ~/.ssh/authorized_keys on that host "
            "(home and ~/.ssh must not be writable for others)"
        )
