"""What a module is: an `Args` model and a pure `plan(args, host)`; plus the argument types that playbooks use.

A module is written as if the host were at hand. It reads through the view (`host.entry`, `host.content`, …) and records
effects on it (`host.write`, `host.run`, …). It never reaches a host, and planning it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from scupi_provision.events import Diff
from scupi_provision.shell.replies import RunReply
from scupi_provision.values import FileMode, SourceFloat, SourceInt, SourceText, UnknownValue

_TRUE = frozenset({"yes", "on", "true", "y", "1"})
_FALSE = frozenset({"no", "off", "false", "n", "0"})


def _text(value: Any) -> Any:
    if isinstance(value, SourceInt | SourceFloat):
        return value.text
    if isinstance(value, int | float):
        return str(value)  # a boolean that a template made becomes "True", as in Ansible
    return value


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str | int | float):
        raise ValueError(f"{value!s} is not a boolean; write true or false")
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value, 10)
        except ValueError:
            raise ValueError(f"{value!r} is not a whole number") from None
    return value


def _mode(value: Any) -> Any:
    if value is None or isinstance(value, FileMode):
        return value
    text = value.text if isinstance(value, SourceInt) else value
    if isinstance(text, SourceText) and not text.plain:
        return FileMode(str(text))
    if isinstance(text, int):  # a number computed by a template: Ansible takes it as the bits themselves
        return FileMode(f"{text:04o}")
    text = str(text)
    if text.isdigit() and not text.startswith("0"):
        raise ValueError(f'{text} would be read as a decimal number; write mode: "0{text}"')
    if text.startswith("0o"):
        text = "0" + text[2:]
    return FileMode(text)


def _words(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("contains a NUL byte, which no path or argument can carry")
    return value


def _path(value: Any) -> Any:
    value = _text(value)
    if isinstance(value, str) and not value:
        raise ValueError("is empty; a path is needed")
    return value


Text = Annotated[str, BeforeValidator(_text)]
"""Text; a number keeps the digits that were written (`3.10` stays "3.10")."""
PathText = Annotated[
    str, BeforeValidator(_path), BeforeValidator(lambda v: _without_nul(v) if isinstance(v, str) else v)
]
"""A path on the host: absolute, or beginning with `~/` or `$HOME/`; relative paths are below the home."""
Boolean = Annotated[bool, BeforeValidator(_boolean)]
"""`true`/`false`, and Ansible's yes/no/on/off."""
Integer = Annotated[int, BeforeValidator(_integer)]
Mode = Annotated[FileMode, BeforeValidator(_mode)]
"""`"0644"`, `0644`, `u=rw,g=r`; a plain 644 is refused with advice."""
Words = Annotated[list[str], BeforeValidator(_words)]
"""A list of texts, or one text with commas."""


@dataclass(frozen=True)
class ControllerFile:
    """A file of the controller, read (or rendered) by the planner before the module plans.

    Attributes:
        path: As the playbook names it; below a `ControllerTree`, relative to the tree with `/` between the parts.
        content: Its bytes, or for a template what it renders to.
        mode: Its permission bits on the controller (`mode: preserve`).
        secret: Whether it was a vault: what is in it is not shown.
    """

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644
    secret: bool = False


@dataclass(frozen=True)
class ControllerTree:
    """A folder of the controller, read by the planner.

    Attributes:
        path: As the playbook names it; a final `/` means "what is in it", as in rsync and Ansible.
        files: Every file below it.
        directories: Every folder below it, relative, parents before what is in them.
    """

    path: str
    files: tuple[ControllerFile, ...] = ()
    directories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One condition of `assert`. `holds` is None until the planner has judged it."""

    text: str
    holds: bool | None = None


@dataclass(frozen=True)
class Evaluated:
    """An expression (`debug: var=…`) and what it is worth; `value` is any playbook value."""

    text: str
    value: Any = None


def _source(value: Any) -> Any:
    return value if isinstance(value, ControllerFile | ControllerTree) else _without_nul(str(_path(value)))


def _conditions(value: Any) -> tuple[Condition, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(map(_condition, items))


def _condition(value: Any) -> Condition:
    if isinstance(value, Condition):
        return value
    if isinstance(value, bool):
        return Condition(str(value).lower(), value)
    if isinstance(value, str):
        return Condition(value)
    raise ValueError("a condition is text such as `x > 1`, or a list of such texts")


def _evaluated(value: Any) -> Evaluated:
    if isinstance(value, Evaluated):
        return value
    if isinstance(value, str):
        return Evaluated(str(value))
    raise ValueError("name a variable, or write an expression without braces")


Source = Annotated[str | ControllerFile | ControllerTree, PlainValidator(_source)]
"""A file of the controller, or a path on the host when the module's `remote_src` is true."""
Conditions = Annotated[tuple[Condition, ...], PlainValidator(_conditions)]
"""One condition or a list of them."""
Expression = Annotated[Evaluated, PlainValidator(_evaluated)]
"""The name of a variable or an expression, without braces."""


