"""Micromamba in conda's place: one static program, and a small file that makes `conda activate` of it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from scupi_provision.host.view import HostView
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word

MICROMAMBA = "bin/micromamba"
"""Where the program is below its prefix."""
_ACTIVATION = "etc/profile.d/conda.sh"


def plan_micromamba(host: HostView, prefix: str, urls: Sequence[str], sha256: str, *, update: bool) -> bool:
    """Plan the two files; whether there is anything to do.

    Args:
        host: Where.
        prefix: What micromamba calls its root prefix.
        urls: Where the program is; tried in order.
        sha256: What it must hash to.
        update: Replace a program that is there and is another.
    """
    program, activation = f"{prefix}/{MICROMAMBA}", f"{prefix}/{_ACTIVATION}"
    folders = [posixpath.dirname(path) for path in (program, activation)]
    host.want(entries=[prefix, program, activation, *folders])
    changed = host.mkdir(folders[0])
    if update or not host.entry(program).exists:
        changed = host.fetch(urls, program, sha256, 0o755) or changed
    changed = host.mkdir(folders[1]) or changed
    text = f"MAMBA_ROOT_PREFIX={word(prefix)}\n{shell_source('micromamba.sh')}"
    return host.write(activation, text.encode(), 0o644) or changed
