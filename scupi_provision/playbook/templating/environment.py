"""The Jinja environment of this process, and its compiled templates."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import Template, Undefined, nodes
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.utils import _PassArg, missing

from scupi_provision.playbook.templating.filters import FILTERS
from scupi_provision.playbook.templating.jinja_tests import TESTS
from scupi_provision.playbook.templating.lookups import GLOBALS
from scupi_provision.playbook.templating.native import NativeSandbox, together
from scupi_provision.playbook.templating.sandbox import CHANGES, LazyContext, Missing, Sandbox, Scope, printable
from scupi_provision.playbook.templating.shortcut import shortcut
from scupi_provision.playbook.templating.taint import carried
from scupi_provision.values import UnknownValue

# Where a text that is one expression leaves its value; no variable can have this name.
_RESULT = "_provision_result"
_ACCEPT_UNDEFINED = frozenset({"default", "d", "defined", "undefined", "mandatory", "type_debug"})
_COLLECTIONS = ("ansible.builtin", "ansible.legacy")
_ACCEPT_UNKNOWN = frozenset({"defined", "undefined"})


class _LazyTemplate(Template):
    """A template whose included and imported templates look variables up lazily, too."""

    def new_context(self, vars: Any = None, shared: bool = False, locals: Any = None) -> Context:  # noqa: A002, ARG002, FBT001, FBT002 - Jinja's signature
        scope = vars if isinstance(vars, Scope) else Scope(None, dict(vars or {}))
        own = {name: value for name, value in (locals or {}).items() if value is not missing}
        return LazyContext(self.environment, scope.extended(own), self.name, self.blocks, self.globals)


Sandbox.template_class = _LazyTemplate


@dataclass(frozen=True)
class Program:
    """A compiled text.

    Attributes:
        evaluate: Gives the value in a context: of a text that is one expression the expression's own, else a str.
        newlines: How many line breaks the text ends with: Jinja drops one, and Ansible puts it back.
        copies: Whether it changes lists or mappings, and so gets copies.
    """

    evaluate: Callable[[Context], Any]
    newlines: int
    copies: bool = False

    def value(self, scope: Scope) -> Any:
        """The value of the text with the names of `scope`."""
        if self.copies:
            scope = Scope(scope.templar, scope.names, copies=True)
        value = self.evaluate(LazyContext(environment(), scope, None, {}))
        if not self.newlines or not isinstance(value, str):
            return value
        return value + "\n" * (self.newlines - (len(value) - len(value.rstrip("\n"))))


@functools.lru_cache(maxsize=1)
def environment() -> Sandbox:
    """The environment of conditions and of files that are filled in."""
    return _environment(Sandbox, finalize=printable)


@functools.lru_cache(maxsize=1)
def texts_environment() -> Sandbox:
    """The environment that all texts of playbooks share."""
    return _environment(NativeSandbox)


def _environment(kind: type[Sandbox], **settings: Any) -> Sandbox:
    made = kind(
        undefined=Missing,
        trim_blocks=True,
        **settings,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        cache_size=400,
    )
    made.globals.pop("lipsum", None)  # it is random; a plan must come out the same each time
    made.filters.update(FILTERS)
    made.tests.update(TESTS)
    made.globals.update(GLOBALS)
    made.filters = {name: _attentive(name, function) for name, function in made.filters.items()}
    made.tests = {name: _attentive(name, function) for name, function in made.tests.items()}  # type: ignore[arg-type]
    for names in (made.filters, made.tests):
        names.update({f"{prefix}.{name}": function for name, function in [*names.items()] for prefix in _COLLECTIONS})
    return made


def _attentive(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, but failing as it should when its subject is undefined or known only after apply."""
    index = 0 if _PassArg.from_obj(function) is None else 1
    undefined_fails, unknown_fails = name not in _ACCEPT_UNDEFINED, name not in _ACCEPT_UNKNOWN

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        subject = args[index] if len(args) > index else None
        if undefined_fails and isinstance(subject, Undefined):
            subject._fail_with_undefined_error()  # noqa: SLF001 - Jinja's way to use an undefined value
        if unknown_fails and isinstance(subject, UnknownValue):
            str(subject)  # raises UnknownValueError with its reason
        return carried(function(*args, **kwargs), *args, *kwargs.values())

    return checked


@functools.lru_cache(maxsize=8192)
def compiled(text: str) -> Program:
    """`text` compiled; raises Jinja's TemplateSyntaxError."""
    newlines = len(text) - len(text.rstrip("\n"))
    if evaluate := shortcut(text):
        return Program(evaluate, newlines)
    template = texts_environment().from_string(_with_backslashes(text))

    def evaluate_text(context: Context) -> Any:
        context.blocks = {name: [block] for name, block in template.blocks.items()}
        return together(template.root_render_func(context))

    return Program(evaluate_text, newlines, copies=bool(CHANGES.search(text)))


def _with_backslashes(text: str) -> str:
    r"""`text` with the backslashes of what stands in quotes between `{{` and `}}` doubled: there they are only that.

    So has Ansible it since ever, for patterns: `{{ x | regex_replace('(.)', '\1') }}`. Conditions and template files
    are read as Jinja reads them.
    """
    if "\\" not in text or "{{" not in text:
        return text
    made, in_output = [], False
    for _, kind, value in environment().lex(text):
        in_output = kind == "variable_begin" or (in_output and kind != "variable_end")
        made.append(value.replace("\\", "\\\\") if in_output and kind == "string" else value)
    return "".join(made)


@functools.lru_cache(maxsize=8192)
def compiled_expression(text: str) -> Program:
    """The bare expression `text` (as after `when:`) compiled; raises Jinja's TemplateSyntaxError."""
    return Program(_leaving_value([_assignment(parsed_expression(text))]), newlines=0)


def _leaving_value(body: list[nodes.Node]) -> Callable[[Context], Any]:
    """What runs `body` and gives the value it assigned; "" when no branch of its `if` was taken."""
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(environment())
    run = environment().from_string(tree).root_render_func

    def evaluate(context: Context) -> Any:
        for _ in run(context):
            pass
        return context.vars.get(_RESULT, "")

    return evaluate


def parsed_expression(text: str) -> nodes.Expr:
    """The bare expression `text` as a tree; raises Jinja's TemplateSyntaxError."""
    parser = Parser(environment(), text, state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        parser.fail(f"unexpected '{parser.stream.current.value}'", parser.stream.current.lineno)
    return expression


def _assignment(expression: nodes.Expr) -> nodes.Node:
    return nodes.Assign(nodes.Name(_RESULT, "store", lineno=expression.lineno), expression, lineno=expression.lineno)
