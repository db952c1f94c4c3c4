"""Template files: what the template module puts on a host."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from scupi_provision.errors import InputError, Position, ProvisionError
from scupi_provision.playbook.templating.environment import environment
from scupi_provision.playbook.templating.explain import explained
from scupi_provision.playbook.templating.places import Origin
from scupi_provision.playbook.templating.sandbox import CHANGES, Sandbox, Scope, joined
from scupi_provision.playbook.templating.templar import Templar
from scupi_provision.source import suggestion
from scupi_provision.values import UnknownValueError

MANAGED = "Ansible managed"
"""What Ansible says by default (DEFAULT_MANAGED_STR): files that it has written stay as they are."""
_HEADER = "#jinja2:"
_OVERRIDES = frozenset(
    f"{kind}_{edge}_string" for kind in ("block", "variable", "comment") for edge in ("start", "end")
) | {"trim_blocks", "lstrip_blocks", "newline_sequence", "line_statement_prefix", "line_comment_prefix"}


def render_template(
    text: str,
    *,
    name: str,
    variables: Mapping[str, Any] | Templar,
    search_paths: tuple[Path, ...] = (),
    options: Mapping[str, Any] | None = None,
) -> str:
    """The content that the template file `text` makes.

    Args:
        text: The file's content; a first line `#jinja2: lstrip_blocks: True` sets options, as in Ansible.
        name: Its name, for positions in errors.
        variables: Raw variables, or the Templar that holds them.
        search_paths: Folders for `include`, `import`, `extends` and lookups.
        options: `trim_blocks`, `lstrip_blocks`, delimiters …; the header wins.

    Raises:
        InputError: The template is wrong, or needs what is not defined.
        UnknownValueError: It needs something known only after apply.
    """
    body, header = _split_header(text, name)
    written = variables.variables.written if isinstance(variables, Templar) else variables
    if isinstance(variables, Templar):
        search_paths = search_paths + variables.search_paths
    names = {"template_path": name, "ansible_managed": written.get("ansible_managed", MANAGED)}
    templar = Templar(written, search_paths=search_paths).with_variables(names)
    origin = Origin(body, name=name, skipped=text.count("\n", 0, len(text) - len(body)))
    try:
        template = _compiled(
            body, _file_environment(search_paths, tuple(sorted({**(options or {}), **header}.items())))
        )
        context = template.new_context(Scope(templar, {}, copies=bool(CHANGES.search(body))))
        made = joined(template.root_render_func(context))
    except (ProvisionError, UnknownValueError):
        raise
    except Exception as error:  # noqa: BLE001 - filters and methods raise anything; all of it is the template's fault
        raise explained(error, origin, templar.variables) from None
    newlines = len(body) - len(body.rstrip("\n"))
    return made + "\n" * max(0, newlines - (len(made) - len(made.rstrip("\n"))))


@functools.lru_cache(maxsize=64)
def _file_environment(search_paths: tuple[Path, ...], options: tuple[tuple[str, Any], ...]) -> Sandbox:
    made = environment().overlay(loader=FileSystemLoader(list(search_paths)), **dict(options))
    made.cache = None  # an included file that changes is read again
    return made


@functools.lru_cache(maxsize=256)
def _compiled(body: str, env: Sandbox) -> Any:
    return env.from_string(body)


def _split_header(text: str, name: str) -> tuple[str, dict[str, Any]]:
    if not text.startswith(_HEADER):
        return text, {}
    line, _, body = text.partition("\n")
    options: dict[str, Any] = {}
    for pair in line[len(_HEADER) :].split(","):
        key, _, value = (part.strip() for part in pair.partition(":"))
        where = Position(name, 1, line.find(key) + 1)
        if key not in _OVERRIDES:
            raise InputError(f'no template option "{key}"', where=where, excerpt=line, hint=suggestion(key, _OVERRIDES))
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            hint = f"write {key}: True, or a text in quotes"
            raise InputError(
                f'the template option "{key}" has no valid value', where=where, excerpt=line, hint=hint
            ) from None
    return body, options
