"""What a module takes, as people read it: in a terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from scupi_provision.modules.describing import Argument, ModuleDescription
from scupi_provision.report import style

_KINDS = {
    "text": "text",
    "path": "path on the host",
    "file": "file of this computer",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "mode": "file mode",
    "list": "list",
    "mapping": "mapping",
    "condition": "expression",
    "any": "any value",
}


def print_module(module: ModuleDescription, console: Console) -> None:
    """One module: what it does, and each argument with what it may be."""
    console.print(Text(module.name, style=style.HEADING).append(f"   {module.summary}", style="not bold"))
    for paragraph in filter(None, module.text.split("\n\n")):
        console.print(Padding(Text(paragraph), (0, 0, 0, 2)))
    for argument in module.arguments:
        line = Text("  ").append(argument.name, style="bold")
        line.append(f"   {_facts(argument)}", style=style.QUIET)
        console.print(line)
        console.print(Padding(Text(argument.text), (0, 0, 0, 6)))
    for remark in _remarks(module):
        console.print(Padding(Text(remark, style=style.QUIET), (0, 0, 0, 2)))


def print_modules(modules: Iterable[ModuleDescription], console: Console) -> None:
    """A line for each module."""
    told = list(modules)
    width = max(len(module.name) for module in told)
    for module in told:
        line = Text(module.name.ljust(width), style="bold").append(f"  {module.summary}", style="not bold")
        console.print(line, overflow="ellipsis", no_wrap=True)


def module_page(module: ModuleDescription) -> str:
    """The module's page in Markdown, for `docs/modules/`."""
    parts = [f"# {module.name}", module.summary, module.text]
    if module.arguments:
        rows = ["| argument | value | meaning |", "| --- | --- | --- |", *map(_row, module.arguments)]
        parts.append("\n".join(rows))
    parts += [f"{line}." for line in _remarks(module)]
    return "\n\n".join(filter(None, parts)) + "\n"


def index_page(modules: Iterable[ModuleDescription]) -> str:
    """The page that leads to the modules' pages."""
    rows = [f"| [{module.name}]({module.name}.md) | {_cell(module.summary)} |" for module in modules]
    heading = "# Modules\n\nWritten by `invoke docs` from the modules themselves; `provision doc MODULE` says the same."
    return "\n".join([heading, "", "| module | what it does |", "| --- | --- |", *rows]) + "\n"


def _row(argument: Argument) -> str:
    names = ", ".join(f"`{name}`" for name in (argument.name, *argument.aliases))
    return f"| {names} | {_cell(_value(argument))} | {_cell(argument.text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _facts(argument: Argument) -> str:
    also = f"; also {', '.join(argument.aliases)}" if argument.aliases else ""
    return _value(argument) + also


def _value(argument: Argument) -> str:
    choices = " ".join(argument.choices)
    kinds = [_KINDS[kind] for kind in argument.kinds if not (choices and kind == "text")]
    told = ", or ".join(filter(None, (f"one of {choices}" if len(argument.choices) > 1 else choices, *kinds)))
    if argument.required:
        return f"{told}; required"
    return f"{told}; default {argument.default}" if argument.default else told


def _remarks(module: ModuleDescription) -> list[str]:
    remarks = []
    if module.free_form:
        remarks.append(f"`{module.name}: text` gives the text to `{module.free_form}`")
    if module.takes_any_name:
        remarks.append("It takes arguments of any name")
    others = [f"`{name}`" for name in module.aliases]
    if others:
        remarks.append(f"Also called {', '.join(others)}")
    return remarks
