"""Judging the key that a hop offers, before anything else is said to it: known_hosts files, or the inventory's pins."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from scupi_provision.errors import HostKeyError, InputError
from scupi_provision.transport import host_key_refusals as refusals
from scupi_provision.transport.base import Hop, Nobody, Person
from scupi_provision.transport.host_key_refusals import cited, is_ours, named
from scupi_provision.transport.known_hosts import (
    KEY_KINDS,
    HostKey,
    KnownHost,
    KnownHosts,
    Standing,
    fingerprint,
    parse_known_hosts,
    spelled,
)
from scupi_provision.transport.route import described
from scupi_provision.transport.trusted_keys import exchange, remember

_FINGERPRINT_PREFIX = "SHA256:"


@dataclass(frozen=True)
class MetKey:
    """A host key that was accepted.

    Attributes:
        hop: Whose it is.
        key: The key.
        standing: Known before, pinned in the inventory, trusted just now, or put in place of another just now.
        place: Where that stands: a file, with the line where there is one.
    """

    hop: Hop
    key: HostKey
    standing: Literal["known", "pinned", "new", "replaced"]
    place: str


@runtime_checkable
class Introducer(Protocol):
    """A Person who has come to get to know hosts: hears of every key, and may replace what was trusted through us."""

    def met(self, key: MetKey) -> None:
        """MUST take note of a key that was accepted; what it raises ends the connecting."""

    def replaces(self, hop: Hop, offered: str, known: tuple[str, ...]) -> bool:
        """MUST say whether `offered` shall take the place of `known`."""


@dataclass(frozen=True)
class Pin:
    """A key that the inventory names: in full (`key`) or only by its fingerprint."""

    fingerprint: str
    key: HostKey | None = None

    def __str__(self) -> str:
        kind = self.key.kind if self.key else "type not given"
        return f"{self.fingerprint} ({kind}), pinned in the inventory"


@dataclass(frozen=True)
class HostKeyJudge:
    """What is known about one hop's key. `known` has the lines of its files, `pins` those of the inventory."""

    hop: Hop
    known: KnownHosts
    pins: tuple[Pin, ...]
    person: Person = field(default_factory=Nobody)
    _just_trusted: list[HostKey] = field(default_factory=list)

    @classmethod
    def for_hop(cls, hop: Hop, person: Person | None = None) -> HostKeyJudge:
        """Read the hop's files and pins. Raises InputError (bad pin) or HostKeyError (a file cannot be read)."""
        known = KnownHosts.joined(_read(path, hop) for path in hop.known_hosts)
        return cls(hop, known, tuple(_parse_pin(text, hop) for text in hop.host_keys), person or Nobody())

    @property
    def preferred_kinds(self) -> tuple[str, ...]:
        """Key types to ask the server for first, so that a host known by one key is not shown another."""
        if self.pins:
            return tuple(dict.fromkeys(pin.key.kind for pin in self.pins if pin.key))
        return self.known.kinds(self.hop.address, self.hop.port)

    @property
    def trusted(self) -> tuple[HostKey, ...]:
        """Keys that `check` accepts without a question, as far as they are known in full (a fingerprint is not)."""
        named = [pin.key for pin in self.pins if pin.key]
        known = self.known.keys(self.hop.address, self.hop.port)
        return tuple(filter(self.accepts, dict.fromkeys((*named, *known, *self._just_trusted))))

    def accepts(self, key: HostKey) -> bool:
        """Whether `check` would accept it without a question."""
        standing = self.known.lookup(self.hop.address, self.hop.port, key).standing
        if self.pins:
            return standing is not Standing.REVOKED and fingerprint(key) in {pin.fingerprint for pin in self.pins}
        return standing is Standing.ACCEPTED or (standing is Standing.UNKNOWN and key in self._just_trusted)

    def check(self, offered: HostKey) -> None:
        """Return when `offered` is the hop's key; raise HostKeyError otherwise. A revoked key is never accepted."""
        met = self._accepted(offered)
        if isinstance(self.person, Introducer):
            self.person.met(met)

    def _accepted(self, offered: HostKey) -> MetKey:
        verdict = self.known.lookup(self.hop.address, self.hop.port, offered)
        evidence = verdict.evidence
        if verdict.standing is Standing.REVOKED:
            raise refusals.revoked(self.hop, offered, evidence)
        if self.pins:
            if fingerprint(offered) in {pin.fingerprint for pin in self.pins}:
                return MetKey(self.hop, offered, "pinned", "the inventory")
            partial = any(pin.key is None for pin in self.pins)
            raise refusals.changed(self.hop, offered, map(str, self.pins), refusals.how_to_pin(partial))
        if verdict.standing is Standing.ACCEPTED:
            return MetKey(self.hop, offered, "known", f"{evidence[0].file}:{evidence[0].line}")
        if verdict.standing is Standing.CHANGED and not self._replaces_now(offered, evidence):
            hint = refusals.how_to_replace(self.hop, evidence)
            raise refusals.changed(self.hop, offered, map(cited, evidence), hint)
        if verdict.standing is Standing.UNKNOWN and not self._is_trusted_now(offered):
            raise refusals.unknown(self.hop, offered, self.known, evidence)
        standing: Literal["replaced", "new"] = "replaced" if verdict.standing is Standing.CHANGED else "new"
        return MetKey(self.hop, offered, standing, str(self.hop.new_keys))

    def _is_trusted_now(self, offered: HostKey) -> bool:
        """Ask, where there is a file to remember the answer in; the question is put once."""
        if offered in self._just_trusted:
            return True
        file = self.hop.new_keys
        if file is None or not self.person.trusts(self.hop, named(offered)):
            return False
        self._just_trusted.append(offered)
        remember(file.expanduser(), self._line(offered))
        return True

    def _replaces_now(self, offered: HostKey, known: tuple[KnownHost, ...]) -> bool:
        """Only what was trusted through us is ours to replace, and only for somebody who came for that."""
        if offered in self._just_trusted:
            return True
        file = self.hop.new_keys
        if file is None or not isinstance(self.person, Introducer):
            return False
        if not all(is_ours(self.hop, line.file) for line in known):
            return False
        if not self.person.replaces(self.hop, named(offered), tuple(map(cited, known))):
            return False
        self._just_trusted.append(offered)
        exchange(file.expanduser(), {line.line for line in known}, [self._line(offered)])
        return True

    def _line(self, key: HostKey) -> str:
        return f"{spelled(self.hop.address, self.hop.port)} {key.text}"


