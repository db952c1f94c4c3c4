"""Values against a specification of arguments: what is wrong with them, in Ansible's words.

The words are those that ansible-core 2.19 was seen to say; playbooks may look for them in `argument_errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TRUE_OR_FALSE = frozenset({"yes", "on", "true", "y", "1", "no", "off", "false", "n", "0"})


def problems(spec: Mapping[str, Any], given: Mapping[str, Any], context: str = "") -> list[str]:
    """What is wrong with `given`; nothing when the list is empty."""
    inside = f" found in {context}" if context else ""
    names = {name: name for name in spec}
    for name, option in spec.items():
        names |= dict.fromkeys(_option(option).get("aliases") or [], name)
    values = {names[name]: value for name, value in given.items() if name in names}
    missing = sorted(
        name for name, option in spec.items() if _is_required(_option(option)) and values.get(name) is None
    )
    found = [f"missing required arguments: {', '.join(missing)}{inside}"] if missing else []
    for name, option in spec.items():
        if values.get(name) is not None:
            found += _of_value(name, values[name], _option(option), context)
    unknown = [name for name in given if name not in names]
    if unknown:
        shown = ", ".join(f"{context}.{name}" if context else str(name) for name in sorted(map(str, unknown)))
        found.append(f"{shown}. Supported parameters include: {', '.join(sorted(map(_shown(spec), spec)))}.")
    return found


def _shown(spec: Mapping[str, Any]) -> Any:
    def with_aliases(name: str) -> str:
        aliases = _option(spec[name]).get("aliases") or []
        return f"{name} ({', '.join(aliases)})" if aliases else str(name)

    return with_aliases


def _option(option: Any) -> Mapping[str, Any]:
    return option if isinstance(option, Mapping) else {}


def _is_required(option: Mapping[str, Any]) -> bool:
    return str(option.get("required", False)).lower() in {"true", "yes", "1", "on"} and option.get("default") is None


def _of_value(name: str, value: Any, option: Mapping[str, Any], context: str) -> Iterator[str]:
    kind = str(option.get("type", "str"))
    inside = f" found in '{context}'" if context else ""
    reason = _misfit(value, kind)
    if reason:
        seen = _kind_of(value)
        yield f"argument '{name}' is of type {seen}{inside} and we were unable to convert to {kind}: {reason}"
        return
    items = _items(value) if kind == "list" else [value]
    choices = option.get("choices")
    if choices is not None:
        wrong = [item for item in items if str(item) not in {str(choice) for choice in choices}]
        if wrong:
            listed, got = ", ".join(map(str, choices)), ", ".join(map(str, wrong))
            yield f"value of {name} must be {'one or more of' if kind == 'list' else 'one of'}: {listed}, got: {got}"
    elements = option.get("elements")
    if kind == "list" and elements:
        for item in items:
            reason = _misfit(item, str(elements))
            if reason:
                yield (
                    f"Elements value for option '{name}' is of type {_kind_of(item)}{inside} "
                    f"and we were unable to convert to {elements}: {reason}"
                )
    if isinstance(option.get("options"), Mapping):
        for item in items:
            if isinstance(item, Mapping):
                yield from problems(option["options"], item, f"{context}.{name}" if context else name)


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return list(value) if isinstance(value, list | tuple) else [value]


def _kind_of(value: Any) -> str:
    for kind, name in ((bool, "bool"), (str, "str"), (int, "int"), (float, "float"), (Mapping, "dict"), (list, "list")):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _misfit(value: Any, kind: str) -> str:
    """Why a value is none of this kind, or ""."""
    if kind in {"str", "path", "raw", "json", "any"}:
        return ""
    shown = repr(str(value)) if isinstance(value, str) else f"{value!r}"
    if kind in {"int", "float"}:
        return "" if _is_number(value, whole=kind == "int") else f'"{shown}" cannot be converted to {_article(kind)}'
    if kind == "bool":
        if isinstance(value, bool) or str(value).lower() in _TRUE_OR_FALSE:
            return ""
        listed = ", ".join(f"'{word}'" for word in sorted(_TRUE_OR_FALSE))
        return f"The value {shown} is not a valid boolean. Valid booleans include: {listed}"
    if kind == "list":
        return "" if isinstance(value, list | tuple | str | int | float) else f"{shown} cannot be converted to a list"
    if kind == "dict":
        fits = isinstance(value, Mapping) or (isinstance(value, str) and ("=" in value or value.startswith("{")))
        return "" if fits else "dictionary requested, could not parse JSON or key=value"
    return ""


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "int" else f"a {kind}"


def _is_number(value: Any, *, whole: bool) -> bool:
    try:
        number = float(str(value))
    except ValueError:
        return False
    return number.is_integer() or not whole
