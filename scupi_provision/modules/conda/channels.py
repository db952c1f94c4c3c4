"""Where conda looks: channels by name below some base, and those that come under Anaconda's terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from scupi_provision.host.record import TaskFailedError
from scupi_provision.shell.words import words

UPSTREAM = "https://conda.anaconda.org"
"""Where channels live that are named without an address (conda's channel_alias), and what mirrors stand in for."""
_ANACONDAS = frozenset({"defaults", "main", "r", "msys2", "anaconda", "pkgs/main", "pkgs/r", "pkgs/msys2"})
"""Channels under Anaconda's terms of service: those of `defaults`, and `anaconda` (conda-anaconda-tos)."""


def is_anacondas(source: str) -> bool:
    """Whether a channel or an address is one of Anaconda's own."""
    if "://" not in source:
        return source in _ANACONDAS
    parts = urlsplit(source)
    first = parts.path.strip("/").partition("/")[0]
    return parts.hostname == "repo.anaconda.com" or (parts.hostname == "conda.anaconda.org" and first in _ANACONDAS)


def check_terms(sources: Iterable[str]) -> None:
    """Fail when one of these channels or addresses comes under Anaconda's terms of service."""
    for source in filter(is_anacondas, sources):
        raise TaskFailedError(
            f"{source} comes under Anaconda's terms of service (https://www.anaconda.com/legal), which are yours to"
            " accept: say accept_anaconda_tos: true (for the role: conda_accept_anaconda_tos), or use conda-forge alone"
        )


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
