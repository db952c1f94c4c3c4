"""Judging the key that a hop offers, before anything else is said to it: known_hosts files, or the inventory's pins."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scupi_provision.errors import HostKeyError, InputError
from scupi_provision.transport.base import Hop, Nobody, Person
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

_FINGERPRINT_PREFIX = "SHA256:"
_MOST_WARNINGS = 5  # lines skipped in known_hosts; enough to see a pattern


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
        verdict = self.known.lookup(self.hop.address, self.hop.port, offered)
        if verdict.standing is Standing.REVOKED:
            raise self._revoked(offered, verdict.evidence)
        if self.pins:
            if fingerprint(offered) not in {pin.fingerprint for pin in self.pins}:
                raise self._changed(offered, [str(pin) for pin in self.pins], self._repin_hint())
        elif verdict.standing is Standing.CHANGED:
            raise self._changed(offered, map(_cited, verdict.evidence), self._remove_hint(verdict.evidence))
        elif verdict.standing is Standing.UNKNOWN and not self._is_trusted_now(offered):
            raise self._unknown(offered, verdict.evidence)

    def _is_trusted_now(self, offered: HostKey) -> bool:
        """Ask, where there is a file to remember the answer in; the question is put once."""
        if offered in self._just_trusted:
            return True
        file = self.hop.new_keys
        if file is None or not self.person.trusts(self.hop, _named(offered)):
            return False
        self._just_trusted.append(offered)
        _remember(file.expanduser(), f"{spelled(self.hop.address, self.hop.port)} {offered.text}\n")
        return True

    def _revoked(self, offered: HostKey, evidence: tuple[KnownHost, ...]) -> HostKeyError:
        return HostKeyError(
            f"The host key of {described(self.hop)} is revoked; not connecting",
            detail=_lines([f"offered: {_named(offered)}", *(f"revoked: {_cited(line)}" for line in evidence)]),
            hint="somebody may be using a stolen key: ask the administrator for the host's new fingerprint",
        )

    def _changed(self, offered: HostKey, known: Iterable[str], hint: str) -> HostKeyError:
        return HostKeyError(
            f"The host key of {described(self.hop)} is not the known one; not connecting",
            detail=_lines(
                [
                    f"offered: {_named(offered)}",
                    *(f"known:   {line}" for line in known),
                    "either the host was reinstalled or somebody is listening in between",
                ]
            ),
            hint=hint,
        )

    def _unknown(self, offered: HostKey, authorities: tuple[KnownHost, ...]) -> HostKeyError:
        files = ", ".join(str(path) for path in self.hop.known_hosts) or "no known_hosts file is configured"
        reasons = [f"offered: {_named(offered)}", f"known:   nothing ({files})"]
        if authorities:
            places = ", ".join(f"{line.file}:{line.line}" for line in authorities)
            reasons[1] = f"known:   only certificate authorities ({places}), which provision cannot verify"
        return HostKeyError(
            f"The host key of {described(self.hop)} is not known; not connecting",
            detail=_lines([*reasons, *(f"skipped: {warning}" for warning in self.known.warnings[:_MOST_WARNINGS])]),
            hint=self._trust_hint(offered),
        )

    def _trust_hint(self, offered: HostKey) -> str:
        line = f"{spelled(self.hop.address, self.hop.port)} {offered.text}"
        target = self.hop.known_hosts[0] if self.hop.known_hosts else Path("~/.ssh/known_hosts")
        command = f"echo '{line}' >> {_shell_path(target)}"
        return f"compare the fingerprint with the administrator's; if it is the same: {command}"

    def _remove_hint(self, evidence: tuple[KnownHost, ...]) -> str:
        name = spelled(self.hop.address, self.hop.port)
        files = dict.fromkeys(line.file for line in evidence)
        commands = "; ".join(f"ssh-keygen -R '{name}' -f {_shell_path(file)}" for file in files)
        return (
            "compare the offered fingerprint with the administrator's; only if it is the same, "
            f"remove the old key: {commands}"
        )

    def _repin_hint(self) -> str:
        partial = any(pin.key is None for pin in self.pins)
        other = " (if the pin is of another key type, pin the whole key line)" if partial else ""
        return f"compare the offered fingerprint with the administrator's before you change the inventory{other}"


def _remember(file: Path, line: str) -> None:
    """One more line in a file of ours, made for its owner alone when it is new."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(file, "a", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as known:
        known.write(line)


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


def _named(key: HostKey) -> str:
    return f"{fingerprint(key)} ({key.kind})"


def _cited(entry: KnownHost) -> str:
    return f"{_named(entry.key)}, {entry.file}:{entry.line}"


def _shell_path(path: Path | str) -> str:
    """A path for a command to copy: quoted where the shell needs it, except a leading `~`, which quoting would kill."""
    return str(path) if str(path).startswith("~/") else shlex.quote(str(path))


def _lines(lines: list[str]) -> str:
    return "\n".join(lines)
