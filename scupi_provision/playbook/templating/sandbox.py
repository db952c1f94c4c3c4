"""Where templates run: strict about what is undefined, blind to what is internal, bounded in what it makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from time import monotonic
from types import GeneratorType
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from scupi_provision.playbook.templating.failures import NameMissingError, TemplateFailure
from scupi_provision.playbook.templating.taint import carried
from scupi_provision.values import Secret, UnknownValue

MAX_OUTPUT = 10_000_000
"""The most characters that a template may make, and the most items of a list that it may repeat."""

MAX_SECONDS = 10
"""How long a template may run; looked at whenever it calls something, as every inner loop over a range does."""

_MOST_BITS = 4096
_FORMAT_WIDTH = re.compile(r"%[^%a-zA-Z]*(?:\d{5,}|\*)")
_CHANGING = (
    *("add", "append", "clear", "discard", "extend", "insert"),
    *("pop", "popitem", "remove", "reverse", "setdefault", "sort", "update"),
)
CHANGES = re.compile(rf"\.\s*(?:{'|'.join(_CHANGING)})\b")
"""A template that may change a list or a mapping; it gets copies, since a plan is made more than once."""

_PADDING = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})


class Missing(StrictUndefined):
    """Something undefined: it may be asked for parts, defaulted and tested, and fails when anything else is done.

    `cause` is the error that made a *defined* variable unusable, when its own template needs something undefined.
    """

    __slots__ = ("_exception_class", "cause")

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: Any = None,
        exc: type[Exception] = UndefinedError,
        cause: Exception | None = None,
    ) -> None:
        super().__init__(hint, obj, name, exc)  # type: ignore[arg-type]
        self.cause = cause
        self._undefined_exception = self._error  # type: ignore[assignment]
        self._exception_class = exc

    def _error(self, message: str) -> Exception:
        if self.cause is not None:
            return self.cause
        if self._exception_class is not UndefinedError or self._undefined_hint:
            return self._exception_class(message)
        whole = self._undefined_obj
        if whole is missing:
            return NameMissingError(self._undefined_name, None)
        others = tuple(key for key in whole if isinstance(key, str)) if isinstance(whole, Mapping) else ()
        return NameMissingError(self._undefined_name, type(whole).__name__, others)

    def fail(self) -> None:
        """Raise what using this value raises."""
        self._fail_with_undefined_error()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _key: Any) -> Any:
        return self


class Scope:
    """The names that a template sees: those that it set itself, then the variables of its `Templar`.

    `copies`: whether it gets copies of lists and mappings, because it changes them.
    """

    __slots__ = ("copies", "names", "templar")

    def __init__(self, templar: Any, names: dict[str, Any], *, copies: bool = False) -> None:
        self.copies = copies
        self.templar = templar
        self.names = names

    def __contains__(self, name: object) -> bool:
        return name in self.names or (self.templar is not None and name in self.templar.variables)

    def get(self, name: str) -> Any:
        """The value of `name`, or Jinja's `missing`."""
        if name in self.names:
            return self.names[name]
        return missing if self.templar is None else self.templar.variables.get(name, missing)

    def extended(self, names: dict[str, Any]) -> Scope:
        """This scope with more names on top."""
        return Scope(self.templar, {**self.names, **names}, copies=self.copies)


class LazyContext(Context):
    """Looks names up one by one, so that a variable is rendered only when a template needs it."""

    parent: Any

    def __init__(self, environment: Any, scope: Scope, name: str | None, blocks: Any, names: Any = None) -> None:
        super().__init__(environment, scope, name, blocks, globals=names)  # type: ignore[arg-type]
        self.deadline = monotonic() + MAX_SECONDS

    def resolve_or_missing(self, key: str) -> Any:
        """The value of `key`, or Jinja's `missing`."""
        if key in self.vars:
            return self.vars[key]
        value = self.parent.get(key)
        if self.parent.copies and type(value) in (dict, list):
            value = self.vars[key] = copied(value)
        return self.environment.globals.get(key, missing) if value is missing else value

    def get_all(self) -> Any:
        """The scope for an included template (Jinja would copy, and so render, every variable)."""
        return self.parent.extended(self.vars) if self.vars else self.parent

    def derived(self, locals: dict[str, Any] | None = None) -> LazyContext:  # noqa: A002 - Jinja's name
        """A context for a block or a call, with its loop variables."""
        found = {key: value for key, value in (locals or {}).items() if value is not missing}
        context = LazyContext(self.environment, self.get_all().extended(found), self.name, {})
        context.eval_ctx = self.eval_ctx
        context.deadline = self.deadline
        context.blocks.update((key, list(blocks)) for key, blocks in self.blocks.items())
        return context


