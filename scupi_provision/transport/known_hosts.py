"""OpenSSH's known_hosts, as sshd(8) and OpenSSH's own client mean it: text in, verdicts out.

Pure: reads no file, opens no connection, knows no SSH library. Paramiko's reader is not used because one
`@cert-authority` or `@revoked` line makes it reject the whole file, and because it ignores wildcards.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

DEFAULT_PORT = 22

KEY_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
"""Key types we can verify. Lines with another type are skipped, as OpenSSH skips what it was built without."""

_BLANKS = re.compile(r"[ \t]+")
_SALT_BYTES = 20  # the length of a SHA-1 digest; OpenSSH ignores lines with any other salt


@dataclass(frozen=True)
class HostKey:
    """A host's public key.

    Attributes:
        kind: Key type, e.g. `ssh-ed25519`; one of `KEY_KINDS` when it came from a file.
        blob: The public key in SSH wire format; two keys are the same when their blobs are.
    """

    kind: str
    blob: bytes = field(repr=False)

    @classmethod
    def from_text(cls, kind: str, encoded: str) -> HostKey:
        """The key written as `kind encoded`; raises ValueError, saying why, when that is not a key."""
        if kind not in KEY_KINDS:
            raise ValueError(f"key type {kind[:40]!r} is not supported")
        try:
            blob = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ValueError("the key is not valid base64") from None
        if _kind_of(blob) != kind:
            raise ValueError(f"the key's data is not of type {kind}")
        return cls(kind, blob)

    @property
    def text(self) -> str:
        """The key as it stands in known_hosts after the names."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


def fingerprint(key: HostKey) -> str:
    """`SHA256:…` exactly as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.blob).digest()).decode().rstrip("=")


class Marker(str, Enum):
    """What stands before the names of a line."""

    NONE = ""
    REVOKED = "@revoked"
    AUTHORITY = "@cert-authority"


@dataclass(frozen=True)
class KnownHost:
    """One usable line of a known_hosts file.

    Attributes:
        file: Name of the file, for messages.
        line: Line number, from 1.
        marker: `@revoked`, `@cert-authority` or nothing.
        names: The names field as written: patterns separated by commas, or one hashed name.
        key: The key.
    """

    file: str
    line: int
    marker: Marker
    names: str
    key: HostKey

    def covers(self, name: str) -> bool:
        """Whether the line speaks of `name` (lower case, already spelled `[host]:port` where that applies)."""
        if self.names.startswith("|"):
            return _hash_matches(self.names, name)
        return _list_matches(self.names.lower(), name)


class Standing(Enum):
    """What known_hosts says of a key that a host has offered."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Verdict:
    """A standing with the lines it rests on.

    Attributes:
        standing: The judgement.
        evidence: ACCEPTED and REVOKED: the lines with this very key. CHANGED: the lines with the keys expected
            instead. UNKNOWN: the `@cert-authority` lines for the name, if any.
    """

    standing: Standing
    evidence: tuple[KnownHost, ...] = ()


