"""Lookups as `with_<lookup>` has them: those that go over files and names of this machine."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters.collections import flatten

_LARGEST_SEQUENCE = 10_000
_SHORT_SEQUENCE = re.compile(
    r"(?:(?P<start>0x[0-9a-f]+|\d+)-)?(?P<end>0x[0-9a-f]+|\d+)(?:/(?P<stride>0x[0-9a-f]+|\d+))?(?::(?P<format>.+))?",
    re.IGNORECASE,
)
"""`[start-]end[/stride][:format]`, as Ansible documents the lookup `sequence`."""

_SEQUENCE_FIELDS = frozenset(("start", "end", "stride", "count", "format"))


def _first_found(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    """The first file that exists. A term is a file, a list of files, or `{files: …, paths: …, skip: …}`."""
    skip = False
    names: list[str] = []
    for term in flatten(terms):
        if isinstance(term, Mapping):
            skip = bool(term.get("skip", False))
            files, paths = _split(term.get("files"), ",;"), _split(term.get("paths"), ",:;")
            names += [f"{path}/{file}" for path in paths for file in files] if paths else files
        else:
            names += _split(term, ",;")
    for name in names:
        if (path := _find(templar, name, str(options.get("folder", "files")))) is not None:
            return [str(path)]
    if skip:
        return []
    raise TemplateFailure("none of these files exists", hint=", ".join(names) or "give it some files")


def _split(value: Any, separators: str) -> list[str]:
    if value is None:
        return []
    texts = [value] if isinstance(value, str) else list(flatten([value]))
    return [part for text in texts for part in re.split(f"[{separators}]", str(text)) if part]


def _find(templar: Any, name: str, folder: str) -> Path | None:
    path = Path(name).expanduser()
    if path.is_absolute():
        return path if path.exists() else None
    places = (place for base in templar.search_paths for place in (base / folder / path, base / path))
    return next((place for place in places if place.exists()), None)


def _filetree(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    """Every file, folder and link below the named folders of `files/`; of two with one path the first counts."""
    found: dict[str, dict[str, Any]] = {}
    for term in terms:
        root = _find(templar, str(term).rstrip("/") or "/", "files")
        for path in _below(root) if root is not None else ():
            name = path.relative_to(root or path).as_posix()
            found.setdefault(name, {"root": f"{root}/", "path": name, **_properties(path)})
    return [entry for entry in found.values() if "state" in entry]


def _below(folder: Path) -> Iterator[Path]:
    """Folders before files, as a walk from the top meets them; the order of names is ours, so that it is always one."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    folders = [entry for entry in entries if entry.is_dir()]
    yield from (*folders, *(entry for entry in entries if entry not in folders))
    for entry in folders:
        if not entry.is_symlink():
            yield from _below(entry)


def _properties(path: Path) -> dict[str, Any]:
    status = path.lstat()
    kind: dict[str, Any] = {}
    if stat.S_ISLNK(status.st_mode):
        kind = {"state": "link", "src": str(path.readlink())}
    elif stat.S_ISDIR(status.st_mode):
        kind = {"state": "directory"}
    elif stat.S_ISREG(status.st_mode):
        kind = {"state": "file", "src": str(path)}
    return {
        **kind,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mode": f"0{stat.S_IMODE(status.st_mode):03o}",
        "size": status.st_size,
        "mtime": status.st_mtime,
        "ctime": status.st_ctime,
    }


def _sequence(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [text for term in terms for text in _numbers(str(term).strip())]


def _numbers(term: str) -> list[str]:
    short = _SHORT_SEQUENCE.fullmatch(term)
    given = {name: value for name, value in short.groupdict().items() if value} if short else _pairs(term)
    template = given.get("format", "%d")
    try:
        return [template % number for number in _range(given)]
    except (TypeError, ValueError) as error:
        raise TemplateFailure(f"not a sequence: {error}", hint="start=1 end=5 stride=2 format=node%02d") from None


def _range(given: Mapping[str, str]) -> range:
    """The numbers that the words of a sequence mean; raises ValueError when they mean none."""
    start, stride = int(given.get("start", "1"), 0), int(given.get("stride", "1"), 0)
    if ("end" in given) == ("count" in given):
        raise ValueError("it needs either end or count")
    count = int(given.get("count", "1"), 0)
    if count == 0 or stride == 0:
        return range(0)
    end = int(given["end"], 0) if "end" in given else start + count * stride - 1
    if (end - start) * stride < 0:
        raise ValueError("it ends before it begins; a negative stride counts backwards")
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > _LARGEST_SEQUENCE:
        raise ValueError(f"it has more than {_LARGEST_SEQUENCE:,} items")
    return numbers


def _pairs(term: str) -> dict[str, str]:
    pairs = dict(part.partition("=")[::2] for part in term.split())
    unknown = sorted(pairs.keys() - _SEQUENCE_FIELDS)
    if unknown:
        known = ", ".join(sorted(_SEQUENCE_FIELDS))
        raise TemplateFailure(f'not a sequence: unknown word "{unknown[0]}"', hint=f"it has {known}")
    return {name: value.strip("\"'") for name, value in pairs.items()}


def _inventory_hostnames(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    """The hosts that a pattern names: names and globs of groups and hosts, `!without`, `&only`."""
    groups: Mapping[str, list[str]] = templar.variables["groups"]
    everyone = list(dict.fromkeys(host for hosts in groups.values() for host in hosts))
    patterns = [part.strip() for term in terms for part in re.split(r"[,:](?![^\[]*\])", str(term)) if part.strip()]
    chosen: list[str] = [] if any(p[0] not in "!&" for p in patterns) else list(everyone)
    for pattern in sorted(patterns, key=lambda pattern: "&!".find(pattern[0])):
        named = _named(pattern.lstrip("!&"), groups, everyone)
        if pattern.startswith("!"):
            chosen = [host for host in chosen if host not in named]
        elif pattern.startswith("&"):
            chosen = [host for host in chosen if host in named]
        else:
            chosen += [host for host in named if host not in chosen]
    return chosen


def _named(pattern: str, groups: Mapping[str, list[str]], everyone: list[str]) -> list[str]:
    in_groups = [host for name, hosts in groups.items() if fnmatchcase(name, pattern) for host in hosts]
    return list(dict.fromkeys((*in_groups, *(host for host in everyone if fnmatchcase(host, pattern)))))


LOOPS: dict[str, Callable[[Any, list[Any], dict[str, Any]], list[Any]]] = {
    "first_found": _first_found,
    "filetree": _filetree,
    "inventory_hostnames": _inventory_hostnames,
    "sequence": _sequence,
}
"""Where `with_<lookup>` differs from the lookup of the same name in a template, or where only loops have it."""
