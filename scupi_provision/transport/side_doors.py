"""Other ways to a shell on a host to which a connection stands: without a command, with a terminal; and its files.

A command over SSH is run by the account's shell after `~/.bashrc`. Not so here: a login shell reads `~/.bash_profile`,
start-up files under a terminal can be interrupted, and SFTP inside of sshd starts no shell at all.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import paramiko

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Transport
from scupi_provision.transport.failures import CONNECTION_ERRORS
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.ssh_channel import SshChannel

INTERRUPT = b"\x03"
"""What a terminal makes SIGINT of (Ctrl-C): it ends whatever a start-up file waits for."""
_SFTP_S = 10.0
_WINDOW_BYTES = 128 * 1024  # a start-up file that prints without end must not be far ahead when it is interrupted


@runtime_checkable
class OpensChannels(Protocol):
    """A transport on which more than commands can be started; SSH sessions of our own can."""

    def open_channel(self, begin: _Begin, window: int = ...) -> SshChannel:
        """MUST open a session and have `begin` say what runs in it."""


class _Begin(Protocol):
    def __call__(self, transport: HopTransport, channel: paramiko.Channel, /) -> None: ...


class ShellDoor:
    """A Transport whose shells are the account's own without a command: they read commands from us.

    What `open_shell` is given is not sent: the caller sends it, once or more often, as a line of input.
    """

    explanation = ""

    def __init__(self, inner: Transport, *, terminal: bool) -> None:
        """Go through `inner`; with `terminal` each shell gets one, and then takes itself to be a person's."""
        self._inner = inner
        self._terminal = terminal
        self.way = inner.way

    @property
    def alive(self) -> bool:
        """Whether the connection stands."""
        return self._inner.alive

    def open_shell(self, command: str) -> SshChannel:  # noqa: ARG002 - the protocol's signature
        """Start the login shell."""
        if not isinstance(self._inner, OpensChannels):
            raise UnreachableError("this way to the host opens no other shells")
        return self._inner.open_channel(self._begin, _WINDOW_BYTES)

    def _begin(self, transport: HopTransport, channel: paramiko.Channel) -> None:  # noqa: ARG002 - the caller's signature
        if self._terminal:
            channel.get_pty(term="dumb", width=500)
        channel.invoke_shell()

    def close(self) -> None:
        """Nothing of its own: the connection is the inner transport's."""


class FileDoor:
    """The files of a host by SFTP, where it is served without a shell (`Subsystem sftp internal-sftp`)."""

    def __init__(self, inner: Transport) -> None:
        """Open it.

        Raises:
            UnreachableError: The host offers no SFTP, or its server needs the shell that is broken.
        """
        if not isinstance(inner, OpensChannels):
            raise UnreachableError("this way to the host has no SFTP")
        opened: list[paramiko.Channel] = []

        def begin(transport: HopTransport, channel: paramiko.Channel) -> None:  # noqa: ARG001 - the caller's signature
            channel.settimeout(_SFTP_S)
            channel.invoke_subsystem("sftp")
            opened.append(channel)

        inner.open_channel(begin)
        try:
            self._sftp = paramiko.SFTPClient(opened[0])
        except CONNECTION_ERRORS as error:
            opened[0].close()
            raise UnreachableError(
                "the host's SFTP server does not answer", detail="it may be started by the account's shell"
            ) from error

    def rename(self, old: str, new: str) -> bool:
        """Rename a file below the home; False when there is none, or `new` is there already.

        Raises:
            UnreachableError: The host does not do it.
        """
        try:
            self._sftp.stat(old)
            self._sftp.rename(old, new)
        except FileNotFoundError:
            return False
        except CONNECTION_ERRORS as error:
            raise UnreachableError(f"the host does not rename {old}", detail=str(error)) from error
        return True

    def close(self) -> None:
        """Close it; idempotent."""
        self._sftp.close()