class Generator(CodeGenerator):
    """Compiles `~` to a call that can be bounded, as the other operators are."""

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:  # noqa: N802 - Jinja's name
        """Write `environment.concatenated((…))`."""
        self.write("environment.concatenated((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:  # noqa: N802 - Jinja's name
        """Write `environment.sliced(…)` for a slice, which Jinja would leave to Python."""
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.sliced(")
        self.visit(node.node, frame)
        for part in (node.arg.start, node.arg.stop, node.arg.step):
            self.write(", ")
            self.visit(part or nodes.Const(None), frame)
        self.write(")")


class Sandbox(SandboxedEnvironment):
    """Jinja without side effects, internals, or results that do not fit into memory."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})
    context_class = LazyContext
    code_generator_class = Generator

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right` unless the result would be enormous."""
        if operator == "*":
            _check_repetition(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            _check_size(len(left) + len(right))
        elif operator == "%" and isinstance(left, str) and _FORMAT_WIDTH.search(left):
            raise SecurityError("a format width is too large")
        return carried(super().call_binop(context, operator, left, right), left, right)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call `function` unless it is unsafe or would pad a text beyond the limit."""
        if getattr(function, "__name__", "") in _PADDING and isinstance(getattr(function, "__self__", None), str):
            for argument in args:
                _check_size(argument if isinstance(argument, int) else 0)
        self._check_change(context, function)
        if isinstance(context, LazyContext) and monotonic() > context.deadline:
            raise SecurityError(f"it takes longer than {MAX_SECONDS} s")
        made = super().call(context, function, *args, **kwargs)
        return carried(made, getattr(function, "__self__", None), *args, *kwargs.values())

    def _check_change(self, context: Context, function: Any) -> None:
        changes = getattr(function, "__name__", "") in _CHANGING
        if changes and isinstance(getattr(function, "__self__", None), list | dict | set) and not _has_copies(context):
            raise SecurityError(f"{function.__name__} would change a variable")

    def concatenated(self, parts: tuple[Any, ...]) -> str:
        """The texts of all parts together, unless that would be enormous."""
        return joined(str(part) if part is None else str(printable(part)) for part in parts)

    def sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """What `value[start:stop:step]` gives."""
        return carried(value[start:stop:step], value)


def _check_size(size: int) -> None:
    if size > MAX_OUTPUT:
        raise SecurityError(f"the result would be larger than {MAX_OUTPUT:,} characters or items")


def _check_repetition(left: Any, right: Any) -> None:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | bytes | list | tuple) and isinstance(count, int):
            _check_size(len(sequence) * count)
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MOST_BITS:
        raise SecurityError("the number would be too large")


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > _MOST_BITS:
        raise SecurityError("the number would be too large")


def _has_copies(context: Context) -> bool:
    return isinstance(context, LazyContext) and context.parent.copies is True


def copied(value: Any) -> Any:
    """`value` with new lists and mappings all through it."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if type(value) is list else value


def printable(value: Any) -> Any:
    """What stands in a text for `value`: nothing for None, a list for a generator, the value itself otherwise."""
    if value is None:
        return ""
    if isinstance(value, GeneratorType):
        return list(value)
    if isinstance(value, Secret):
        raise TemplateFailure("a secret cannot be part of a text", hint="give it to an argument of its own")
    _look_at(value)
    return value


def _look_at(value: Any) -> None:
    """Raise UnknownValueError for what is known only after apply, also inside of a list whose text would hide it."""
    if isinstance(value, UnknownValue):
        str(value)
    elif isinstance(value, list | tuple):
        for item in value:
            _look_at(item)
    elif isinstance(value, dict):
        for item in value.values():
            _look_at(item)


def joined(pieces: Iterable[str]) -> str:
    """All pieces of a text, stopping as soon as it becomes too long."""
    collected: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_OUTPUT:
            raise TemplateFailure(f"the template makes more than {MAX_OUTPUT:,} characters")
        collected.append(piece)
    return str(carried("".join(collected), *collected))
