"""Paramiko's transport with what it does but does not offer: the one file that touches its internals.

The methods with an underscore that are called or overridden here exist from paramiko 4.0 to 5.1 (the range pinned in
pyproject.toml is `>=4,<6`); tests/transport/test_paramiko_guard.py fails when a release moves one of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import paramiko
from paramiko.common import cMSG_CHANNEL_OPEN, cMSG_CHANNEL_REQUEST, cMSG_GLOBAL_REQUEST
from paramiko.packet import Packetizer

DISABLED_ALGORITHMS: Mapping[str, Sequence[str]] = {
    "macs": ("hmac-md5", "hmac-sha1", "hmac-md5-96", "hmac-sha1-96"),
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),
    "keys": ("ssh-rsa", "ssh-dss"),
    "pubkeys": ("ssh-rsa", "ssh-dss"),
    "kex": (
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
    ),
}
"""What OpenSSH's client no longer offers either. Paramiko 4 still has the SHA-1 names, paramiko 5 dropped most."""

_STREAMLOCAL = "direct-streamlocal@openssh.com"
_RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")  # the signatures that a key of type ssh-rsa makes today


class _ListeningPacketizer(Packetizer):
    """Remembers when the peer was last heard: any packet proves more than a reply to our own question does."""

    last_heard: float = 0.0

    def read_message(self) -> Any:
        message = super().read_message()
        self.last_heard = time.monotonic()
        return message


class HopTransport(paramiko.Transport):
    """The SSH protocol on one hop.

    Attributes:
        refusal: The server's own words when it last refused to open a channel (untrusted text).
        server_offers: The server's algorithm lists by paramiko's names for them; empty before key exchange.
        userauth_granted: Whether the server has accepted the request for the authentication service.
        banners: What the server has said to people during authentication (untrusted text).
    """

    packetizer: _ListeningPacketizer

    def __init__(
        self,
        sock: Any,
        disabled_algorithms: Mapping[str, Sequence[str]] | None = None,
        *,
        preferred_kinds: Sequence[str] = (),
    ) -> None:
        """Wrap a connected socket (or a forwarded channel).

        Args:
            sock: As for paramiko.Transport.
            disabled_algorithms: As for paramiko.Transport.
            preferred_kinds: Host key types to ask for first. Others stay allowed, so that a changed key is seen.
        """
        super().__init__(
            sock,
            disabled_algorithms=disabled_algorithms,
            packetizer_class=_ListeningPacketizer,
        )
        self.refusal = ""
        self.server_offers: dict[str, list[str]] = {}
        self.userauth_granted = False
        self.banners: list[bytes] = []
        self._opening = threading.local()
        options = self.get_security_options()
        options.key_types = _ordered(options.key_types, preferred_kinds)

    @property
    def announcement(self) -> str:
        """All banners, as text."""
        return b"\n".join(self.banners).decode("utf-8", "replace").strip()

    @property
    def last_heard(self) -> float:
        """time.monotonic() of the last packet from the peer."""
        return self.packetizer.last_heard

    def ask_for_life(self) -> None:
        """Send the global request that every SSH server must answer. May block while the link is stuck.

        `global_request(wait=True)` would poll for the answer and never give up; the answer is noticed by `last_heard`.
        """
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(b=True)
        self._send_user_message(message)

    def start_command(self, channel: paramiko.Channel, command: str) -> None:
        """Send the exec request without waiting for its reply, so that it travels together with the first input.

        `Channel.exec_command` would spend a round trip on waiting. A reply is asked for all the same: a server that
        refuses says so, and paramiko then closes the channel (`Channel.event_ready` stays False).
        """
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(b=True)
        message.add_string(command)
        self._send_user_message(message)

    def send_signal(self, channel: paramiko.Channel, name: str) -> None:
        """Ask the server to send a signal to the channel's command (RFC 4254 6.9); there is no reply to it."""
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("signal")
        message.add_boolean(b=False)
        message.add_string(name)
        self._send_user_message(message)

    def open_stream(self, path: str, window_bytes: int, timeout_s: float) -> paramiko.Channel:
        """Open a channel to the UNIX socket at `path` on the server (OpenSSH's PROTOCOL, 2.4).

        Raises:
            paramiko.ChannelException: The server refuses; it gives the same reason whatever its own was.
        """
        self._opening.path = path
        try:
            return self.open_channel(_STREAMLOCAL, window_size=window_bytes, timeout=timeout_s)
        finally:
            self._opening.path = None

    def _send_user_message(self, data: paramiko.Message) -> None:
        """Add to the request for a channel to a socket what `open_channel` does not know: which socket."""
        path = getattr(self._opening, "path", None)
        if path is not None and data.asbytes()[:1] == cMSG_CHANNEL_OPEN:
            data.add_string(path)
            data.add_string("")  # reserved, like the number
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]

    def _parse_channel_open_failure(self, message: paramiko.Message) -> None:
        """Keep the server's words ("Name or service not known"); paramiko reports only a number."""
        copy = paramiko.Message(message.get_remainder())
        copy.get_int()
        copy.get_int()
        self.refusal = copy.get_string().decode("utf-8", "replace")
        super()._parse_channel_open_failure(message)  # type: ignore[misc]

    def _really_parse_kex_init(self, message: paramiko.Message, ignore_first_byte: bool = False) -> Any:  # noqa: FBT001, FBT002 - paramiko's signature
        """Keep the server's algorithm lists, so that "no acceptable cipher" can say which ones there were."""
        parsed = super()._really_parse_kex_init(message, ignore_first_byte)  # type: ignore[misc]
        if not ignore_first_byte:  # True: paramiko reads our own list again
            self.server_offers = {name: list(value) for name, value in parsed.items() if isinstance(value, list)}
        return parsed


def _ordered(algorithms: Sequence[str], kinds: Sequence[str]) -> tuple[str, ...]:
    first = [name for kind in kinds for name in (_RSA_ALGORITHMS if kind == "ssh-rsa" else (kind,))]
    wanted = [name for name in first if name in algorithms]
    return tuple(dict.fromkeys([*wanted, *algorithms]))
