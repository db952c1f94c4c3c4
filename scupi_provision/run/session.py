"""One open line to a host: programs out, replies in. What is cut short is not believed."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from scupi_provision.errors import InternalError, LockedError, ProvisionError, StepFailedError, UnreachableError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.blobs import Amount, Blob
from scupi_provision.run.greeting import AT_ONCE, PATIENCE_S, Manner, open_line
from scupi_provision.run.reading import Reading
from scupi_provision.shell import program
from scupi_provision.shell.compile import Compiler, Turn
from scupi_provision.shell.decode import Decoder
from scupi_provision.shell.entry import Entry
from scupi_provision.shell.replies import (
    DeniedReply,
    EndReply,
    FactReply,
    GuardReply,
    LockedReply,
    Reply,
)
from scupi_provision.transport.base import Channel, Transport

_POLL_S = 1.0
"""How long one wait for bytes lasts before the heartbeat's verdict is looked at."""
_MOST_READS = 4
"""Times a set of paths is read again when the host changes under the reading."""


@dataclass
class Wire:
    """What travelled on one session.

    Attributes:
        round_trips: Exchanges after authentication: opening the channel, then one per program.
        sent: Bytes of programs.
    """

    round_trips: int = 0
    sent: int = 0


class Session:
    """A remote shell that takes one program after another. Not for use by several threads."""

    def __init__(
        self,
        transport: Transport,
        *,
        run_id: str,
        owner: str,
        login_timeout_s: float = PATIENCE_S,
        account: str = "",
        manner: Manner = AT_ONCE,
    ) -> None:
        self._transport = transport
        self._run_id = run_id
        self._owner = owner
        self._login_timeout_s = login_timeout_s
        self._account = account
        self._manner = manner
        self._rest = b""
        self._noise = b""
        self._nonce = secrets.token_hex(16)
        self._decoder = Decoder(self._nonce)
        self._channel: Channel | None = None
        self.wire = Wire()

    @property
    def noise(self) -> str:
        """What the account's login files printed before our program began (untrusted text)."""
        return (self._noise + self._decoder.noise).decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Let go of the host; the remote shell ends by itself."""
        if self._channel is not None:
            self._channel.close()

    # --- reading --------------------------------------------------------------------------------------------------

    def read(self, needs: Needs, snapshot: Snapshot) -> None:
        """Bring what is needed into the snapshot: one exchange, or a few when the host changes meanwhile.

        Contents are asked for by path alone; the hash that comes with their entry tells whether they are whole.
        """
        wanted = needs
        for _ in range(_MOST_READS):
            wanted = self._read_once(wanted, snapshot)
            if not wanted:
                return
        raise UnreachableError(
            "the host keeps changing while it is read",
            detail=", ".join([*wanted.entries, *wanted.contents][:5]),
            hint="is another program writing there? run again when it is done",
        )

    def _read_once(self, needs: Needs, snapshot: Snapshot) -> Needs:
        reading = Reading(needs)
        return reading.keep(self._exchange(reading.text + program.end(), []), snapshot)

    def ask(self, question: str) -> list[FactReply]:
        """What a program that only looks tells as facts; nothing is changed, no lock is taken."""
        return [reply for reply in self._exchange(question + program.end(), []) if isinstance(reply, FactReply)]

    # --- acting ---------------------------------------------------------------------------------------------------

    def perform(self, stream: Sequence[Turn], *, keeps_proof: bool = False) -> Iterator[Reply]:
        """Perform the steps on the host, in order, under the lock, until one fails; replies as they come.

        Unless `keeps_proof`, earlier proofs of verification fall with the first of them. Where a turn is guarded, the
        host waits for a verdict (`guard`) after the end.
        """
        compiler = Compiler(self._owner, keeps_proof=keeps_proof)
        text = compiler.program(stream)
        yield from self._exchange(text, compiler.blobs)

    def guard(self, text: str) -> list[GuardReply]:
        """Send the lockout guard a program of `shell.guarding` and take what it tells."""
        return [reply for reply in self._exchange(text, []) if isinstance(reply, GuardReply)]

    def upload(self, blobs: Sequence[Blob], home: str) -> Generator[Amount, None, None]:
        """Bring files into `~/.provision/brought`, under their hashes; nothing travels that is there already.

        What a cut line has brought is gone on from, when its hash says that it is the beginning of this file.

        Raises:
            ProvisionError: They could not be received.
        """
        left = self._left_to_send(blobs, home)
        if not left:
            return
        done, whole = 0, sum(blob.size - begin for blob, begin in left)
        self._send(program.receive(self._owner, [(one.sha256, begin, one.size - begin) for one, begin in left]), [])
        for data in (data for blob, begin in left for data in blob.chunks(begin)):
            self._put(data)
            done += len(data)
            yield Amount(done, whole)
        if done < whole:
            self.close()  # the host waits for bytes that will not come
            raise UnreachableError("a file became shorter while it was sent", hint="run the same command again")
        for reply in list(self._replies()):  # to its end: the line stays in step
            if isinstance(reply, DeniedReply):
                raise StepFailedError("a file could not be sent to the host", detail=reply.why)
            if isinstance(reply, LockedReply):
                raise refusal(reply)

    def _left_to_send(self, blobs: Sequence[Blob], home: str) -> list[tuple[Blob, int]]:
        """The files that the host lacks, and how many bytes of each it has."""
        paths = {f"{home}/.provision/brought/{blob.sha256}": blob for blob in blobs}
        there = Snapshot()
        self.read(Needs(entries=dict.fromkeys([*paths, *(f"{path}.part" for path in paths)])), there)
        lacking = [(path, blob) for path, blob in paths.items() if there.entries[path].digest != blob.sha256]
        return [(blob, _continued(blob, there.entries[f"{path}.part"])) for path, blob in lacking]

    # --- the line -------------------------------------------------------------------------------------------------

    def _exchange(self, text: str, blobs: list[bytes]) -> Iterator[Reply]:
        self._send(text, blobs)
        yield from self._replies()

    def _send(self, text: str, blobs: list[bytes]) -> None:
        self.wire.round_trips += 1
        if self._channel is not None:
            self._put(program.frame(text, blobs))
            return
        first = program.frame(program.prelude(self._nonce, self._run_id) + text, blobs)
        line = open_line(
            self._transport, first, patience_s=self._login_timeout_s, account=self._account, manner=self._manner
        )
        self._channel, self._noise, self._rest = line.channel, line.noise, line.rest
        self.wire.round_trips += line.round_trips
        self.wire.sent += len(first)

    def _put(self, data: bytes) -> None:
        self.wire.sent += len(data)
        self._open_channel.send(data)

    @property
    def _open_channel(self) -> Channel:
        if self._channel is None:
            raise InternalError("a session is read from or written to before it was opened")
        return self._channel

    def _replies(self) -> Iterator[Reply]:
        channel = self._open_channel
        while True:
            data, self._rest = self._rest or channel.receive(_POLL_S), b""
            if data is None:
                if not self._transport.alive:
                    raise _lost("it stopped answering", channel)
                continue
            if not data:
                raise _lost("the line was closed before the program had ended", channel)
            for reply in self._decoder.feed(data):
                if isinstance(reply, EndReply):
                    return
                yield reply


def _continued(blob: Blob, part: Entry) -> int:
    """How many bytes of the file the host has, when what it has is the beginning of this file."""
    fits = part.size is not None and part.size <= blob.size and part.digest == blob.digest(part.size)
    return part.size or 0 if fits else 0


def refusal(reply: Reply) -> ProvisionError:
    """Why the host would not begin, as an error."""
    if isinstance(reply, LockedReply):
        node, _, rest = reply.owner.partition(" ")
        who = rest.split(" ", 2)[-1] if rest else ""
        return LockedError(
            "another run is at work on this account",
            detail=f"on {node}: {who}".strip(),
            hint="wait for it; a run that has died is noticed by itself within 20 s",
        )
    if isinstance(reply, DeniedReply):
        return StepFailedError("the host cannot take the run", detail=reply.why, hint="look at quota and `df ~`")
    return UnreachableError("the host answered something unexpected", detail=type(reply).__name__)


def _lost(how: str, channel: Channel) -> UnreachableError:
    said = channel.stderr_tail().strip()
    return UnreachableError(
        f"the connection to the host was lost: {how}",
        detail=f"the host's last words:\n{said}" if said else "what was under way may have finished or not",
        hint="run the same command again: it looks at the host first and continues from what it finds",
    )
