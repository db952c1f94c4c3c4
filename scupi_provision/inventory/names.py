"""Which names hosts, groups, accounts and addresses may have, and host ranges such as `node[01:20]`."""

from __future__ import annotations

import re
import string
import unicodedata

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_MAX_HOSTS = 10_000
"""A range larger than this is a slip of the keyboard, not a cluster."""


def name_problem(name: str) -> str:
    """Why `name` cannot be the name of a host, a group or an account; "" when it can."""
    return _problem(name, _NAME, 'letters, digits, ".", "_" and "-"')


def host_problem(name: str) -> str:
    """Why `name` cannot be the name of a host in an inventory (an IPv6 address can); "" when it can."""
    return address_problem(name) if ":" in name else name_problem(name)


def address_problem(address: str) -> str:
    """Why `address` cannot be dialled (it reaches ssh's command line on some routes); "" when it can."""
    return _problem(address, _ADDRESS, 'letters, digits, ".", ":", "_" and "-"')


def _problem(text: str, allowed: re.Pattern[str], words: str) -> str:
    if allowed.fullmatch(text):
        return ""
    if not text:
        return "is empty"
    if text.startswith("-"):
        return 'begins with "-" and would be taken for an option'
    for character in text:
        if not character.isascii() or not character.isprintable():
            return f"contains U+{ord(character):04X} {unicodedata.name(character, 'control character')}"
    return f"may only have {words}"


def expand_range(pattern: str) -> list[str]:
    """The host names that `pattern` stands for: `node[01:03]` gives node01, node02, node03.

    Raises:
        ValueError: With a readable reason, when a range cannot be understood.
    """
    match = _RANGE.search(pattern)
    if not match:
        return [pattern]
    heads = [pattern[: match.start()] + part for part in _range_parts(match[1])]
    tails = expand_range(pattern[match.end() :])
    if len(heads) * len(tails) > _MAX_HOSTS:
        raise ValueError(f"stands for more than {_MAX_HOSTS} hosts")
    return [head + tail for head in heads for tail in tails]


def _range_parts(body: str) -> list[str]:
    bounds = body.split(":")
    if len(bounds) not in {2, 3} or not all(bounds):
        raise ValueError(f"[{body}] is not a range; write it as [01:20], [a:f] or [0:10:2]")
    if len(bounds) == 3 and (not bounds[2].isdecimal() or int(bounds[2]) == 0):
        raise ValueError(f"the step {bounds[2]} of [{body}] is not a number above 0")
    step = int(bounds[2]) if len(bounds) == 3 else 1
    first, last = bounds[:2]
    if first.isascii() and first.isdecimal() and last.isascii() and last.isdecimal():
        return _numbers(body, first, last, step)
    letters = string.ascii_letters
    if len(first) == len(last) == 1 and first in letters and last in letters:
        parts = letters[letters.index(first) : letters.index(last) + 1 : step]
        if parts:
            return list(parts)
    raise ValueError(f"[{body}] does not count up from {first} to {last}")


def _numbers(body: str, first: str, last: str, step: int) -> list[str]:
    if len(first) > 1 and first.startswith("0") and len(first) != len(last):
        raise ValueError(f"[{body}]: {first} and {last} must have the same number of digits")
    if max(len(first), len(last)) > 9 or int(last) - int(first) >= _MAX_HOSTS * step:
        raise ValueError(f"[{body}] stands for more than {_MAX_HOSTS} hosts")
    numbers = range(int(first), int(last) + 1, step)
    if not numbers:
        raise ValueError(f"[{body}] does not count up from {first} to {last}")
    return [str(number).zfill(len(first)) for number in numbers]
