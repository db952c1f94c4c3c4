"""A hop that was opened by being looked at: the Transport protocol on what is open already."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import paramiko

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import CONNECTION_ERRORS, connection_lost, shell_refused
from scupi_provision.transport.heartbeat import Heartbeat
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.ssh_channel import SshChannel
from scupi_provision.transport.user_keys import UserKey

_SILENT_PORT = 1  # tcpmux; whether something listens there does not matter
_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254, 5.1


class ExaminedHop:
    """An open hop. Closing it closes nothing before it; those who opened the chain close it from the end."""

    def __init__(
        self,
        hop: Hop,
        transport: HopTransport,
        through: ExaminedHop | None,
        keys: tuple[UserKey, ...] = (),
        session: paramiko.Channel | None = None,
    ) -> None:
        """Take over an open hop, with the keys that were tried, and a session that is open and not used yet."""
        self.hop = hop
        self.transport = transport
        self._through = through
        self._keys = keys
        self._session = session
        self._silent = False
        self._heartbeat = Heartbeat([transport], lambda _: self._declare_dead())
        self._heartbeat.start()

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The public halves of the account's key files, in base64 as authorized_keys has them."""
        return tuple(key.key.get_base64() for key in self._keys)

    @property
    def way(self) -> Literal["jump"]:
        """How it was reached; always by a jump, or directly."""
        return "jump"

    @property
    def explanation(self) -> str:
        """Nothing has to be explained about a jump."""
        return ""

    @property
    def alive(self) -> bool:
        """Whether the hop and those before it are open and answer."""
        before = self._through is None or self._through.alive
        return before and not self._silent and self.transport.is_active()

    def open_shell(self, command: str) -> SshChannel:
        """Start `command` by the account's login shell."""
        if not self.alive:
            raise self._lost()
        try:
            channel, self._session = self._session, None
            channel = channel or self.transport.open_session(timeout=self.hop.connect_timeout_s)
            self.transport.start_command(channel, command)
        except paramiko.ChannelException as error:
            raise shell_refused(self.hop, self.transport.refusal or error.text) from error
        except CONNECTION_ERRORS as error:
            raise self._lost() from error
        return SshChannel(channel, self.transport, self.hop, self._lost)

    def forwards(self) -> bool:
        """Whether its server forwards TCP: asked for a port on itself where nothing listens, it says which it is.

        Raises:
            UnreachableError: The connection was lost.
        """
        try:
            self.transport.open_channel(
                "direct-tcpip", ("127.0.0.1", _SILENT_PORT), ("127.0.0.1", 0), timeout=self.hop.connect_timeout_s
            ).close()
        except paramiko.ChannelException as error:
            return error.code != _PROHIBITED
        except CONNECTION_ERRORS as error:
            raise self._lost() from error
        return True

    def close(self) -> None:
        """Close this hop; idempotent, never raises."""
        self._heartbeat.stop()
        with suppress(*CONNECTION_ERRORS):
            self.transport.close()

    def _declare_dead(self) -> None:
        self._silent = True
        self.close()

    def _lost(self) -> UnreachableError:
        if self._through is not None and not self._through.alive:
            return connection_lost(self._through.hop)
        return connection_lost(self.hop)
