"""Task arguments against a module's schema: unknown and missing names, and values that cannot be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.modules.contract import Module, ModuleArgs
from scupi_provision.playbook.scalars import has_template
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText

RAW = "_raw"
"""The name under which a task keeps the text of a free-form module."""
VARIABLE = "_args"
"""The name under which a task keeps a template that gives arguments as a whole (`args: "{{ options }}"`)."""


@lru_cache(maxsize=256)
def argument_names(args: type[ModuleArgs]) -> Mapping[str, str]:
    """Every name by which an argument of `args` may be given, with the name of its field."""
    return {name: field for field, info in args.model_fields.items() for name in (field, *_aliases(info))}


def _aliases(info: FieldInfo) -> Iterator[str]:
    choice = info.validation_alias
    choices = choice.choices if isinstance(choice, AliasChoices) else [choice]
    yield from (name for name in choices if isinstance(name, str))


def takes_any_name(args: type[ModuleArgs]) -> bool:
    """Whether `args` accepts names that it does not declare (`set_fact`)."""
    return args.model_config.get("extra") == "allow"


def parse_arguments(
    module: Module, values: Mapping[str, Any], *, where: Position, positions: Mapping[str, Position]
) -> ModuleArgs:
    """The typed arguments of `module`.

    Args:
        module: Whose arguments they are.
        values: By name as written; the text of a free-form module is under `_raw`. Rendered, or static source text.
        where: The task.
        positions: Where the arguments' names stand.

    Raises:
        InputError: Every argument that is wrong, at its value when that remembers its place, else at its name.
    """
    named = with_free_form(module, values)
    try:
        return module.args.model_validate(named)
    except ValidationError as error:
        found = _diagnostics(module, named, error, where, positions)
    raise InputError.of(found)


def check_arguments(
    module: Module, values: Mapping[str, Any], *, where: Position, positions: Mapping[str, Position]
) -> list[Diagnostic]:
    """What is wrong with arguments whose templates are not rendered yet: names, and the values without templates."""
    own = {name: value for name, value in values.items() if name != VARIABLE}
    found = _check_names(module, own, positions)
    if len(own) < len(values):  # a run will tell the rest
        return found
    if found:
        return found
    try:
        module.args.model_validate(with_free_form(module, values))
    except ValidationError as error:
        named = with_free_form(module, values)
        undecided = {name for name, value in named.items() if has_template(value)}
        return _diagnostics(module, named, error, where, positions, undecided)
    return []


def with_free_form(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the text of a free-form module under the name of the argument that takes it."""
    named = {str(name): value for name, value in values.items()}
    if RAW in named and module.free_form is not None:
        named[module.free_form] = named.pop(RAW)
    return named


def _check_names(module: Module, values: Mapping[str, Any], positions: Mapping[str, Position]) -> list[Diagnostic]:
    names = argument_names(module.args)
    found: list[Diagnostic] = []
    given: dict[str, str] = {}
    for name in values:
        field = module.free_form if name == RAW else names.get(name)
        if field is None:
            if not takes_any_name(module.args):
                found.append(_unknown(module, name, positions.get(name)))
        elif field in given:
            summary = f'"{_shown(module, name)}" and "{_shown(module, given[field])}" are the same argument'
            found.append(diagnostic(summary, positions.get(name)))
        else:
            given[field] = name
    return found


def _shown(module: Module, name: str) -> str:
    return f"the text of {module.name}" if name == RAW else name


def _unknown(module: Module, name: str, where: Position | None) -> Diagnostic:
    from scupi_provision.playbook.keyword_tables import TASK  # noqa: PLC0415 - only on the way to an error
    from scupi_provision.playbook.keywords import odd_characters  # noqa: PLC0415 - likewise

    names = argument_names(module.args)
    hint = suggestion(name, names)
    if not hint and name in TASK:
        hint = f'"{name}" is a keyword of the task: indent it like the name of the module'
    if not hint:
        hint = f"it has {', '.join(sorted(module.args.model_fields))}"
    return diagnostic(
        f'unknown argument "{name}" of module "{module.name}"', where, detail=odd_characters(name), hint=hint
    )


def _diagnostics(
    module: Module,
    values: Mapping[str, Any],
    error: ValidationError,
    where: Position,
    positions: Mapping[str, Position],
    undecided: set[str] | None = None,
) -> list[Diagnostic]:
    """The errors of pydantic in our words; those that a template may still put right (`undecided`) are left out."""
    found: list[Diagnostic] = []
    for item in error.errors(include_url=False, include_input=False):
        location = item["loc"]
        name = _given_name(module, location, values)
        if undecided and (not location or name in undecided):
            continue
        if item["type"] == "missing" and len(location) == 1:
            found.append(_missing(module, name, where))
        elif item["type"] == "extra_forbidden" and len(location) == 1:
            found.append(_unknown(module, name, positions.get(name)))
        else:
            place = _place(values.get(name), location[1:]) or positions.get(name) or positions.get(RAW) or where
            found.append(diagnostic(f"{_path(name, location[1:])}{_message(item)}", place))
    return found


def _given_name(module: Module, location: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    """The name by which the argument at `location` was given (pydantic may tell another alias of its field)."""
    name = str(location[0]) if location else ""
    if not name or name in values:
        return name
    names = argument_names(module.args)
    return next((other for other in values if names.get(other) == names.get(name, name)), name)


def _missing(module: Module, name: str, where: Position) -> Diagnostic:
    field = argument_names(module.args).get(name, name)
    hint = f"add `{field}:`"
    if module.free_form == field:
        hint = f"write `{module.name}: …` with the text after the colon, or add `{field}:`"
    return diagnostic(f'module "{module.name}" needs "{field}"', where, hint=hint)


def _path(name: str, rest: tuple[int | str, ...]) -> str:
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest if part != "[key]")
    return f"{name}{inner}: " if name else ""


def _place(value: Any, rest: tuple[int | str, ...]) -> Position | None:
    """Where the part of `value` at `rest` stands; containers have no place of their own, so the nearest text tells."""
    for part in rest:
        if isinstance(value, dict) and part in value:
            key = next(key for key in value if key == part)
            value = value[part] if isinstance(value[part], SourceText | dict | list) else key
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
    return first_place(value)


def first_place(value: Any) -> Position | None:
    """The place of the first text in a raw value."""
    if isinstance(value, SourceText):
        return value.position
    parts = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((place for place in map(first_place, parts) if place is not None), None)


_KINDS = {
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "string_type": "must be text",
    "missing": "is needed",
    "extra_forbidden": "is not known here",
    "none_required": "must be empty",
}


def _message(item: Any) -> str:
    """The words for one of pydantic's errors."""
    context = item.get("ctx", {})
    if item["type"] in {"value_error", "assertion_error"}:
        return str(context.get("error", item["msg"]))
    if item["type"] in {"literal_error", "enum"}:
        return f"must be {context.get('expected', '')}"
    message = str(item["msg"])
    return _KINDS.get(item["type"], message[:1].lower() + message[1:].replace("Input should be", "must be"))
