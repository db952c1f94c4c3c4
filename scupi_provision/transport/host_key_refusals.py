"""Why a host key is not accepted: what was offered, what is known instead, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from scupi_provision.errors import HostKeyError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.known_hosts import HostKey, KnownHost, KnownHosts, fingerprint, spelled
from scupi_provision.transport.route import described, printable

_MOST_WARNINGS = 5  # lines skipped in known_hosts; enough to see a pattern


def named(key: HostKey) -> str:
    """A key for messages."""
    return f"{fingerprint(key)} ({key.kind})"


def cited(entry: KnownHost) -> str:
    """A key with the place where it stands."""
    return f"{named(entry.key)}, {entry.file}:{entry.line}"


def revoked(hop: Hop, offered: HostKey, evidence: Iterable[KnownHost]) -> HostKeyError:
    """The key is on a list of those that must never be accepted."""
    return HostKeyError(
        f"The host key of {described(hop)} is revoked; not connecting",
        detail=_lines([f"offered: {named(offered)}", *(f"revoked: {cited(line)}" for line in evidence)]),
        hint="somebody may be using a stolen key: ask the administrator for the host's new fingerprint",
    )


def changed(hop: Hop, offered: HostKey, known: Iterable[str], hint: str) -> HostKeyError:
    """Other keys are known for the host; `known` says which and where."""
    listed = [f"known:   {line}" for line in known]
    warning = "either the host was reinstalled or somebody is listening in between"
    return HostKeyError(
        f"The host key of {described(hop)} is not the known one; not connecting",
        detail=_lines([f"offered: {named(offered)}", *listed, warning]),
        hint=hint,
    )


def unknown(hop: Hop, offered: HostKey, known: KnownHosts, authorities: tuple[KnownHost, ...]) -> HostKeyError:
    """Nothing is known about the host, or only `authorities` that we cannot ask."""
    files = ", ".join(str(path) for path in hop.known_hosts) or "no known_hosts file is configured"
    reason = f"known:   nothing ({files})"
    if authorities:
        places = ", ".join(f"{line.file}:{line.line}" for line in authorities)
        reason = f"known:   only certificate authorities ({places}), which provision cannot verify"
    skipped = [f"skipped: {warning}" for warning in known.warnings[:_MOST_WARNINGS]]
    return HostKeyError(
        f"The host key of {described(hop)} is not known; not connecting",
        detail=_lines([f"offered: {named(offered)}", reason, *skipped]),
        hint="compare the fingerprint with the administrator's; if it is the same: "
        f"provision trust {printable(hop.name)}",
    )


def how_to_replace(hop: Hop, evidence: Iterable[KnownHost]) -> str:
    """The commands that make room for another key: ours for what we wrote, ssh-keygen for the rest."""
    name = spelled(hop.address, hop.port)
    files = dict.fromkeys(line.file for line in evidence)
    ours = [file for file in files if is_ours(hop, file)]
    commands = [f"ssh-keygen -R '{name}' -f {_shell_path(file)}" for file in files if file not in ours]
    commands += [f"provision trust {printable(hop.name)} --replace --yes"] if ours else []
    return (
        "compare the offered fingerprint with the administrator's; only if it is the same, "
        f"remove the old key: {'; '.join(commands)}"
    )


def how_to_pin(pins_are_partial: bool) -> str:  # noqa: FBT001 - the only argument
    """What to do about a pin that does not fit."""
    other = " (if the pin is of another key type, pin the whole key line)" if pins_are_partial else ""
    return f"compare the offered fingerprint with the administrator's before you change the inventory{other}"


def is_ours(hop: Hop, file: str) -> bool:
    """Whether `file` is the one into which keys go that are trusted through us."""
    return hop.new_keys is not None and Path(file).expanduser() == hop.new_keys.expanduser()


def _shell_path(path: Path | str) -> str:
    """A path for a command to copy: quoted where the shell needs it, except a leading `~`, which quoting would kill."""
    return str(path) if str(path).startswith("~/") else shlex.quote(str(path))


def _lines(lines: list[str]) -> str:
    return "\n".join(lines)
