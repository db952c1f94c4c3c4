"""What can go wrong inside a template, before it has a place in a file."""

from __future__ import annotations

import dataclasses
from typing import Any

from jinja2.exceptions import UndefinedError

from scupi_provision.errors import InputError, Position


class UndefinedVariableError(InputError):
    """A template needs a variable, or a part of one, that nothing defines."""

    def needed_at(self, where: Position) -> UndefinedVariableError:
        """This error, saying also which text needed the variable whose own template is to blame."""
        found = self.diagnostic
        detail = "\n".join(filter(None, [found.detail, f"needed at {where}"]))
        error = UndefinedVariableError(found.summary)
        error.diagnostics = (dataclasses.replace(found, detail=detail),)
        return error


class TemplateFailure(Exception):  # noqa: N818 - it never reaches anybody: it becomes an InputError with a position
    """A filter, test or lookup cannot do what it is asked; `hint` says what to try."""

    def __init__(self, summary: str, *, hint: str = "") -> None:
        super().__init__(summary)
        self.hint = hint


class NameMissingError(UndefinedError):
    """Something undefined was used: the name `name`, or the part `name` of a value of type `owner`.

    `others` are the names that were there: all keys of a mapping.
    """

    def __init__(self, name: Any, owner: str | None, others: tuple[str, ...] = ()) -> None:
        super().__init__(f"{name} is undefined")
        self.name = name
        self.owner = owner
        self.others = others
