"""Ansible's lookups: values from this machine and from other variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from scupi_provision.errors import ProvisionError
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters.collections import flatten, subelements
from scupi_provision.playbook.templating.filters.vaults import secret_text
from scupi_provision.playbook.templating.omission import OMIT
from scupi_provision.playbook.templating.taint import carried
from scupi_provision.source import suggestion
from scupi_provision.source.places import MAX_BYTES
from scupi_provision.vault.format import is_vault
from scupi_provision.vault.keyring import keyring

_REFUSED = {
    "pipe": ("runs a program on this machine while planning", "use a command task and register"),
    "password": ("makes a random value", "keep the password in a variable"),
    "url": ("downloads while planning", "use get_url"),
    "random_choice": ("makes a random value", "name the one you mean"),
}
_LARGEST_SEQUENCE = 10_000


@pass_context
def lookup(
    context: Context, plugin: str, *terms: Any, wantlist: bool = False, errors: str = "strict", **options: Any
) -> Any:
    """The value that lookup `plugin` finds; several are joined by commas unless `wantlist`."""
    try:
        found = _found(context, plugin, terms, options)
    except (TemplateFailure, ProvisionError):
        if errors in ("ignore", "warn"):
            return [] if wantlist else None
        raise
    if wantlist:
        return found
    if len(found) == 1:
        return found[0]
    return ",".join(map(str, found)) if all(isinstance(item, str | int | float) for item in found) else found


@pass_context
def query(context: Context, plugin: str, *terms: Any, errors: str = "strict", **options: Any) -> Any:
    """What lookup `plugin` finds, always a list."""
    return lookup(context, plugin, *terms, wantlist=True, errors=errors, **options)


@pass_context
def _every_variable(context: Context) -> Any:
    return _templar(context).variables


def _found(context: Context, plugin: str, terms: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    name = plugin.removeprefix("ansible.builtin.")
    if name in _REFUSED:
        why, instead = _REFUSED[name]
        raise TemplateFailure(f"the lookup {name} is refused: it {why}", hint=instead)
    if name not in LOOKUPS:
        raise TemplateFailure(f"there is no lookup {plugin!r}", hint=suggestion(name, LOOKUPS) or ", ".join(LOOKUPS))
    return LOOKUPS[name](_templar(context), list(terms), options)


def _templar(context: Context) -> Any:
    templar = context.parent.templar  # type: ignore[attr-defined]
    if templar is None:
        raise TemplateFailure("lookups need variables", hint="import the macro file `with context`")
    return templar


def _env(_templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    default = options.get("default", "")
    return [os.environ.get(str(term), default) for term in terms]


def _vars(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        if term in templar.variables:
            found.append(templar.variables[term])
        elif "default" in options:
            found.append(options["default"])
        else:
            hint = suggestion(str(term), templar.variables)
            raise TemplateFailure(f'the variable "{term}" is not defined', hint=hint)
    return found


def _varnames(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    from scupi_provision.playbook.templating.patterns import pattern  # noqa: PLC0415 - rarely needed

    return [name for term in terms for name in templar.variables if pattern(str(term)).search(name)]


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


def _read(templar: Any, term: Any, folder: str) -> tuple[Path, str]:
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
        return path, content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateFailure(f"cannot read {path}: {error}") from None


def _file(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    texts = [_read(templar, term, "files")[1] for term in terms]
    texts = [carried(text.rstrip(), text) for text in texts] if options.get("rstrip", True) else texts
    return [carried(text.lstrip(), text) for text in texts] if options.get("lstrip", False) else texts


def _unvault(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [_read(templar, term, "files")[1] for term in terms]


def _template(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    from scupi_provision.playbook.templating.files import render_template  # noqa: PLC0415 - it needs the environment, which needs us

    found: list[Any] = []
    for term in terms:
        path, text = _read(templar, term, "templates")
        inner = templar.with_variables(options.get("template_vars", {}))
        found.append(render_template(text, name=str(path), variables=inner, search_paths=(path.parent,)))
    return found


def _lines(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [line for term in terms for line in _read(templar, term, "files")[1].splitlines()]


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
    return [str(value)] if isinstance(value, str) else [str(item) for item in value]


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


def _dict(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    for term in terms:
        if not isinstance(term, Mapping):
            raise TemplateFailure(f"the lookup dict needs a mapping, not {term!r}")
    return [{"key": key, "value": value} for term in terms for key, value in term.items()]


def _nested(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    import itertools  # noqa: PLC0415 - rarely needed

    lists = [term if isinstance(term, list | tuple) else [term] for term in terms]
    return [flatten(list(row), 1) for row in itertools.product(*lists)]


def _together(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    import itertools  # noqa: PLC0415 - rarely needed

    return [list(row) for row in itertools.zip_longest(*terms)]


def _sequence(_templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    settings: dict[str, Any] = {"start": 1, "stride": 1, "format": "%d"}
    for term in terms:
        settings |= dict(part.split("=", 1) for part in str(term).split() if "=" in part)
    settings |= options
    try:
        start, stride = int(str(settings["start"]), 0), int(str(settings["stride"]), 0)
        count = settings.get("count")
        end = start + stride * (int(str(count), 0) - 1) if count is not None else int(str(settings["end"]), 0)
        numbers = range(start, end + (1 if stride > 0 else -1), stride)
        if len(numbers) > _LARGEST_SEQUENCE:
            raise TemplateFailure(f"the sequence has more than {_LARGEST_SEQUENCE:,} items")
        return [str(settings["format"]) % number for number in numbers]
    except (KeyError, TypeError, ValueError) as error:
        raise TemplateFailure(f"not a sequence: {error}", hint="start=1 end=5 stride=2 format=node%02d") from None


def _subelements(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    flags = terms[2] if len(terms) > 2 and isinstance(terms[2], Mapping) else {}
    return subelements(terms[0], terms[1], skip_missing=bool(flags.get("skip_missing", False)))


LOOKUPS: dict[str, Callable[[Any, list[Any], dict[str, Any]], list[Any]]] = {
    "env": _env,
    "vars": _vars,
    "varnames": _varnames,
    "file": _file,
    "unvault": _unvault,
    "template": _template,
    "lines": _lines,
    "first_found": _first_found,
    "fileglob": _fileglob,
    "items": lambda _templar, terms, _options: flatten(terms, 1),
    "list": lambda _templar, terms, _options: terms,
    "flattened": lambda _templar, terms, _options: flatten(terms),
    "indexed_items": lambda _templar, terms, _options: [list(pair) for pair in enumerate(flatten(terms, 1))],
    "dict": _dict,
    "nested": _nested,
    "cartesian": _nested,
    "together": _together,
    "sequence": _sequence,
    "subelements": _subelements,
}

GLOBALS: dict[str, Any] = {"lookup": lookup, "query": query, "q": query, "omit": OMIT}
