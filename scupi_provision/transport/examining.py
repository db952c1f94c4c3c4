"""One hop looked at step by step, as far as it goes: each step is a finding, and an obstacle says what it hides."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress

import paramiko

from scupi_provision.errors import AuthenticationError, HostKeyError, InputError, ProvisionError
from scupi_provision.host.finding import Finding, State, unseen
from scupi_provision.transport.base import Hop, Person
from scupi_provision.transport.examined_hop import ExaminedHop
from scupi_provision.transport.examined_way import Line, ObstacleError, line_to, meaning_of
from scupi_provision.transport.failures import CONNECTION_ERRORS, handshake_failed
from scupi_provision.transport.hop_transport import DISABLED_ALGORITHMS, HopTransport
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import HostKey, Standing, fingerprint
from scupi_provision.transport.login import Login
from scupi_provision.transport.route import printable
from scupi_provision.transport.user_keys import UserKey, load_user_keys
from scupi_provision.transport.userauth import allowed_methods

CHECKS = ("name", "way", "greeting", "algorithms", "host key", "methods", "login", "sessions")
"""What is looked at, in this order; an obstacle hides all that follow."""

_LEAST_RSA_BITS = 2048  # NIST SP 800-131A rev. 2, table 2: shorter ones are disallowed for signatures
_SESSIONS_WANTED = 2  # one for the run, one for whatever goes on beside it


def examine(
    hop: Hop,
    through: ExaminedHop | None,
    person: Person,
    resolved: str | None = None,
    *,
    owner: Person | None = None,
) -> Generator[Finding, None, ExaminedHop | None]:
    """Look at a hop; yields a finding for each of CHECKS and returns the open hop, or None.

    Nothing is trusted that is not known already.

    Args:
        hop: The hop.
        through: The open hop before it; None for the first one.
        person: Who answers what the host asks for.
        resolved: What the hop before takes the address to be: an address, "-" when it knows no such name, or None
            when it could not be asked.
        owner: Who knows the passphrases of the keys; by default `person` too.
    """
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else it prints beside us
    examination = _Examination(hop, through, person, owner or person, resolved)
    for number, step in enumerate(examination.steps):
        try:
            yield from step()
        except ObstacleError as obstacle:  # noqa: PERF203 - there are eight steps
            yield Finding(hop.name, CHECKS[number], State.PROBLEM, obstacle.what, obstacle.fix)
            yield from unseen(hop.name, CHECKS[number + 1 :], f"{CHECKS[number]} is in the way")
            examination.abandon()
            return None
        except BaseException:
            examination.abandon()
            raise
    return examination.opened


class _Examination:
    """What is known of the hop so far; each step of `steps` relies on the ones before."""

    def __init__(
        self, hop: Hop, through: ExaminedHop | None, person: Person, owner: Person, resolved: str | None
    ) -> None:
        self._hop = hop
        self._through = through
        self._person = person
        self._owner = owner
        self._resolved = resolved
        self._line: Line | None = None
        self._transport: HopTransport | None = None
        self._judge: HostKeyJudge | None = None
        self.steps: Sequence[Callable[[], Iterator[Finding]]] = (
            self._name,
            self._way,
            self._greeting,
            self._algorithms,
            self._host_key,
            self._methods,
            self._login,
            self._sessions,
        )
        self._handshake: BaseException | None = None
        self._keys: tuple[UserKey, ...] = ()
        self._session: paramiko.Channel | None = None

    @property
    def opened(self) -> ExaminedHop:
        """The hop after the last step."""
        return ExaminedHop(self._hop, self._open, self._through, self._keys, self._session)

    def abandon(self) -> None:
        """Let go of whatever is open."""
        for thing in (self._transport, self._line):
            if thing is not None:
                with suppress(*CONNECTION_ERRORS):
                    thing.close()

    @property
    def _open(self) -> HopTransport:
        assert self._transport is not None  # noqa: S101 - the order of `steps`
        return self._transport

    def _found(self, check: str, state: State, what: str, fix: str = "") -> Finding:
        return Finding(self._hop.name, check, state, what, fix)

    # --- the steps --------------------------------------------------------------------------------------------------

    def _name(self) -> Iterator[Finding]:
        yield self._found("name", State.OK, meaning_of(self._hop, self._through, self._resolved))

    def _way(self) -> Iterator[Finding]:
        self._line = line_to(self._hop, self._through)
        by = f"{self._through.hop.name} forwards to it, " if self._through else ""
        yield self._found("way", State.OK, f"{by}port {self._hop.port} answers")

    def _greeting(self) -> Iterator[Finding]:
        self._judge = self._judged()
        self._transport = HopTransport(
            self._line, DISABLED_ALGORITHMS, preferred_kinds=self._judge.preferred_kinds if self._judge else ()
        )
        self._transport.banner_timeout = self._hop.connect_timeout_s
        try:
            self._transport.start_client(timeout=self._hop.connect_timeout_s)
            self._transport.get_remote_server_key()  # start_client just returns when its time is over
        except CONNECTION_ERRORS as error:
            self._handshake = error
            if not self._transport.remote_version:
                raise ObstacleError.of(handshake_failed(error, self._hop, self._transport)) from error
        yield self._found("greeting", State.OK, self._transport.remote_version)

    def _judged(self) -> HostKeyJudge | None:
        """None when a known_hosts file or a pin cannot be read, which the step `host key` tells."""
        try:
            return HostKeyJudge.for_hop(self._hop, self._person)
        except (InputError, HostKeyError):
            return None

    def _algorithms(self) -> Iterator[Finding]:
        if self._handshake is not None:
            raise ObstacleError.of(handshake_failed(self._handshake, self._hop, self._open))
        transport = self._open
        offers = transport.server_offers
        exchange = _first(transport.preferred_kex, offers["kex_algo_list"])
        cipher = _first(transport.preferred_ciphers, offers["server_encrypt_algo_list"])
        yield self._found("algorithms", State.OK, f"{exchange}, {cipher}")

    def _host_key(self) -> Iterator[Finding]:
        key = self._open.get_remote_server_key()
        offered = HostKey(key.get_name(), key.asbytes())
        named = f"{fingerprint(offered)} ({offered.kind})"
        try:
            judge = self._judge or HostKeyJudge.for_hop(self._hop, self._person)
            judge.check(offered)
        except (HostKeyError, InputError) as error:
            raise self._unaccepted(error, offered, named) from error
        lines = judge.known.lookup(self._hop.address, self._hop.port, offered).evidence
        by = "pinned in the inventory" if judge.pins else f"known by {lines[0].file}:{lines[0].line}"
        yield self._found("host key", State.OK, f"{named}, {by}")

    def _unaccepted(self, error: ProvisionError, offered: HostKey, named: str) -> ObstacleError:
        judge = self._judge
        if judge and not judge.pins:
            verdict = judge.known.lookup(self._hop.address, self._hop.port, offered)
            if verdict.standing is Standing.UNKNOWN:
                fix = f"provision trust {self._hop.name} (compare the fingerprint with the administrator's)"
                return ObstacleError(f"{named} is not known: whether this is the right host cannot be told", fix)
        return ObstacleError.of(error)

    def _methods(self) -> Iterator[Finding]:
        try:
            methods = allowed_methods(self._open, self._hop.user or getpass.getuser())
        except CONNECTION_ERRORS as error:
            raise ObstacleError.of(handshake_failed(error, self._hop, self._open)) from error
        told = ", ".join(map(printable, methods)) or "none is needed"
        if "publickey" not in methods and self._hop.key_files:
            fix = f"ask the administrator of {self._hop.name} how accounts log in there: it takes no keys"
            yield self._found("methods", State.WARNING, f"{told}; no keys", fix)
        else:
            yield self._found("methods", State.OK, told)

    def _login(self) -> Iterator[Finding]:
        if self._open.is_authenticated():  # asking for the methods was enough
            yield self._found("login", State.OK, f"as {self._hop.user}")
            return
        try:
            self._keys = load_user_keys(self._hop, self._owner)
            judge = self._judge or HostKeyJudge.for_hop(self._hop, self._person)
            Login(self._hop, judge, self._keys).authenticate(self._open)
        except (InputError, AuthenticationError) as error:
            raise ObstacleError.of(error) from error
        yield self._strength()

    def _strength(self) -> Finding:
        for key in self._keys:
            bits = key.key.get_bits()
            if key.key.get_name() == "ssh-rsa" and bits < _LEAST_RSA_BITS:
                what = f"as {self._hop.user}, but the key {key.origin} has only {bits} bits"
                fix = "make one of your own: `access: {own_key: true}` for the account in the inventory, then apply"
                return self._found("login", State.WARNING, what, fix)
        return self._found("login", State.OK, f"as {self._hop.user}")

    def _sessions(self) -> Iterator[Finding]:
        opened: list[paramiko.Channel] = []
        try:
            for _ in range(_SESSIONS_WANTED):
                opened.append(self._open.open_session(timeout=self._hop.connect_timeout_s))  # noqa: PERF401 - each may fail
        except CONNECTION_ERRORS as error:
            if not opened:
                fix = f"ask the administrator of {self._hop.name} for MaxSessions above 0 in its sshd_config"
                raise ObstacleError(f"it opens no session: {self._open.refusal or error}", fix) from error
        # The first is kept for the first shell: sshd may count one that is closed for a while longer.
        self._session, *others = opened
        for channel in others:
            channel.close()
        if len(opened) < _SESSIONS_WANTED:
            what = "only one session on a connection (MaxSessions 1): ssh's ControlMaster cannot be used"
            fix = f"ask the administrator of {self._hop.name} for MaxSessions 10 (the default); provision needs one"
            yield self._found("sessions", State.WARNING, what, fix)
        else:
            yield self._found("sessions", State.OK, "several on one connection")


def _first(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """What both sides agree on: the client's first that the server has (RFC 4253, 7.1)."""
    return next((name for name in ours if name in theirs), "?")
