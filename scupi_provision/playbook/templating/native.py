"""Texts of playbooks as values: a text that comes to one value is that value, not its spelling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2.environment import TemplateModule
from jinja2.nativetypes import NativeCodeGenerator

from scupi_provision.playbook.templating.sandbox import Generator, Sandbox, joined, printable


class _NativeGenerator(Generator, NativeCodeGenerator):
    """Compiles outputs to the values themselves."""

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        values = [value for value in group if value is not None]
        return repr(values[0] if len(values) == 1 else "".join(map(str, values)) if values else None)


def together(pieces: Iterable[Any]) -> Any:
    """What a text comes to: nothing when it puts out nothing, its only value, or the text of all values."""
    found = [piece for piece in _flat(pieces) if piece is not None]
    if len(found) > 1:
        return joined(str(printable(piece)) for piece in found)
    return found[0] if found else None


def _flat(pieces: Iterable[Any]) -> Iterable[Any]:
    for piece in pieces:
        if isinstance(piece, TemplateModule):  # an imported template that is put out as a whole
            yield str(piece)
        else:
            yield piece


class NativeSandbox(Sandbox):
    """The sandbox for texts of playbooks; files that are filled in are texts and stay in `Sandbox`."""

    code_generator_class = _NativeGenerator
    concat = staticmethod(together)
