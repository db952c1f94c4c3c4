"""A requirements file of pip: what of it can be judged from file names, and whether the rest is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scupi_provision.modules.python.requirements import parse

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ](\S+)")
_SETTING = re.compile(r"--(?:require-hashes|prefer-binary|pre|only-binary|no-binary|trusted-host|no-index)\b")


@dataclass(frozen=True)
class RequirementsFile:
    """What a requirements file says.

    Attributes:
        requirements: Those that name a package (PEP 508), without their hashes.
        unhashed: Those of them that have no hash.
        others: Lines that only pip understands: other files, URLs, paths. Whether they are fulfilled cannot be told.
    """

    requirements: tuple[str, ...] = ()
    unhashed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def parse_file(text: str) -> RequirementsFile:
    """Read the text of a requirements file, as pip reads it: `#` comments, lines that a backslash continues."""
    requirements, unhashed, others = [], [], []
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = _COMMENT.sub("", raw).strip()
        if not line or _SETTING.match(line):
            continue
        hashes = _HASH.findall(line)
        name = _HASH.sub("", line).strip()
        try:
            parse(name)
        except ValueError:
            others.append(line)
            continue
        requirements.append(name)
        if not hashes:
            unhashed.append(name)
    return RequirementsFile(tuple(requirements), tuple(unhashed), tuple(others))
