"""What a module takes, as data: read from its argument model, which is the only place where that is written."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from scupi_provision.modules import contract
from scupi_provision.modules.contract import Module

Kind = Literal["text", "path", "file", "boolean", "integer", "number", "mode", "list", "mapping", "condition", "any"]
"""What an argument's value is: `file` is a path on this computer; `condition` an expression, or a list of them."""


@dataclass(frozen=True)
class Argument:
    """One argument of a module.

    Attributes:
        name: Its first name.
        aliases: Its other names.
        kinds: What its value may be; several for `text or list`.
        choices: The only values that it may have, when there are such.
        required: Whether the module needs it.
        default: What counts when it is not given, as a playbook would say it; "" when nothing does.
        text: What it means.
    """

    name: str
    aliases: tuple[str, ...]
    kinds: tuple[Kind, ...]
    choices: tuple[str, ...]
    required: bool
    default: str
    text: str


@dataclass(frozen=True)
class ModuleDescription:
    """One module.

    Attributes:
        name: Its short name.
        aliases: Its other names, `ansible.builtin.…` among them.
        summary: What it does, in a sentence.
        text: What else there is to know; paragraphs, or "".
        arguments: What it takes, the required ones first.
        free_form: The argument that takes the text after `module:`, or "".
        takes_any_name: Whether it takes arguments of any name.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    text: str
    arguments: tuple[Argument, ...]
    free_form: str
    takes_any_name: bool


def describe(module: Module) -> ModuleDescription:
    """What there is to know of `module`."""
    summary, _, text = (module.args.__doc__ or "").strip().partition("\n\n")
    arguments = [_argument(name, field) for name, field in module.args.model_fields.items()]
    return ModuleDescription(
        module.name,
        module.aliases,
        " ".join(summary.split()),
        "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n")).strip(),
        tuple(sorted(arguments, key=lambda argument: not argument.required)),
        module.free_form or "",
        module.args.model_config.get("extra") == "allow",
    )


def _argument(field_name: str, field: FieldInfo) -> Argument:
    alias = field.validation_alias
    names = [name for name in alias.choices if isinstance(name, str)] if isinstance(alias, AliasChoices) else []
    if isinstance(alias, str):
        names = [alias]
    first, *others = names or [field_name]
    found = list(_kinds(field.annotation, field.metadata))
    choices = [value for value, kind in found if kind is None]
    kinds = list(dict.fromkeys(kind for _, kind in found if kind is not None))
    if choices and not kinds:
        kinds = ["text"]
    return Argument(
        first,
        tuple(others),
        tuple(kinds),
        tuple(choices),
        field.is_required(),
        _default(field),
        field.description or "",
    )


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() else field.get_default(call_default_factory=True)
    if value is None or (value in ("", [], (), {}) and value is not False):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(_shown, value)) if isinstance(value, list | tuple) else _shown(value)


def _shown(value: Any) -> str:
    """`value` on one line: what cannot be printed is escaped as in a quoted text of YAML."""
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


# By name, since most of the readers of values are private to their modules.
_READERS: dict[str, Kind] = {
    "_boolean": "boolean",
    "_integer": "integer",
    "_mode": "mode",
    "_path": "path",
    "_source": "file",
    "_conditions": "condition",
    "_evaluated": "condition",
}
_TYPES: dict[Any, Kind] = {str: "text", bool: "boolean", int: "integer", float: "number", list: "list", tuple: "list"}
_FILES = (contract.ControllerFile, contract.ControllerTree)


def _kinds(annotation: Any, metadata: list[Any]) -> Iterator[tuple[str, Kind | None]]:
    """Pairs ("", kind), and (value, None) for each value that is allowed by itself."""
    for reader in metadata:
        kind = _READERS.get(getattr(getattr(reader, "func", None), "__name__", ""))
        if kind is not None:
            yield "", kind
            return
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        yield from _kinds(inner, more)
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            if part is not types.NoneType:
                yield from _kinds(part, [])
    elif origin is Literal:
        yield from ((_shown(value), None) for value in get_args(annotation))
    elif annotation in _FILES:
        yield "", "file"
    elif (origin or annotation) in (dict, *_TYPES):
        yield "", _TYPES.get(origin or annotation, "mapping")
    else:
        yield "", "any"
