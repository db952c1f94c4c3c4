"""Filters on texts: patterns, paths, quoting, comments."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import glob
import ntpath
import os
import posixpath
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.patterns import pattern


def regex_replace(
    value: Any,
    pattern_text: str = "",
    replacement: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
    **names: Any,
) -> str:
    r"""`value` with every match replaced; `\1` and `\g<name>` stand for groups."""
    compiled = pattern(names.pop("pattern", pattern_text), ignorecase=ignorecase, multiline=multiline)
    try:
        text, found = compiled.subn(replacement, _text(value), count=count)
    except (re.error, IndexError) as error:
        raise TemplateFailure(f"not a replacement: {replacement!r} ({error})") from None
    if mandatory_count and found != mandatory_count:
        raise TemplateFailure(f"{pattern_text!r} should match {mandatory_count} times, but did {found} times")
    return text


def regex_search(value: Any, expression: str, *groups: str, ignorecase: bool = False, multiline: bool = False) -> Any:
    r"""The first match, or a list of the groups asked for (`\1`, `\g<name>`); null when nothing matches."""
    match = pattern(expression, ignorecase=ignorecase, multiline=multiline).search(_text(value))
    if match is None:
        return None
    if not groups:
        return match.group()
    return [_group(match, group) for group in groups]


def _group(match: re.Match[str], group: str) -> str | None:
    asked = re.fullmatch(r"\\(?:g<(\w+)>|(\d+))", group)
    if asked is None:
        raise TemplateFailure(f"unknown group {group!r}", hint="write '\\1' or '\\g<name>'")
    name: str | int = asked[1] or int(asked[2])
    name = int(name) if isinstance(name, str) and name.isdecimal() else name
    try:
        return match.group(name)
    except IndexError:
        raise TemplateFailure(f"the pattern has no group {group!r}") from None


def regex_findall(value: Any, expression: str, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """All matches; tuples become lists."""
    found = pattern(expression, ignorecase=ignorecase, multiline=multiline).findall(_text(value))
    return [list(match) if isinstance(match, tuple) else match for match in found]


def regex_escape(value: Any, re_type: str = "python") -> str:
    """`value` with everything quoted that a pattern would understand."""
    if re_type == "python":
        return re.escape(_text(value))
    if re_type == "posix_basic":
        return re.sub(r"([].[^$*\\])", r"\\\1", _text(value))
    raise TemplateFailure(f"no re_type {re_type!r}", hint="python or posix_basic")


def splitext(path: Any) -> list[str]:
    """A path as [everything before the extension, extension]."""
    return list(posixpath.splitext(_text(path)))


def path_join(parts: Any) -> str:
    """Parts of a path joined by slashes; an absolute part starts anew."""
    return posixpath.join(*map(_text, parts)) if isinstance(parts, list | tuple) else _text(parts)


def relpath(path: Any, start: Any = ".") -> str:
    """`path` as seen from `start`."""
    return posixpath.relpath(_text(path), _text(start))


def split(value: Any, separator: str | None = None, maxsplit: int = -1) -> list[str]:
    """The parts of a text between `separator`, or between white space."""
    return _text(value).split(separator, maxsplit)


_COMMENTS: dict[str, dict[str, str]] = {
    "plain": {"decoration": "# "},
    "erlang": {"decoration": "% "},
    "c": {"decoration": "// "},
    "cblock": {"beginning": "/*", "decoration": " * ", "end": " */"},
    "xml": {"beginning": "<!--", "decoration": " - ", "end": "-->"},
}


def comment(text: Any, style: str = "plain", **options: Any) -> str:
    """`text` as a comment, in a style (plain, erlang, c, cblock, xml) that `options` change."""
    if style not in _COMMENTS:
        raise TemplateFailure(f"no comment style {style!r}", hint=", ".join(_COMMENTS))
    chosen: dict[str, Any] = {
        "newline": "\n",
        "beginning": "",
        "end": "",
        "prefix_count": 1,
        "postfix_count": 1,
        **_COMMENTS[style],
    }
    prepost = options.get("decoration", chosen["decoration"]).rstrip()
    chosen = {"prefix": prepost, "postfix": prepost, **chosen, **options}
    newline, decoration = str(chosen["newline"]), str(chosen["decoration"])
    lines = [f"{decoration}{line}" for line in _text(text).split("\n")]
    whole = [str(chosen["beginning"])] if chosen["beginning"] else []
    whole += [str(chosen["prefix"])] * int(chosen["prefix_count"]) + lines
    whole += [str(chosen["postfix"])] * int(chosen["postfix_count"])
    whole += [str(chosen["end"])] if chosen["end"] else []
    return newline.join(whole)


def _glob(value: Any) -> list[str]:
    return sorted(match for match in glob.glob(_text(value)) if Path(match).is_file())  # noqa: PTH207 - as a shell has it


def common_path(paths: Any) -> str:
    """The longest path that all of `paths` begin with."""
    try:
        return posixpath.commonpath(list(map(_text, paths)))
    except (ValueError, TypeError) as error:
        raise TemplateFailure(f"no common path: {error}") from None


def quote(value: Any) -> str:
    """`value` as one word of a shell command."""
    return shlex.quote("" if value is None else _text(value))


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise TemplateFailure("this filter needs a text, not a list or mapping", hint="apply it to each: | map('…')")
    return str.__str__(value) if isinstance(value, str) else str(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "regex_findall": regex_findall,
    "regex_escape": regex_escape,
    "basename": lambda path: posixpath.basename(_text(path)),
    "dirname": lambda path: posixpath.dirname(_text(path)),
    "win_basename": lambda path: ntpath.basename(_text(path)),
    "win_dirname": lambda path: ntpath.dirname(_text(path)),
    "expanduser": lambda path: str(Path(_text(path)).expanduser()),
    "expandvars": lambda path: os.path.expandvars(_text(path)),
    "realpath": lambda path: str(Path(_text(path)).resolve()),
    "commonpath": common_path,
    "fileglob": _glob,
    "win_splitdrive": lambda path: list(ntpath.splitdrive(_text(path))),
    "normpath": lambda path: posixpath.normpath(_text(path)),
    "splitext": splitext,
    "path_join": path_join,
    "relpath": relpath,
    "split": split,
    "comment": comment,
    "quote": quote,
}
