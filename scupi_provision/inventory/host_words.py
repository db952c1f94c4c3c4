"""The word that names hosts in an inventory: one host, a range of them, with a port behind it or not."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from scupi_provision.inventory.names import expand_range, host_problem
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, diagnostic
from scupi_provision.values import SourceText

_BRACKETED = re.compile(r"\[(?P<host>[^\]]*:[^\]]*:[^\]]*)\]:(?P<port>\d+)")
"""`[fe80::1]:2222`: only an IPv6 address needs brackets."""
_WITH_PORT = re.compile(r"(?P<host>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d+)")


def read_host_word(word: SourceText, problems: Problems) -> tuple[list[str], dict[Any, Any]]:
    """The hosts that `word` names, and their port as a variable when it says one."""
    text, login = _without_port(word, problems)
    try:
        names = [text] if is_address(text) else expand_range(text)
    except ValueError as error:
        problems.append(diagnostic(f'host "{word}": {error}', word.position))
        return [], {}
    for name in names:
        if problem := host_problem(name):
            problems.append(diagnostic(f'host name "{name}" {problem}', word.position))
            return [], {}
    return names, login


def is_address(text: str) -> bool:
    """Whether `text` is an IP address, whose colons are no separators."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(word: SourceText, problems: Problems) -> tuple[str, dict[Any, Any]]:
    if is_address(word):
        return str(word), {}
    found = _BRACKETED.fullmatch(word) or _WITH_PORT.fullmatch(word)
    if not found:
        return str(word), {}
    key = SourceText("ansible_port", word.position)
    port = SourceText(found["port"], word.position, plain=True)
    return found["host"], read_variables(MappingNode(((key, port),), word.position), problems)
