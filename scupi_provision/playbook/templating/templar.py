"""Rendering: playbook text and variables to values."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import GeneratorType
from typing import Any

from jinja2 import Undefined

from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.playbook.templating.environment import compiled, compiled_expression
from scupi_provision.playbook.templating.explain import explained
from scupi_provision.playbook.templating.failures import UndefinedVariableError
from scupi_provision.playbook.templating.omission import OMIT
from scupi_provision.playbook.templating.places import Origin
from scupi_provision.playbook.templating.sandbox import Missing, Scope
from scupi_provision.playbook.templating.taint import refuse_locked
from scupi_provision.playbook.templating.truth import says_yes, truth_of, unwrapped
from scupi_provision.source import diagnostic
from scupi_provision.values import LockedText, Secretive, SourceText, TemplateText, UnknownValue, UnknownValueError

_DEEPEST_VARIABLES = 40
_ALL = "vars"
"""The variable that holds all others by their names."""


class Templar:
    """Renders templates with one set of variables. Not to be shared between threads.

    Only `TemplateText` is ever rendered: every other text, whatever it holds, is data.
    """

    def __init__(self, variables: Mapping[str, Any], *, search_paths: tuple[Path, ...] = ()) -> None:
        """Take `variables` as they are written; each is rendered when first needed.

        Args:
            variables: Raw values by name; they may be or contain TemplateText.
            search_paths: Folders on this machine in which lookups search files, first match wins.
        """
        self.variables = LazyVariables(self, variables)
        self.search_paths = search_paths
        self._scope = Scope(self, {})

    def with_variables(self, extra: Mapping[str, Any]) -> Templar:
        """A Templar with `extra` on top of these variables."""
        below = self.variables.written
        maps = below.maps if isinstance(below, ChainMap) else [below]
        return Templar(ChainMap(extra, *maps), search_paths=self.search_paths)  # type: ignore[arg-type]

    def render(self, value: Any, *, allow_unknown: bool = False) -> Any:
        """`value` with every template in it rendered, through lists and mappings.

        A text that is exactly one `{{ expression }}` gives the expression's own value; a text without braces is
        returned as it is (the same object).

        Raises:
            InputError: A template is wrong, or (UndefinedVariableError) needs what is not defined.
            UnknownValueError: The result holds something known only after apply, and `allow_unknown` is False.
        """
        result = self._rendered(value)
        return (
            result if result is value and type(value) is TemplateText else _settled(result, allow_unknown=allow_unknown)
        )

    def text(self, value: Any) -> str:
        """`value` rendered, as text."""
        result = self.render(value)
        return result if isinstance(result, str) else str(result)

    def holds(self, condition: Any) -> bool:
        """Whether a condition (as after `when:`) holds; a list holds when all its conditions do.

        The result must be a boolean; nothing else is taken for one.

        Raises:
            InputError: As `render`, or the result is something else.
            UnknownValueError: The answer is known only after apply.
        """
        if isinstance(condition, list | tuple):
            return all(self.holds(part) for part in condition)
        if not isinstance(condition, TemplateText):
            return truth_of(condition, condition if isinstance(condition, SourceText) else None)
        bare = unwrapped(condition)
        return truth_of(self._run(bare, expression=True), condition)

    def agrees(self, flag: Any) -> bool:
        """Whether a keyword such as `ignore_errors` says yes: booleans, and the words for them.

        Raises:
            InputError: As `render`.
            UnknownValueError: The answer is known only after apply.
        """
        return says_yes(self.render(flag))

    def resolved(self, value: Any) -> Any:
        """A variable's value: as `_rendered`, but what cannot be rendered fails only when it is used."""
        try:
            if isinstance(value, TemplateText):
                return self._text_value(value)
        except UndefinedVariableError as error:
            return Missing(name="", cause=error)
        except UnknownValueError as error:
            return UnknownValue(error.reason)
        if isinstance(value, LockedText):
            return Missing(name="", cause=value.cause)
        return _through(value, self.resolved)

    def _rendered(self, value: Any) -> Any:
        refuse_locked(value)
        return self._text_value(value) if isinstance(value, TemplateText) else _through(value, self._rendered)

    def _text_value(self, text: TemplateText) -> Any:
        if "{" not in text:
            return text
        return self._run(text, expression=False)

    def _run(self, text: TemplateText, *, expression: bool) -> Any:
        """The value of a text, every failure explained at its place."""
        try:
            program = compiled_expression(text) if expression else compiled(text)
            value = _concrete(program.value(self._scope))
        except UndefinedVariableError as error:
            raise error.needed_at(text.position) from None
        except (ProvisionError, UnknownValueError):
            raise
        except Exception as error:  # noqa: BLE001 - filters and methods raise anything; all of it is the template's fault
            origin = Origin(text, scalar=text, expression=expression)
            raise explained(error, origin, self.variables) from None
        return value


