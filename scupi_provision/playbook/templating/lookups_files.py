"""Lookups that read files of this machine, searched as Ansible does: the role, the file of tasks, the playbook."""

from __future__ import annotations

import configparser
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters.collections import flatten
from scupi_provision.playbook.templating.filters.vaults import secret_text
from scupi_provision.playbook.templating.patterns import pattern
from scupi_provision.playbook.templating.taint import carried
from scupi_provision.source.places import MAX_BYTES
from scupi_provision.vault.format import is_vault
from scupi_provision.vault.keyring import keyring


def _candidates(templar: Any, term: Any, folder: str) -> Iterator[Path]:
    path = Path(str(term)).expanduser()
    if path.is_absolute():
        yield path
        return
    for base in templar.search_paths:
        yield base / folder / path
        yield base / path


def _searched(templar: Any, term: Any, folder: str) -> Path | None:
    return next((path for path in _candidates(templar, term, folder) if path.exists()), None)


def _read(templar: Any, term: Any, folder: str, encoding: str = "utf-8") -> tuple[Path, str]:
    path = _searched(templar, term, folder)
    if path is None:
        tried = ", ".join(str(path) for path in _candidates(templar, term, folder))
        raise TemplateFailure(f"there is no file {term!r} on this machine", hint=f"searched: {tried}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TemplateFailure(f"{path} is larger than {MAX_BYTES:,} bytes")
        content = path.read_bytes()
        if is_vault(content):
            return path, secret_text(keyring().open(content, str(path)).content)
        return path, content.decode(encoding)
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise TemplateFailure(f"cannot read {path}: {error}") from None


def _file(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    texts = [_read(templar, term, "files")[1] for term in terms]
    texts = [carried(text.rstrip(), text) for text in texts] if options.get("rstrip", True) else texts
    return [carried(text.lstrip(), text) for text in texts] if options.get("lstrip", False) else texts


def _unvault(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [_read(templar, term, "files")[1] for term in terms]


_TEMPLATE_OPTIONS = frozenset(
    f"{kind}_{edge}_string" for kind in ("block", "variable", "comment") for edge in ("start", "end")
) | {"trim_blocks", "lstrip_blocks"}


def _template(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    from scupi_provision.playbook.templating.files import render_template  # noqa: PLC0415 - it needs the environment, which needs us

    found: list[Any] = []
    chosen = {name: value for name, value in options.items() if name in _TEMPLATE_OPTIONS}
    for term in terms:
        path, text = _read(templar, term, "templates")
        inner = templar.with_variables(options.get("template_vars", {}))
        folders = (path.parent,)
        found.append(render_template(text, name=str(path), variables=inner, search_paths=folders, options=chosen))
    return found


def _first_found(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    skip = bool(options.get("skip", False))
    candidates: list[str] = []
    for term in flatten(terms):
        if isinstance(term, Mapping):
            skip = skip or bool(term.get("skip", False))
            candidates += _joined(_listed(term.get("files")), _listed(term.get("paths")))
        else:
            candidates += _joined(_listed(term), _listed(options.get("paths")))
    candidates += _joined(_listed(options.get("files")), _listed(options.get("paths")))
    for candidate in candidates:
        for folder in ("files", "templates", "tasks", "vars"):
            if path := _searched(templar, candidate, folder):
                return [str(path)]
    if skip:
        return []
    raise TemplateFailure("first_found: none of these files exists", hint=", ".join(candidates) or "give it some files")


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    texts = [value] if isinstance(value, str) else value
    return [part for text in texts for part in re.split("[,;]", str(text)) if part]


def _joined(files: list[str], folders: list[str]) -> list[str]:
    return [f"{folder}/{file}" for folder in folders for file in files] if folders else files


def _fileglob(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    found: list[str] = []
    for term in terms:
        for path in _candidates(templar, term, "files"):
            matches = sorted(str(match) for match in path.parent.glob(path.name) if match.is_file())
            if matches:
                found += matches
                break
    return found


def _with_words(term: Any, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """`KEY file=… section=…` as the key and its options."""
    words = str(term).split(" ")
    said = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    key = " ".join(word for number, word in enumerate(words) if number == 0 or "=" not in word)
    return key, {**options, **said}


def _ini(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        key, said = _with_words(term, options)
        section = str(said.get("section", "global"))
        text = _read(templar, said.get("file", "ansible.ini"), "files", str(said.get("encoding", "utf-8")))[1]
        if said.get("type", "ini") == "properties":
            text, section = f"[java_properties]\n{text}", "java_properties"
        found += _ini_values(_parsed_ini(text, said), section, key, said)
    return found


def _parsed_ini(text: str, said: Mapping[str, Any]) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, allow_no_value=bool(said.get("allow_no_value", said.get("allow_none", False)))
    )
    if said.get("case_sensitive"):
        parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise TemplateFailure(f"not an INI file: {error}") from None
    return parser


def _ini_values(parser: configparser.ConfigParser, section: str, key: str, said: Mapping[str, Any]) -> list[Any]:
    if not parser.has_section(section):
        return [said.get("default", "")]
    if said.get("re", False):
        return [value for name, value in parser.items(section) if pattern(key).match(name)]
    return [parser.get(section, key, fallback=said.get("default", ""))]


def _csvfile(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        key, said = _with_words(term, options)
        text = _read(templar, said.get("file", "ansible.csv"), "files", str(said.get("encoding", "utf-8")))[1]
        delimiter = {"TAB": "\t", "t": "\t"}.get(str(said.get("delimiter", "TAB")), str(said.get("delimiter", "TAB")))
        try:
            column, key_column = int(str(said.get("col", 1))), int(str(said.get("keycol", 0)))
            rows = csv.reader(text.splitlines(), delimiter=delimiter)
            hit = next((row[column] for row in rows if row and row[key_column] == key), said.get("default"))
        except (ValueError, IndexError, TypeError, csv.Error) as error:
            raise TemplateFailure(f"csvfile: {error}") from None
        found += [] if hit is None else [hit]
    return found


LOOKUPS: dict[str, Callable[[Any, list[Any], dict[str, Any]], list[Any]]] = {
    "file": _file,
    "unvault": _unvault,
    "template": _template,
    "first_found": _first_found,
    "fileglob": _fileglob,
    "ini": _ini,
    "csvfile": _csvfile,
}
