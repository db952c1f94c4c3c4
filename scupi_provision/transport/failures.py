"""Saying what went wrong on the way to a hop: exceptions of sockets and paramiko in, one clear error out."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import paramiko

from scupi_provision.errors import AuthenticationError, UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.route import described, printable

CONNECTION_ERRORS = (paramiko.SSHException, OSError, EOFError)
"""Everything that sockets and paramiko raise when a connection fails or breaks."""

_NO_JOB = re.compile(
    r"Access denied by pam_slurm_adopt: .*"
    r"|Access denied: user .* has no active jobs on this node\.?"
    r"|No Slurm jobs found on node\.?"
)
"""How Slurm's PAM modules say it: contribs/pam_slurm_adopt and contribs/pam in Slurm's sources, 16.05 to 24.05."""

_FORWARDING_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 5.1
_OUT_OF_TIME = "No existing session"  # how paramiko's SSHClient says that start_client used up its time
_ALGORITHMS = {
    "kex": ("kex_algo_list", "preferred_kex", "key exchange"),
    "host key": ("server_key_algo_list", "preferred_keys", "host key"),
    "ciphers": ("server_encrypt_algo_list", "preferred_ciphers", "cipher"),
    "macs": ("server_mac_algo_list", "preferred_macs", "MAC"),
}


class ForwardingRefusedError(UnreachableError):
    """A gateway's SSH server is set up not to forward: the next host is there, but not for us."""


class NeedsJobError(AuthenticationError):
    """A host lets in only those who have a job on it."""


def dialling_failed(error: OSError, hop: Hop) -> UnreachableError:
    """No TCP connection from here to the first hop."""
    if isinstance(error, socket.gaierror):
        return UnreachableError(
            f"{described(hop)}: the name {printable(hop.address)} is not known here",
            detail=str(error.strerror),
            hint="check the address in the inventory, and the network (VPN?)",
        )
    if isinstance(error, ConnectionRefusedError):
        return UnreachableError(
            f"{described(hop)} refuses connections on port {hop.port}",
            hint="check the port; the SSH service may be down or on another one",
        )
    if isinstance(error, TimeoutError):
        return UnreachableError(
            f"{described(hop)} does not answer (waited {hop.connect_timeout_s:g} s)",
            hint="check the address and the network: many clusters are reachable only from the campus or by VPN",
        )
    return UnreachableError(f"{described(hop)} cannot be reached", detail=_words(error))


def forwarding_failed(error: BaseException, hop: Hop, gateway: Hop, link: HopTransport) -> UnreachableError:
    """The gateway did not open a way to the next hop."""
    said = f"{described(gateway)} said: {printable(link.refusal)}" if link.refusal else _words(error)
    if isinstance(error, paramiko.ChannelException) and error.code == _FORWARDING_PROHIBITED:
        return ForwardingRefusedError(
            f"{described(gateway)} does not allow forwarding to {described(hop)}",
            detail=f"its SSH server is configured so (AllowTcpForwarding or PermitOpen); {said}",
            hint=f"ask the administrator of {printable(gateway.name)}, or go by ssh from there: "
            f"give {printable(hop.name)} the variable provision_reach: nested",
        )
    return UnreachableError(
        f"{described(hop)} cannot be reached from {described(gateway)}",
        detail=said,
        hint=f"the address is looked up on {printable(gateway.name)}, not here; try there: ssh {hop.address}",
    )


def handshake_failed(error: BaseException, hop: Hop, transport: HopTransport | None) -> UnreachableError:
    """The connection stands, but no SSH session came of it."""
    explain: Callable[[BaseException, Hop, HopTransport | None], UnreachableError]
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer) and transport:
        explain = _no_common_algorithm
    elif transport is None or not transport.remote_version:
        explain = _no_greeting
    else:
        explain = _broken_off
    return explain(error, hop, transport)


def _no_common_algorithm(error: BaseException, hop: Hop, transport: HopTransport | None) -> UnreachableError:
    detail = _words(error)
    for word, (theirs, ours, what) in _ALGORITHMS.items():
        if f"acceptable {word}" in str(error) and transport:
            offered = ", ".join(map(printable, transport.server_offers.get(theirs, [])))
            detail = f"{what} algorithms of the host: {offered}\nours: {', '.join(getattr(transport, ours))}"
    return UnreachableError(
        f"{described(hop)} offers only algorithms that are no longer safe",
        detail=detail,
        hint="its SSH server is very old or oddly configured; ask the administrator",
    )


def _no_greeting(error: BaseException, hop: Hop, _transport: HopTransport | None) -> UnreachableError:
    return UnreachableError(
        f"{described(hop)} does not answer like an SSH server",
        detail=f"connected, but no SSH greeting{_in_other_words(error, hop)}",
        hint="check the port; a busy server also does this (sshd's MaxStartups), then try again",
    )


def _broken_off(error: BaseException, hop: Hop, _transport: HopTransport | None) -> UnreachableError:
    return UnreachableError(
        f"{described(hop)}: the SSH handshake broke off",
        detail=f"no session{_in_other_words(error, hop)}",
        hint="try again; if it stays so, the network or the host is in trouble",
    )


def job_needed(said: str, hop: Hop) -> NeedsJobError | None:
    """What the refusal of a host comes to that wants a job first, when `said` (untrusted) is such a refusal."""
    match = _NO_JOB.search(said)
    if match is None:
        return None
    return NeedsJobError(
        f"{described(hop)} lets in only those who have a Slurm job there",
        detail=f"it said: {ascii(match[0].strip())[1:-1]}",
        hint=f"let provision ask for one: give {printable(hop.name)} the variable provision_reach: slurm",
    )


def connection_lost(hop: Hop, *, silent_s: float | None = None) -> UnreachableError:
    """An established connection is gone. `silent_s`: the heartbeat's deadline, when it was the one to notice."""
    detail = f"no sign of life for {silent_s:g} s" if silent_s is not None else "the connection was closed"
    return UnreachableError(
        f"The connection to {described(hop)} was lost",
        detail=detail,
        hint="run the same command again: it looks at what is there and goes on",
    )


def shell_refused(hop: Hop, reason: str) -> UnreachableError:
    """The session stands, but the server starts no command for us."""
    return UnreachableError(
        f"{described(hop)} does not run commands for this account",
        detail=reason,
        hint="the account may be restricted (a forced command, no shell) or have too many sessions open",
    )


def shell_gone(hop: Hop, stderr: str) -> UnreachableError:
    """The remote shell ended while we still had input for it."""
    return UnreachableError(
        f"{described(hop)}: the remote shell ended before it had read its input",
        detail=stderr,
        hint="a start-up file such as ~/.bashrc may end the shell (exit, exec, an error)",
    )


def shell_silent(hop: Hop, stderr: str, *, ended: bool) -> UnreachableError:
    """The account's login files on a gateway do not let a program of ours begin."""
    how = "end the shell" if ended else f"let no program begin within {hop.login_timeout_s:g} s"
    return UnreachableError(
        f"{described(hop)}: the account's login files {how}, so nothing leads on from there",
        detail=ascii(stderr.strip())[1:-1],
        hint=f"`provision rescue {printable(hop.name)}` looks for the lines that do it",
    )


def _in_other_words(error: BaseException, hop: Hop) -> str:
    if _OUT_OF_TIME in str(error):
        return f" within {hop.connect_timeout_s:g} s"
    return f": {_words(error)}"


def _words(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "".join(char if char.isprintable() else "?" for char in str(text))