class LazyVariables(Mapping[str, Any]):
    """Variables by name, each rendered when it is first asked for, and only then."""

    def __init__(self, templar: Templar, written: Mapping[str, Any]) -> None:
        self.written = written
        self._templar = templar
        self._ready: dict[str, Any] = {}
        self._open: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name in self._ready:
            return self._ready[name]
        if name == _ALL:
            return self
        value = self.written[name]
        if name in self._open:
            self._refuse_cycle(name, value)
        if len(self._open) >= _DEEPEST_VARIABLES:
            raise InputError(f'variables refer to variables too deep, at "{name}"', where=_place_of(value))
        self._open.append(name)
        try:
            value = self._templar.resolved(value)
        finally:
            self._open.pop()
        self._ready[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The rendered value of `name`, or `default`."""
        return self[name] if name in self._ready or name in self else default

    def __contains__(self, name: object) -> bool:
        return name in self.written or name == _ALL

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def _refuse_cycle(self, name: str, value: Any) -> None:
        through = self._open[self._open.index(name) + 1 :]
        way = " through " + ", ".join(f'"{other}"' for other in through) if through else ""
        where = _place_of(value)
        raise InputError.of(
            [diagnostic(f'the variable "{name}" refers to itself{way}', where, hint="give one of them another name")]
        )


def _place_of(value: Any) -> Any:
    if isinstance(value, SourceText):
        return value.position
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((place for place in map(_place_of, inner) if place), None)


def _through(value: Any, render: Callable[[Any], Any]) -> Any:
    """`value` with `render` applied to what it contains; the same object when it contains no template."""
    if type(value) is dict:
        if not any(_may_hold_template(item) for item in value.values()):
            return value
        made = {key: render(item) for key, item in value.items()}
        return {key: item for key, item in made.items() if item is not OMIT}
    if type(value) is list or type(value) is tuple:
        if not any(_may_hold_template(item) for item in value):
            return value
        return [item for item in map(render, value) if item is not OMIT]
    return value


def _may_hold_template(value: Any) -> bool:
    if type(value) is dict:
        return any(_may_hold_template(item) for item in value.values())
    if type(value) is list or type(value) is tuple:
        return any(_may_hold_template(item) for item in value)
    return (isinstance(value, TemplateText) and "{" in value) or isinstance(value, LockedText)


def _concrete(value: Any) -> Any:
    """`value` with its generators run; fails for what this very template left undefined.

    What an unusable variable holds (a Missing with a cause) stays: it fails when it is used.
    """
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's way to use an undefined value
    if isinstance(value, GeneratorType):
        value = list(value)
    if type(value) is dict:
        made = {key: _concrete_item(item) for key, item in value.items()}
        return value if all(made[key] is item for key, item in value.items()) else made
    if isinstance(value, list | tuple):
        items = [_concrete_item(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _concrete_item(item: Any) -> Any:
    return item if isinstance(item, Missing) and item.cause is not None else _concrete(item)


def _settled(value: Any, *, allow_unknown: bool) -> Any:
    """`value`, once nothing in it is undefined, pending or (unless allowed) unknown."""
    if isinstance(value, str):
        return value if type(value) is str or isinstance(value, SourceText | Secretive) else str.__str__(value)
    if isinstance(value, Missing):
        value.fail()
    if isinstance(value, UnknownValue):
        if not allow_unknown:
            str(value)  # raises UnknownValueError with its reason
        return value
    if type(value) is dict:
        for item in value.values():
            _settled(item, allow_unknown=allow_unknown)
    elif isinstance(value, list | tuple):
        for item in value:
            _settled(item, allow_unknown=allow_unknown)
    return value
