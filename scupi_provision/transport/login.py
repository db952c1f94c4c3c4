"""Authentication on one hop: keys, then what a person is asked; and what was tried, for the error.

A host may want several things, one after the other (RFC 4252, 5.1: partial success): a key and then a code.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import paramiko

from scupi_provision.errors import AuthenticationError
from scupi_provision.transport.answering import Answering
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import CONNECTION_ERRORS, job_needed
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import HostKey
from scupi_provision.transport.route import described, printable
from scupi_provision.transport.user_keys import UserKey
from scupi_provision.transport.userauth import (
    INTERACTIVE,
    Reply,
    allowed_methods,
    try_interactive,
    try_key,
    try_password,
)

_KEY, _PASSWORD = "publickey", "password"


@dataclass
class _Way:
    """One way to log in.

    Attributes:
        method: The SSH method's name.
        label: What to call it in messages.
        attempt: Tries it once.
        left: How many more times it may be tried.
    """

    method: str
    label: str
    attempt: Callable[[], Reply]
    left: int = 1


class Login:
    """How to log in to one hop: what paramiko calls an auth strategy, of which it uses `authenticate` only."""

    def __init__(self, hop: Hop, judge: HostKeyJudge, keys: tuple[UserKey, ...]) -> None:
        self._hop = hop
        self._judge = judge
        self._keys = keys
        self._user = hop.user or getpass.getuser()
        is_passphrase = any(key.was_encrypted for key in keys)  # then it is not for the host to see
        self._answering = Answering(hop, judge.person, None if is_passphrase else hop.password)
        self._ways: list[_Way] = []
        self._tried: list[str] = []
        self._allowed: tuple[str, ...] | None = None
        self._is_half_in = False

    def authenticate(self, transport: HopTransport) -> list[str]:
        """Log in, or raise AuthenticationError.

        The host key is judged here a second time: should a later Fabric or paramiko consult a key store of its own
        before it asks our policy, still no name, key or password is sent to a host that we do not know.
        """
        offered = transport.get_remote_server_key()
        self._judge.check(HostKey(offered.get_name(), offered.asbytes()))
        agent = paramiko.Agent() if self._hop.use_agent or any(key.in_agent for key in self._keys) else None
        try:
            self._ways = list(self._every_way(transport, agent))
            if self._gets_in(transport):
                return []
        finally:
            if agent:
                agent.close()
        raise self._refused(transport)

    def _every_way(self, transport: HopTransport, agent: paramiko.Agent | None) -> Iterator[_Way]:
        """In the order in which they are tried."""
        for key in self._usable_keys(agent):
            yield _Way(_KEY, str(key), partial(try_key, transport, self._user, key.key))
        times = self._answering.attempts
        yield _Way(INTERACTIVE, "what it asks", partial(self._interact, transport), times)
        yield _Way(_PASSWORD, "password", partial(self._give_password, transport), times)

    def _usable_keys(self, agent: paramiko.Agent | None) -> Iterator[UserKey]:
        held = {key.asbytes(): key for key in agent.get_keys()} if agent else {}
        for key in self._keys:
            mine = held.pop(key.key.asbytes(), None)
            if not key.in_agent:
                yield key
            elif mine is not None:
                yield replace(key, key=mine)
        if self._hop.use_agent:
            yield from (UserKey(key, "the ssh-agent") for key in held.values())

    def _gets_in(self, transport: HopTransport) -> bool:
        """Go through the ways until the host is content: with one of them, or with as many as it wants."""
        while transport.is_active() and (way := self._next(transport)):
            way.left -= 1
            if way.label not in self._tried:
                self._tried.append(way.label)
            try:
                reply = way.attempt()
            except CONNECTION_ERRORS:
                continue  # the host has hung up, or was silent for too long
            if reply.logged_in:
                return True
            self._take_note(reply, way)
        return transport.is_authenticated()

    def _next(self, transport: HopTransport) -> _Way | None:
        if self._allowed is None and not any(way.left for way in self._ways if way.method == _KEY):
            self._ask_what_is_allowed(transport)
            if transport.is_authenticated():
                return None
        return next((way for way in self._ways if self._is_open(way) and self._is_worthwhile(way)), None)

    def _is_open(self, way: _Way) -> bool:
        """Whether the host would look at it; a key is offered before it has said what it wants."""
        return way.left > 0 and (way.method == _KEY if self._allowed is None else way.method in self._allowed)

    def _is_worthwhile(self, way: _Way) -> bool:
        if way.method == _KEY:
            return True
        asks_more = any(other.method == INTERACTIVE and self._is_open(other) for other in self._ways)
        if way.method == _PASSWORD and asks_more:
            return False  # PAM asks the same question there
        if self._is_half_in or _KEY not in (self._allowed or ()):
            return True
        # A key that is not accepted is a mistake to be told: with a class of them, nobody wants to be asked each time.
        return self._answering.is_possible and (not self._hop.key_files or self._hop.password is not None)

    def _take_note(self, reply: Reply, way: _Way) -> None:
        if self._allowed is None and way.method not in reply.methods and not reply.accepted:
            way.left += 1  # the host wants something else first, and has not looked at this
        self._allowed = reply.methods or self._allowed
        self._is_half_in = self._is_half_in or reply.accepted
        if reply.accepted:
            self._answering.remark = ""
        elif way.method == _KEY:
            self._answering.remark = "no key was accepted; "
        elif not self._answering.has_asked:
            way.left = 0  # the server lists the method but has nothing behind it
        else:
            self._answering.remark = "that was not accepted; "
            for other in self._ways:  # a wrong answer is one, whichever way it was given
                other.left = min(other.left, way.left) if other.method != _KEY else other.left

    def _interact(self, transport: HopTransport) -> Reply:
        self._answering.has_asked = False
        return try_interactive(transport, self._user, self._answering.to)

    def _give_password(self, transport: HopTransport) -> Reply:
        return try_password(transport, self._user, self._answering.password(self._user))

    def _ask_what_is_allowed(self, transport: HopTransport) -> None:
        try:
            self._allowed = tuple(allowed_methods(transport, self._user))
        except CONNECTION_ERRORS:
            return  # it hung up on us, which `_refused` says

    def _refused(self, transport: HopTransport) -> AuthenticationError:
        if wanted := job_needed(transport.announcement, self._hop):
            return wanted
        lines = [f"tried:  {label}" for label in self._tried] or ["tried:  nothing (the ssh-agent has no keys)"]
        if self._allowed:
            word = "wants in addition" if self._is_half_in else "allows"
            lines.append(f"server {word}: {', '.join(map(printable, self._allowed))}")
        if not transport.is_active():
            lines.append("the server closed the connection")
        return AuthenticationError(
            f"{described(self._hop)} does not let user {printable(self._user)} in",
            detail="\n".join(lines),
            hint=self._advice(),
        )

    def _advice(self) -> str:
        if self._allowed and _KEY not in self._allowed:
            return f"this host takes no keys, only: {', '.join(map(printable, self._allowed))}"
        return (
            "check the login name, and that the key's public half is in ~/.ssh/authorized_keys on that host "
            "(home and ~/.ssh must not be writable for others)"
        )