class ModuleArgs(BaseModel):
    """Base of every module's arguments. Field descriptions are the module's documentation.

    Aliases (`dest` for `path`) are given with `Field(validation_alias=AliasChoices("path", "dest"))`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


@dataclass(frozen=True)
class Claim:
    """One claim about a host, judged. `expected` and `seen` are words for people; `seen` comes from the host."""

    passed: bool
    expected: str
    seen: str


@dataclass(frozen=True)
class Membership:
    """What a task adds to the inventory of this run: a host, or groups that a host is in from here on.

    Attributes:
        groups: Made where they are new.
        host: Its name; "" is the host on which the task runs.
        variables: Of that host.
        parents: Groups above `groups`.
    """

    groups: tuple[str, ...] = ()
    host: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a module planned.

    Attributes:
        changed: Whether the recorded effects would change the host.
        values: What `register` gets, by Ansible's documented names; may hold UnknownValue for what a run will tell.
        message: What people see for `debug`, `fail`, `assert`.
        failed: True when the task cannot succeed (a failed assertion, a file in the way); `message` says why.
        diffs: What changes, for check --diff.
        skipped: True when the module decides that there is nothing to do by its own rules (e.g. `creates`).
        facts: Variables for the rest of the play (`set_fact`).
        unprovable: True for a command that no plan can show to be unnecessary (no creates/removes).
        claims: For `expect`: what was claimed and what was seen; empty while a program still has to tell.
        undecided: Why only the run can tell whether anything changes ("what git finds in …"), or "". A check says
            "known after apply" then; an apply takes `changed` of what `finish` gives.
        untold: Why nothing of what is registered is known before the run, not even its names, or ""; as `undecided`
            when that is given.
        joins: What the inventory gets; the run, which knows the inventory, tells whether that changes it.
    """

    changed: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    failed: bool = False
    diffs: tuple[Diff, ...] = ()
    skipped: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    unprovable: bool = False
    claims: tuple[Claim, ...] = ()
    undecided: str = ""
    untold: str = ""
    joins: Membership | None = None

    def __post_init__(self) -> None:
        if self.undecided and not self.untold:
            object.__setattr__(self, "untold", self.undecided)


Lookup = Callable[[str, Any], Any]
"""`(name, default)`: the value of a variable as the task sees it."""


@dataclass(frozen=True)
class Module:
    """One registered module.

    Attributes:
        name: Its name in a playbook.
        args: Its argument model.
        plan: `(args, host) -> Result`; `host` is a `scupi_provision.host.view.HostView`.
        finish: For modules that run a program and report what it said: `(args, planned, runs) -> Result`, pure, called
            when the programs have ended; `runs` are their `shell.replies.RunReply` in order.
        free_form: The argument that takes the text of `module: text`, or None when there is no free form.
        aliases: Fully qualified and older names.
        files: Arguments naming files of the controller, and the role folder that they are looked up in, e.g.
            {"src": "templates"}. The planner gives a `ControllerFile` (rendered, for templates) or a `ControllerTree`
            for each of `controller_files(module, values)`.
        conditions: Arguments holding conditions. They are not rendered; the planner gives judged `Condition`s.
        expressions: Arguments holding an expression. They are not rendered; the planner gives an `Evaluated`.
        prepare: Makes the arguments, as rendered, into what the planner goes on with, before files are looked up: for
            text that holds several of them (`script`), and for what comes from variables. It gets the arguments and
            `lookup(name, default)`, the value of a variable.
        rendering: Arguments that say how a template is rendered, by Jinja's names.
        reads_host: Whether with these arguments `files` are the host's, besides what `remote_src` says.
        once: Whether the first host of a batch does it for all (`pause`, `add_host`), as with `run_once`.
    """

    name: str
    args: type[ModuleArgs]
    plan: Callable[[Any, Any], Result]
    finish: Callable[[Any, Result, tuple[RunReply, ...]], Result] | None = None
    free_form: str | None = None
    aliases: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    prepare: Callable[[dict[str, Any], Lookup], dict[str, Any]] | None = None
    rendering: tuple[str, ...] = ()
    reads_host: Callable[[Mapping[str, Any]], bool] | None = None
    once: bool = False


def controller_files(module: Module, values: Mapping[str, Any]) -> dict[str, str]:
    """Which of the given arguments name files of the controller, and the role folder for each.

    Args:
        module: Whose arguments they are.
        values: Rendered arguments as written. With `remote_src`, files are the host's and nothing is looked up.
    """
    field = module.args.model_fields.get("remote_src")
    if _boolean(values.get("remote_src", field.default if field else False)) is True:
        return {}
    if module.reads_host is not None and module.reads_host(values):
        return {}
    return {name: folder for name, folder in module.files.items() if name in values}


def rendering_options(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """How the module's template is to be rendered, as Jinja takes it."""
    given = {name: values[name] for name in module.rendering if name in values}
    return {name: _boolean(value) if name.endswith("_blocks") else str(value) for name, value in given.items()}


__all__ = [
    "AliasChoices",
    "Boolean",
    "Claim",
    "Condition",
    "Conditions",
    "ControllerFile",
    "ControllerTree",
    "Evaluated",
    "Expression",
    "Field",
    "Integer",
    "Lookup",
    "Membership",
    "Mode",
    "Module",
    "ModuleArgs",
    "PathText",
    "Result",
    "Source",
    "Text",
    "UnknownValue",
    "Words",
    "controller_files",
    "rendering_options",
]
