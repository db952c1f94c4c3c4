"""Whether an SFTP server answers: one greeting, no files."""

from __future__ import annotations

import struct
import time

import paramiko

from scupi_provision.transport.failures import CONNECTION_ERRORS
from scupi_provision.transport.hop_transport import HopTransport

# draft-ietf-secsh-filexfer-02, sections 3 and 4: a packet is a length, a type and its content.
_INIT, _VERSION = 1, 2
_OUR_VERSION = 3
_GREETING = struct.pack(">IBI", 5, _INIT, _OUR_VERSION)
_HEAD_BYTES = 9
"""Length, type and version of the answer; extensions follow."""
_MOST_BYTES = 256 * 1024
"""What OpenSSH's client takes as the length of one packet; text that a login file prints makes a far larger number."""


def sftp_greets(transport: HopTransport, limit_s: float) -> bool | None:
    """Whether the hop's SFTP server answers a greeting within `limit_s`; None where the host offers no SFTP.

    OpenSSH starts `sftp-server` by the account's own shell, so what its start-up files print comes ahead of the answer.

    Raises:
        paramiko.SSHException, OSError, EOFError: The connection broke.
    """
    channel = transport.open_session(timeout=limit_s)
    try:
        channel.invoke_subsystem("sftp")
    except paramiko.SSHException:
        channel.close()
        if not transport.is_active():
            raise
        return None
    try:
        channel.sendall(_GREETING)
        return _is_version(_received(channel, limit_s))
    except CONNECTION_ERRORS:
        return False
    finally:
        channel.close()


def _received(channel: paramiko.Channel, limit_s: float) -> bytes:
    """The first bytes of what the server says, fewer when it says no more in time."""
    deadline = time.monotonic() + limit_s
    said = b""
    while len(said) < _HEAD_BYTES and (left := deadline - time.monotonic()) > 0:
        channel.settimeout(left)
        piece = channel.recv(_HEAD_BYTES - len(said))
        if not piece:
            break
        said += piece
    return said


def _is_version(head: bytes) -> bool:
    if len(head) < _HEAD_BYTES:
        return False
    length = int.from_bytes(head[:4], "big")
    return head[4] == _VERSION and length <= _MOST_BYTES
