"""The nested way: where a gateway forwards nothing, its own ssh goes on to the next host, in a shell of ours there.

The session protocol inside is the same, but it is no longer end to end: whoever is root on the gateway could read
along. The next host's key is still judged by what the controller knows: ssh there gets a known_hosts file made of that
and nothing else. The login is by the account's own key on the gateway; no key is copied there, no agent forwarded.
"""

from __future__ import annotations

import re

from scupi_provision.errors import HostKeyError, UnreachableError
from scupi_provision.shell.words import words
from scupi_provision.transport.base import Channel, Hop, Transport, Way
from scupi_provision.transport.failures import connection_lost, shell_refused
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import KEY_KINDS, HostKey
from scupi_provision.transport.onward_failures import onward_failed
from scupi_provision.transport.relayed_shell import Lines, RelayedTransport, new_mark, start

_AUTHENTICATION_S = 30.0  # as for a hop of our own
_SCAN_S = 20.0
_END_S = 0.5  # the connection's end is told a moment after that of the shells on it
_SSH_FAILED = 255  # ssh's own exit status, when it is not that of the command
_FOLDER = re.compile(r"/tmp/provision-ssh-\w+")  # noqa: S108 - on the gateway, made there by mktemp -d
_SESSION_REFUSED = re.compile(r"session request failed|Session open refused")

_SETTINGS = {
    # Options that OpenSSH 7.4 does not know yet; newer ones shall not take them from somebody's ~/.ssh/config.
    "IgnoreUnknown": "KnownHostsCommand,RemoteCommand,SessionType,ForkAfterAuthentication,StdinNull",
    "KnownHostsCommand": "none",
    "RemoteCommand": "none",
    "SessionType": "default",
    "ForkAfterAuthentication": "no",
    "StdinNull": "no",
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "CheckHostIP": "no",
    "UpdateHostKeys": "no",
    "VerifyHostKeyDNS": "no",
    "NoHostAuthenticationForLocalhost": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "GSSAPIDelegateCredentials": "no",
    "ClearAllForwardings": "yes",
    "Tunnel": "no",
    "RequestTTY": "no",
    "EscapeChar": "none",
    "ControlPersist": "no",
    "ConnectionAttempts": "1",
    # A second leg that is half open is noticed within 15 s, as our own heartbeat notices the first.
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "2",
    "LogLevel": "INFO",
}
"""For the gateway's ssh, ahead of its own configuration, of which only where a name leads and which key is used counts.

ssh_config(5) of OpenSSH 7.4 and 9.9.
"""


class NestedTransport(RelayedTransport):
    """The Transport protocol over an ssh that runs on the gateway; made by `nest`."""

    way: Way = "nested"

    def __init__(self, gateway: Transport, before: Hop, hop: Hop, line: Lines, explanation: str, folder: str) -> None:
        """As for every relayed way; `folder` is where the gateway's ssh keeps its connection."""
        super().__init__(gateway, before, hop, line, explanation)
        self._folder = folder

    def _start(self, mark: str, command: str) -> Channel:
        return start(
            self._gateway,
            mark,
            "nested.sh",
            "p_through",
            OPTIONS=words(*ssh_options(self._hop)),
            HOST=self._hop.address,
            DIR=self._folder,
            COMMAND=command,
        )

    def _end_of(self, said: str, status: int | None) -> UnreachableError | None:
        if _SESSION_REFUSED.search(said):
            return shell_refused(self._hop, said)
        if status == _SSH_FAILED:
            self._line.wait_for_end(_END_S)
        return self._lost(said) if self._line.ended else None

    def _lost(self, said: str) -> UnreachableError:  # noqa: ARG002 - ssh has no more to say of it
        return connection_lost(self._hop)


def nest(gateway: Transport, before: Hop, hop: Hop, judge: HostKeyJudge, explanation: str) -> NestedTransport:
    """Go on from `before`, the last hop of `gateway`, to `hop` by the ssh that is there.

    Raises:
        UnreachableError: It does not lead there; HostKeyError, AuthenticationError and NeedsJobError are kinds of it.
    """
    known = judge.trusted or _learned(gateway, hop, judge)
    mark = new_mark()
    channel = start(
        gateway,
        mark,
        "nested.sh",
        "p_keep_open",
        OPTIONS=words(*ssh_options(hop)),
        HOST=hop.address,
        KNOWN="".join(f"{_alias(hop)} {key.text}\n" for key in known),
    )
    line = Lines(channel, mark)
    try:
        folder = _came_up(line, hop, before)
    except HostKeyError:
        channel.close()
        _learned(gateway, hop, judge)  # says more about the key that is offered
        raise
    except BaseException:
        channel.close()
        raise
    return NestedTransport(gateway, before, hop, line, explanation, folder)


def ssh_options(hop: Hop) -> tuple[str, ...]:
    """What the gateway's ssh is told about a connection to `hop`, whose address and user `check_route` has checked."""
    settings = {**_SETTINGS, "ConnectTimeout": f"{hop.connect_timeout_s:.0f}", "HostKeyAlias": _alias(hop)}
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    return ("-T", "-p", str(hop.port), *(("-l", hop.user) if hop.user else ()), *options)


def _alias(hop: Hop) -> str:
    """The name under which ssh looks the key up: also where the gateway's configuration gives another address."""
    return hop.address.lower()


def _came_up(line: Lines, hop: Hop, before: Hop) -> str:
    keys: list[str] = []
    line.await_hello(before)
    for kind, *rest in line.within(hop.connect_timeout_s + _AUTHENTICATION_S):
        value = " ".join(rest)
        if kind == "up" and _FOLDER.fullmatch(value):
            return value
        if kind == "key":
            keys.append(value)
    raise onward_failed(line.channel.stderr_tail(), hop, before, keys)


def _learned(gateway: Transport, hop: Hop, judge: HostKeyJudge) -> tuple[HostKey, ...]:
    """The keys of `hop` that are accepted now that they are seen: by a pinned fingerprint, or by a person.

    Raises:
        HostKeyError: None is; it names the one that is offered.
    """
    offered = _offered(gateway, hop, judge)
    accepted = tuple(filter(judge.accepts, offered))
    if offered and not accepted:
        judge.check(offered[0])
        return (offered[0],)
    return accepted


def _offered(gateway: Transport, hop: Hop, judge: HostKeyJudge) -> list[HostKey]:
    """What the gateway hears when it asks; nothing where it has no ssh-keyscan, or nobody answers."""
    mark = new_mark()
    channel = start(gateway, mark, "nested.sh", "p_offered", HOST=hop.address, PORT=str(hop.port))
    found: list[HostKey] = []
    try:
        for kind, *words_ in Lines(channel, mark).within(_SCAN_S):
            if kind == "offers" and len(words_) >= 2 and words_[0] in KEY_KINDS:
                found.append(HostKey.from_text(*words_[:2]))
    except ValueError as error:
        raise UnreachableError("what a gateway tells of a host key is no key", detail=str(error)) from error
    finally:
        channel.close()
    order = [*judge.preferred_kinds, *KEY_KINDS]
    return sorted(found, key=lambda key: order.index(key.kind))
