"""Variables that a play is given from outside its own text: `vars_files` and `vars_prompt`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.playbook.context import Site
from scupi_provision.playbook.keyword_tables import PROMPT
from scupi_provision.playbook.keywords import read_keywords, refuse_unknown
from scupi_provision.playbook.models import Prompt, VarsFile
from scupi_provision.playbook.scalars import Problems, as_template, is_template, kind_of, read_variables
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, read_document
from scupi_provision.values import SourceText


def read_vars_files(node: Node | None, site: Site) -> tuple[list[dict[str, Any]], tuple[VarsFile, ...]]:
    """The variables of the files that can be told now, and the entries from the first on for which that is not so."""
    if node is None or isinstance(node, NullNode):
        return [], ()
    given: list[dict[str, Any]] = []
    later: list[VarsFile] = []
    for entry in _items(node):
        if isinstance(entry, NullNode):
            continue
        choices = _items(entry)
        texts = [as_template(choice) for choice in choices if isinstance(choice, SourceText)]
        if len(texts) < len(choices):
            site.problems.append(diagnostic("vars_files must be a list of files", entry.position))
        elif later or any(map(is_template, texts)):
            later.append(VarsFile(tuple(texts), site.playbook_dir, entry.position))
        else:
            given.append(_read_first(texts, entry, site))
    return given, tuple(later)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else (node,)


def _read_first(choices: Iterable[SourceText], entry: Node, site: Site) -> dict[str, Any]:
    """The variables of the first file that exists."""
    paths = [site.playbook_dir / str(choice) for choice in choices]
    path = next((path for path in paths if path.is_file()), None)
    if path is not None:
        document = site.document(path)
        return read_variables(document, site.problems) if document is not None else {}
    site.gaps.append("vars_files")
    names = ", ".join(map(str, paths))
    site.problems.append(diagnostic(f"there is no file of variables {names}", entry.position))
    return {}


def load_vars_file(entry: VarsFile, text: Callable[[Any], str]) -> dict[str, Any]:
    """The variables of `entry`, raw.

    Args:
        entry: An entry of `Play.vars_files`.
        text: Renders a template to text.

    Raises:
        InputError: No file of them exists, or it is wrong.
    """
    paths = [entry.directory / text(choice) for choice in entry.choices]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        names = ", ".join(map(str, paths))
        raise InputError.of([diagnostic(f"there is no file of variables {names}", entry.where)])
    problems: Problems = []
    variables = read_variables(read_document(path), problems)
    if problems:
        raise InputError.of(problems)
    return variables


def read_prompts(node: Node | None, problems: Problems) -> tuple[Prompt, ...]:
    """The variables that a person is asked for."""
    if node is None or isinstance(node, NullNode):
        return ()
    if not isinstance(node, SequenceNode):
        hint = "begin each question with `- name: …`"
        problems.append(diagnostic(f"vars_prompt must be a list, not {kind_of(node)}", node.position, hint=hint))
        return ()
    return tuple(prompt for entry in node.items if (prompt := _read_prompt(entry, problems)) is not None)


def _read_prompt(node: Node, problems: Problems) -> Prompt | None:
    if not isinstance(node, MappingNode):
        problems.append(diagnostic(f"a question must be a mapping, not {kind_of(node)}", node.position))
        return None
    values, rest = read_keywords(node, PROMPT, (), problems)
    for key, _value in rest:
        refuse_unknown(key, PROMPT, problems, where=" of vars_prompt")
    if "name" not in values:
        problems.append(diagnostic("a question of vars_prompt needs a `name`", node.position))
        return None
    if values["name"] is None:
        return None
    for word in ("encrypt", "salt", "salt_size"):
        if values.get(word) is not None:
            summary = f'"{word}" of vars_prompt: answers are not hashed here'
            hint = "keep the hash in a variable: -e, or a vault"
            problems.append(diagnostic(summary, node.position, hint=hint))
    default = values.pop("default", None)
    given = {name: value for name, value in values.items() if value is not None}
    if default is not None:
        given["default"] = implicit(default)
    return Prompt(**given, where=node.position)