def _read(path: Path, hop: Hop) -> KnownHosts:
    try:
        content = path.expanduser().read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return KnownHosts()
    except (OSError, RuntimeError) as error:
        raise HostKeyError(
            f"Cannot check the host key of {described(hop)}: {path} cannot be read",
            detail=str(error),
            hint="make the file readable; without it nobody can tell whether this is the right host",
        ) from error
    return parse_known_hosts(content.decode("utf-8", "surrogateescape"), str(path))


def _parse_pin(text: str, hop: Hop) -> Pin:
    """A pin as people paste it: a fingerprint, `ssh-keygen -l` output, a public key line, a known_hosts line."""
    fields = text.split()
    for index, word in enumerate(fields):
        if word.startswith(_FINGERPRINT_PREFIX):
            return Pin(word.rstrip("="))
        if word in KEY_KINDS and index + 1 < len(fields):
            try:
                key = HostKey.from_text(word, fields[index + 1])
            except ValueError as error:
                raise _bad_pin(text, hop, str(error)) from error
            return Pin(fingerprint(key), key)
    raise _bad_pin(text, hop, "it is neither a fingerprint nor a public key of a known type")


def _bad_pin(text: str, hop: Hop, reason: str) -> InputError:
    return InputError(
        f"{described(hop)}: {text!a} is not a host key",
        detail=reason,
        hint="write 'SHA256:…' or 'ssh-ed25519 AAAA…', as in the host's /etc/ssh/ssh_host_*_key.pub",
    )
