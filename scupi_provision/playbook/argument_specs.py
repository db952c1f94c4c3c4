"""`meta/argument_specs.yml`: what a role asks for, checked before any host is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.playbook.arguments import first_place
from scupi_provision.playbook.definitions import (
    defines_unseen,
    is_required,
    items_of_play,
    lasting_names,
    play_names,
)
from scupi_provision.playbook.models import Play, Role
from scupi_provision.playbook.scalars import has_template
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText

_BOOLEANS = frozenset(["true", "false", "yes", "no", "on", "off", "1", "0", "y", "n"])


def check_role(role: Role, play: Play, known: AbstractSet[str]) -> Iterator[Diagnostic]:
    """What is wrong with the use of `role` in `play`, by its argument_specs.

    Args:
        role: The role; one without argument_specs is never wrong.
        play: Where it is used; its variables count as given.
        known: Variables from outside of the playbook.
    """
    options = role.argument_specs.get("options")
    if not isinstance(options, dict):
        return
    yield from _missing(role, play, options, known)
    yield from _unknown(role, options)
    for layer in (role.parameters, role.given, role.defaults, role.variables, *play.variables):
        for name, value in layer.items():
            if isinstance(options.get(name), dict):
                place = first_place(value) or _place(name) or role.where
                yield from _check_value(str(name), value, options[name], place)


def _place(name: object) -> Position | None:
    return name.position if isinstance(name, SourceText) else None


def _missing(role: Role, play: Play, options: Mapping[str, Any], known: AbstractSet[str]) -> Iterator[Diagnostic]:
    if defines_unseen(play, items_of_play(play)):
        return  # the role's own first task will tell
    given = play_names(play) | known | _task_names(play)
    for name, option in options.items():
        if is_required(option) and name not in given:
            words = option.get("description", "")
            detail = " ".join(map(str, words)) if isinstance(words, list) else str(words)
            hint = f"give it below the role: `{name}: …`"
            yield diagnostic(f'role "{role.name}" needs "{name}"', role.where, detail=detail, hint=hint)


def _task_names(play: Play) -> frozenset[str]:
    """Variables that tasks hand to the roles that they import."""
    items = items_of_play(play)
    handed = frozenset(str(name) for placed in items for layer in placed.item.inherited.variables for name in layer)
    return handed | lasting_names(items)[0]


def _unknown(role: Role, options: Mapping[str, Any]) -> Iterator[Diagnostic]:
    accepted = {str(name) for name in (*options, *role.defaults, *role.variables)}
    for name in role.parameters:  # `vars:` of the entry may mean somebody else
        if name not in accepted:
            hint = suggestion(name, sorted(accepted)) or f"it has {', '.join(sorted(map(str, options)))}"
            where = _place(name) or role.where
            yield diagnostic(f'role "{role.name}" has no parameter "{name}"', where, hint=hint)


def _check_value(name: str, value: Any, option: Mapping[str, Any], where: Position | None) -> Iterator[Diagnostic]:
    if value is None or has_template(value):
        return
    kind = str(option.get("type", "str"))
    fits, words = _KINDS.get(kind, (_anything, ""))
    if not fits(value):
        yield diagnostic(f"{name}: must be {words}", where)
        return
    choices = option.get("choices")
    if isinstance(choices, list) and str(value) not in {str(choice) for choice in choices}:
        listed = ", ".join(str(choice) for choice in choices)
        hint = suggestion(str(value), [str(choice) for choice in choices])
        yield diagnostic(f'{name}: "{value}" is not one of {listed}', where, hint=hint)
    if kind == "list" and isinstance(value, list) and "elements" in option:
        for item in value:
            element = {"type": option["elements"], "choices": option.get("element_choices")}
            yield from _check_value(f"an element of {name}", item, element, first_place(item) or where)


def _anything(_value: Any) -> bool:
    return True


def _is_text(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal())


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in _BOOLEANS


def _is_list(value: Any) -> bool:
    return isinstance(value, list | str)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (_is_text, "text"),
    "path": (_is_text, "a path"),
    "int": (_is_integer, "a whole number"),
    "float": (_is_number, "a number"),
    "bool": (_is_boolean, "true or false"),
    "list": (_is_list, "a list"),
    "dict": (_is_mapping, "a mapping"),
}
