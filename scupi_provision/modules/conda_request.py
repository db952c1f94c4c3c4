"""What a `conda_env` task asks for, from its arguments, an environment.yml or an explicit list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.conda_lock import LockedPackage
from scupi_provision.modules.conda_specs import CondaPackage, CondaSpec, missing_specs, parse_spec
from scupi_provision.shell.words import words

UPSTREAM = "https://conda.anaconda.org"
"""Where channels live that are named without an address (conda's channel_alias), and what mirrors stand in for."""
_ANACONDAS = frozenset({"defaults", "main", "r", "msys2", "anaconda", "pkgs/main", "pkgs/r", "pkgs/msys2"})
"""Channels under Anaconda's terms of service: those of `defaults`, and `anaconda` (conda-anaconda-tos)."""


@dataclass(frozen=True)
class Request:
    """What shall be in an environment.

    Attributes:
        specs: What the solver is asked for.
        locked: Instead of specs: exactly these packages.
        pip: Requirements for pip.
        channels: Where packages may come from, the first is preferred.
    """

    specs: tuple[CondaSpec, ...]
    locked: tuple[LockedPackage, ...]
    pip: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def python(self) -> CondaSpec | None:
        """What is asked of python, if anything."""
        if self.locked:
            found = next((one.package for one in self.locked if one.package.name == "python"), None)
            return parse_spec(f"python=={found.version}") if found else None
        return next((spec for spec in self.specs if spec.name == "python"), None)

    def identity(self) -> list[list[str]]:
        """All that is asked of conda, in a form to be hashed."""
        return [sorted(spec.text for spec in self.specs), [one.line for one in self.locked], list(self.channels)]

    def missing(self, have: dict[str, CondaPackage]) -> list[str]:
        """What of it is not there, for people."""
        if self.locked:
            return [one.package.full_name for one in self.locked if have.get(one.package.name) != one.package]
        return [spec.text for spec in missing_specs(self.specs, have)]


def with_python(python: str | None, packages: Iterable[str]) -> tuple[CondaSpec, ...]:
    """The specs of `packages`, and of python when they do not say."""
    specs = [parse_spec(text) for text in packages]
    if python and not any(spec.name == "python" for spec in specs):
        text = f"python={python}" if re.match(r"[0-9]", python) else f"python{python}"
        specs.insert(0, parse_spec(text))
    return tuple(specs)


def check_terms(channels: Iterable[str], locked: Iterable[LockedPackage], *, accepted: bool) -> None:
    """Fail when something comes under Anaconda's terms of service, and nobody has accepted them."""
    for source in [*channels, *(one.url for one in locked)]:
        if is_anacondas(source) and not accepted:
            raise TaskFailedError(
                f"{source} comes under Anaconda's terms of service (https://www.anaconda.com/legal), which are yours to"
                " accept: say accept_anaconda_tos: true, or use conda-forge alone"
            )


def is_anacondas(source: str) -> bool:
    """Whether a channel or an address is one of Anaconda's own."""
    if "://" not in source:
        return source in _ANACONDAS
    parts = urlsplit(source)
    first = parts.path.strip("/").partition("/")[0]
    return parts.hostname == "repo.anaconda.com" or (parts.hostname == "conda.anaconda.org" and first in _ANACONDAS)


def attempts(channels: Sequence[str], bases: Sequence[str]) -> str:
    """For each base, the options of conda that name the channels there: words of words, for `eval "set -- …"`.

    Channels that are addresses, and `defaults`, which is a name of conda's own for several, are the same everywhere.
    """
    tried = [words(*_options(channels, base.rstrip("/"))) for base in bases or [""]]
    return words(*dict.fromkeys(tried))


def _options(channels: Sequence[str], base: str) -> list[str]:
    fixed = [not base or "://" in channel or channel == "defaults" for channel in channels]
    named = [channel if keep else f"{base}/{channel}" for channel, keep in zip(channels, fixed, strict=True)]
    return [option for channel in named for option in ("-c", channel)]
