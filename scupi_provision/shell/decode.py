"""The host's stream to replies. Nothing in it is trusted: what lacks the nonce is noise, every event is counted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

from scupi_provision.errors import UnreachableError
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.replies import (
    ContentsReply,
    DeniedReply,
    EndReply,
    EntriesReply,
    FactReply,
    GuardReply,
    LockedReply,
    NamesReply,
    NoteReply,
    ProgressReply,
    Reply,
    RunReply,
    StepBegun,
    StepDone,
    StepFailed,
    StepStale,
)

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one line before the host is taken to be broken or hostile (a reply's largest line is a program's output)."""
NOISE_KEPT = 4096
"""Bytes of login-shell noise that are kept for the message about it."""


class Decoder:
    """Turns bytes into replies, one program after another on the same line.

    Raises (from `feed`):
        UnreachableError: The stream cannot be from our runtime: a wrong sequence number, an undecodable event, a line
            without end. Nothing is believed after that.
    """

    def __init__(self, nonce: str) -> None:
        self._prefix = f"{nonce} ".encode()
        self._buffer = b""
        self._sequence = 0
        self._block: list[bytes] = []
        self._in_block = False
        self._entries = _EntriesBatch()
        self.noise = b""
        self._handlers: dict[str, Callable[[list[str]], Reply | None]] = {
            "kinds": self._kinds,
            "stats": self._stats,
            "target": self._target,
            "hashes": self._hashes,
            "entries-end": self._entries_end,
            "contents": self._contents,
            "contents-end": self._contents_end,
            "end": self._end,
            "facts-end": lambda _: None,
            "names": _names,
            "begin": lambda a: StepBegun(int(a[0])),
            "done": lambda a: StepDone(int(a[0])),
            "failed": lambda a: StepFailed(int(a[0]), _text(a[1]), _text(a[2])),
            "stale": lambda a: StepStale(int(a[0]), _text(a[1])),
            "ran": _ran,
            "note": lambda a: NoteReply(_text(a[0])),
            "locked": lambda a: LockedReply(_text(a[0])),
            "denied": lambda a: DeniedReply(_text(a[0])),
            "guard": lambda a: GuardReply(a[0], _text(a[1])),
        }

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Replies that are complete now that `data` has arrived."""
        self._buffer += data
        if b"\n" not in data and len(self._buffer) > LONGEST_LINE:
            raise _broken(f"a line of more than {LONGEST_LINE} bytes")
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            at = line.find(self._prefix)
            if at < 0 or (at > 0 and self._in_block):
                self._other(line)
                continue
            if at > 0:  # noise without a newline at its end, then an event
                self._other(line[:at])
            reply = self._event(line[at + len(self._prefix) :])
            if reply is not None:
                yield reply

    def _other(self, line: bytes) -> None:
        if self._in_block:
            self._block.append(line)
        elif len(self.noise) < NOISE_KEPT:
            self.noise += line + b"\n"

    def _event(self, line: bytes) -> Reply | None:
        number, _, rest = line.partition(b" ")
        kind_bytes, _, payload = rest.partition(b" ")
        kind = kind_bytes.decode("ascii", "replace")
        if number == b"-":
            return self._progress(payload.decode("ascii", "replace"))
        self._sequence += 1
        if number != str(self._sequence).encode():
            raise _broken(f"event {number[:20]!r} where event {self._sequence} was due")
        if kind == "fact":
            name, _, value = payload.partition(b" ")
            return FactReply(name.decode("ascii", "replace"), value.decode("utf-8", "surrogateescape"))
        arguments = payload.decode("ascii", "replace")
        decode = self._handlers.get(kind)
        if decode is None:
            raise _broken(f"an unknown event {kind!r}")
        try:
            return decode(arguments.split(" ") if arguments else [])
        except (ValueError, IndexError, binascii.Error) as error:
            raise _broken(f"a damaged {kind} event ({error})") from error

    def _progress(self, arguments: str) -> Reply:
        try:
            step, elapsed, phase, text = arguments.split(" ")
            return ProgressReply(int(step), int(elapsed), _text(phase), _text(text[1:] or "="))
        except ValueError as error:
            raise _broken(f"a damaged progress event ({error})") from error

    def _take_block(self) -> list[bytes]:
        block, self._block, self._in_block = self._block, [], False
        return block

    def _open_block(self) -> None:
        self._block, self._in_block = [], True

    # --- events that answer in several parts ---------------------------------------------------------------------

    def _kinds(self, arguments: list[str]) -> None:
        self._entries = _EntriesBatch(kinds=arguments[0] if arguments else "")

    def _stats(self, _: list[str]) -> None:
        self._open_block()

    def _target(self, arguments: list[str]) -> None:
        if self._in_block:
            self._entries.stats = self._take_block()
        target = _bytes(arguments[0]) if arguments else b""
        self._entries.targets.append(target.decode("utf-8", "surrogateescape"))

    def _hashes(self, _: list[str]) -> None:
        if self._in_block:
            self._entries.stats = self._take_block()
        self._open_block()

    def _entries_end(self, _: list[str]) -> Reply:
        return self._entries.reply(self._take_block())

    def _contents(self, _: list[str]) -> None:
        self._open_block()

    def _contents_end(self, _: list[str]) -> Reply:
        return ContentsReply(base64.b64decode(b"".join(self._take_block()), validate=True))

    def _end(self, arguments: list[str]) -> Reply:
        if int(arguments[0]) != self._sequence - 1:
            raise _broken("an end that counts other events than arrived")
        return EndReply()


class _EntriesBatch:
    """Collects the parts in which `p_entries` answers and joins them in the order of the question."""

    def __init__(self, kinds: str = "") -> None:
        self.kinds = kinds
        self.stats: list[bytes] = []
        self.targets: list[str] = []

    def reply(self, hashes: list[bytes]) -> EntriesReply:
        if len(self.kinds) == 1:
            hashes = hashes[:1]  # a path with a line break is read alone, and busybox prints the break as it is
        existing = sum(kind != "-" for kind in self.kinds)
        files = self.kinds.count("f")
        if len(self.stats) != existing or len(hashes) != files or len(self.targets) != self.kinds.count("l"):
            return EntriesReply((None,) * len(self.kinds))  # something came or went while it was read
        stats, targets, digests = iter(self.stats), iter(self.targets), iter(hashes)
        return EntriesReply(tuple(self._entry(kind, stats, targets, digests) for kind in self.kinds))

    @staticmethod
    def _entry(kind: str, stats: Iterator[bytes], targets: Iterator[str], digests: Iterator[bytes]) -> Entry:
        if kind == "-":
            return ABSENT
        mode, size, *owner = next(stats).split(b" ")
        uid, gid = map(int, owner)
        if kind == "l":
            return Entry(Kind.LINK, target=next(targets), uid=uid, gid=gid)
        if kind in "fu":
            # GNU escapes odd names with a backslash at the start of the line
            digest = next(digests).lstrip(b"\\")[:64].decode("ascii") if kind == "f" else None
            return Entry(Kind.FILE, int(mode, 8), int(size), digest, uid=uid, gid=gid)
        return Entry(Kind(kind), int(mode, 8), uid=uid, gid=gid)


def _bytes(word: str) -> bytes:
    return b"" if word == "=" else base64.b64decode(word, validate=True)


def _text(word: str) -> str:
    return _bytes(word).decode("utf-8", "replace")


def _names(arguments: list[str]) -> Reply:
    return NamesReply(
        tuple(name.decode("utf-8", "surrogateescape") for name in _bytes(arguments[0]).split(b"\0") if name)
    )


def _ran(a: list[str]) -> Reply:
    seconds = None if a[5] == "=" else int(a[5])
    times = tuple(_text(a[6]).splitlines())
    return RunReply(int(a[0]), int(a[1]), _bytes(a[2]), _bytes(a[3]), _text(a[4]), seconds, times)


def _broken(what: str) -> UnreachableError:
    return UnreachableError(
        "the host's answer cannot be trusted",
        detail=f"the stream held {what}",
        hint="run again; if it stays, something on the host prints into the connection",
    )