@dataclass(frozen=True)
class KnownHosts:
    """The lines of one or more known_hosts files, in order.

    Attributes:
        entries: The usable lines.
        warnings: One sentence for each line that was skipped, as `file:line: why`.
    """

    entries: tuple[KnownHost, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def joined(cls, parts: Iterable[KnownHosts]) -> KnownHosts:
        """Several files read as one, as OpenSSH reads its user and global files."""
        files = tuple(parts)
        return cls(
            tuple(entry for part in files for entry in part.entries),
            tuple(warning for part in files for warning in part.warnings),
        )

    def lookup(self, host: str, port: int, key: HostKey) -> Verdict:
        """Judge `key`, offered by `host` at `port`.

        Like OpenSSH, a key that is unknown under `[host]:port` is looked for under the bare name too, and only an
        exact match counts there: a different key under the bare name is another server's.
        """
        verdict = self._judge(spelled(host, port), key)
        if verdict.standing is Standing.UNKNOWN and port != DEFAULT_PORT:
            bare = self._judge(spelled(host, DEFAULT_PORT), key)
            if bare.standing in (Standing.ACCEPTED, Standing.REVOKED):
                return bare
        return verdict

    def kinds(self, host: str, port: int) -> tuple[str, ...]:
        """Key types known for a host, without repeats: the ones a client should ask the server for first."""
        for name in dict.fromkeys((spelled(host, port), spelled(host, DEFAULT_PORT))):
            found = dict.fromkeys(entry.key.kind for entry in self._covering(name, Marker.NONE))
            if found:
                return tuple(found)
        return ()

    def keys(self, host: str, port: int) -> tuple[HostKey, ...]:
        """Every key that `lookup` would accept, without repeats."""
        names = dict.fromkeys((spelled(host, port), spelled(host, DEFAULT_PORT)))
        found = dict.fromkeys(entry.key for name in names for entry in self._covering(name, Marker.NONE))
        return tuple(key for key in found if self.lookup(host, port, key).standing is Standing.ACCEPTED)

    def _covering(self, name: str, marker: Marker) -> Iterator[KnownHost]:
        return (entry for entry in self.entries if entry.marker is marker and entry.covers(name))

    def _judge(self, name: str, key: HostKey) -> Verdict:
        revoked = tuple(entry for entry in self._covering(name, Marker.REVOKED) if entry.key == key)
        if revoked:
            return Verdict(Standing.REVOKED, revoked)
        known = tuple(self._covering(name, Marker.NONE))
        same = tuple(entry for entry in known if entry.key == key)
        if same:
            return Verdict(Standing.ACCEPTED, same)
        if known:
            return Verdict(Standing.CHANGED, known)
        return Verdict(Standing.UNKNOWN, tuple(self._covering(name, Marker.AUTHORITY)))


def spelled(host: str, port: int) -> str:
    """How known_hosts spells a server: lower case, `[host]:port` for every port but 22."""
    return host.lower() if port == DEFAULT_PORT else f"[{host.lower()}]:{port}"


def parse_known_hosts(text: str, file: str) -> KnownHosts:
    """Read a known_hosts text. Never raises: a line that is not understood is skipped, with a warning."""
    entries: list[KnownHost] = []
    warnings: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        body = line.strip(" \t\r")
        if not body or body.startswith("#"):
            continue
        try:
            marker, names, key = _parse_line(body)
        except ValueError as error:
            warnings.append(f"{file}:{number}: {error}")
        else:
            entries.append(KnownHost(file, number, marker, names, key))
    return KnownHosts(tuple(entries), tuple(warnings))


def _parse_line(body: str) -> tuple[Marker, str, HostKey]:
    fields = _BLANKS.split(body)
    marker = Marker.NONE
    if fields[0].startswith("@"):
        try:
            marker = Marker(fields[0])
        except ValueError:
            raise ValueError(f"unknown marker {fields[0][:40]!r}") from None
        fields = fields[1:]
    if len(fields) < 3 or fields[0].startswith("@"):
        raise ValueError("not of the form NAMES KEYTYPE KEY")
    names, kind, encoded = fields[:3]
    return marker, names, HostKey.from_text(kind, encoded)


def _kind_of(blob: bytes) -> str:
    size = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + size].decode("ascii", "replace")


def _hash_matches(hashed: str, name: str) -> bool:
    """Whether `|1|salt|hash` is the HMAC-SHA1 of `name`; the only hash scheme OpenSSH has."""
    parts = hashed.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except ValueError:
        return False
    seen = hmac.new(salt, name.encode("utf-8", "surrogateescape"), hashlib.sha1).digest()
    return len(salt) == _SALT_BYTES and hmac.compare_digest(seen, digest)


def _list_matches(patterns: str, name: str) -> bool:
    """A comma list matches when one pattern does and no negated one (`!pattern`) does."""
    matched = False
    for pattern in patterns.split(","):
        if pattern.startswith("!"):
            if _glob_matches(pattern[1:], name):
                return False
        elif _glob_matches(pattern, name):
            matched = True
    return matched


def _glob_matches(pattern: str, name: str) -> bool:
    """`*` and `?` only, in time O(len(pattern) * len(name)): a hostile pattern must not stall us as a regex could."""
    at = place = 0
    star, retry = -1, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return all(character == "*" for character in pattern[at:])
