"""From what Jinja raises to an error with a place, a reason and something to try."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError

from scupi_provision.errors import InputError, Position
from scupi_provision.playbook.templating.failures import NameMissingError, TemplateFailure, UndefinedVariableError
from scupi_provision.playbook.templating.places import Origin, failing_line
from scupi_provision.source import suggestion

_ENDS = {"end of print statement": "}}", "end of statement block": "%}"}
_NO_SUCH = re.compile(r"No (filter|test) named '([\w.]+)'")
_ELSEWHERE = {
    "json_query": "it needs the library jmespath; choose with selectattr, map and dict2items",
    "dict": "write {…} or dict(…)",
    "password_hash": "keep the hash in a variable, as `openssl passwd -6` makes it",
    "ipaddr": "the collections ansible.utils and ansible.netcommon are not there",
}
"""Filters of other collections that people know, and what to do without."""


def explained(error: Exception, origin: Origin, known: Iterable[str]) -> InputError:
    """The error to report for `error`, raised while the template of `origin` was compiled or run.

    Args:
        error: What was raised.
        origin: The template.
        known: The names of all variables, for suggestions.
    """
    if isinstance(error, TemplateSyntaxError):
        return _syntax(error, origin)
    origin, line = _innermost(error, origin)
    if isinstance(error, NameMissingError):
        return _undefined(error, origin, known, line)
    if match := _NO_SUCH.search(str(error)):
        return _no_such(match[1], match[2], origin, line)
    offset = origin.first_code(line)
    where = origin.place(offset)
    hint = ""
    if isinstance(error, TemplateFailure):
        summary, hint = str(error), error.hint
    elif isinstance(error, SecurityError):
        summary = f"this template is refused: {error}"
        hint = "templates may only compute values from variables"
    elif isinstance(error, TemplateNotFound):
        summary = f"there is no template {error.name}"
    elif isinstance(error, RecursionError):
        summary = "this template nests too deep"
    else:
        summary = f"this template fails: {_reason(error)}"
    return InputError(summary, where=where, excerpt=origin.excerpt(where), hint=hint)


def _reason(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"no element {text}" if isinstance(error, KeyError) else text


def _innermost(error: Exception, origin: Origin) -> tuple[Origin, int]:
    """The template in which `error` happened: an included file is another one than `origin`."""
    file, line = failing_line(error.__traceback__)
    if file is None or file == origin.name or not Path(file).is_file():
        return origin, line
    text = Path(file).read_text(encoding="utf-8", errors="replace")
    return Origin(text, name=file), line


def _undefined(error: NameMissingError, origin: Origin, known: Iterable[str], line: int) -> UndefinedVariableError:
    name = str(error.name)
    part = error.owner is not None
    offset = origin.find(name, part=part, line=line)
    where = origin.place(origin.first_code(line) if offset is None else offset)
    if part:
        summary, hint = f'no "{name}" in this value ({_kind(error.owner)})', suggestion(name, error.others)
    else:
        summary = f'the variable "{name}" is not defined'
        hint = suggestion(name, known) or "define it, or give a default: {{ " + name + " | default(…) }}"
    return UndefinedVariableError(summary, where=where, excerpt=origin.excerpt(where), hint=hint)


def _kind(owner: str | None) -> str:
    kinds = {"dict": "a mapping", "list": "a list", "NoneType": "null", "int": "a number", "SourceInt": "a number"}
    kinds |= dict.fromkeys(("str", "SourceText", "TemplateText"), "a text")
    return kinds.get(owner or "", owner or "")


def _no_such(kind: str, name: str, origin: Origin, line: int) -> InputError:
    from scupi_provision.playbook.templating.environment import environment  # noqa: PLC0415 - it imports us

    known = environment().filters if kind == "filter" else environment().tests
    match = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(origin.text, origin.offset_of_line(line))
    where = origin.place(match.start() if match else origin.first_code(line))
    hint = (
        _ELSEWHERE.get(name.rpartition(".")[2])
        or suggestion(name, known)
        or "see the list of supported filters, tests and lookups in the documentation"
    )
    return InputError(f'there is no {kind} "{name}"', where=where, excerpt=origin.excerpt(where), hint=hint)


def _syntax(error: TemplateSyntaxError, origin: Origin) -> InputError:
    file = error.filename
    if file and file != origin.name and Path(file).is_file():
        origin = Origin(Path(file).read_text(encoding="utf-8", errors="replace"), name=file)
    message = str(error.message or "not a valid template")
    if match := _NO_SUCH.search(message):
        return _no_such(match[1], match[2], origin, error.lineno)
    where: Position = origin.place(_near(message, origin, error.lineno))
    hint = (
        "in a condition, write the bare expression"
        if origin.expression
        else "a { that is only text: {{ '{{' }} or {% raw %}"
    )
    return InputError(f"not a valid template: {message}", where=where, excerpt=origin.excerpt(where), hint=hint)


def _near(message: str, origin: Origin, line: int) -> int:
    """The offset of the token that Jinja complains about, when it says which one."""
    start = origin.offset_of_line(line)
    for quoted in reversed(re.findall(r"'([^']+)'", message)):  # "expected token 'x', got 'y'"
        if quoted == "end of template" and origin.expression:
            return len(origin.text.rstrip())
        offset = origin.text.find(_ENDS.get(quoted, quoted), start)
        if offset >= 0:
            return offset
    return origin.first_code(line)
