"""An inventory in INI: `[group]`, `[group:children]`, `[group:vars]`, hosts with `key=value`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scupi_provision.errors import Position
from scupi_provision.inventory.host_words import read_host_word
from scupi_provision.inventory.ini_values import literal
from scupi_provision.inventory.ini_words import WordError, words_of
from scupi_provision.inventory.names import name_problem
from scupi_provision.inventory.tree import UNGROUPED, GroupDraft, Tree, assign
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, diagnostic, suggestion
from scupi_provision.values import SourceText, TemplateText

_SECTION = re.compile(r"\[(?P<name>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:[#;].*)?")
_KINDS = ("hosts", "children", "vars")


def read_ini(text: str, name: str, tree: Tree, problems: Problems) -> None:
    """Read `text` into `tree`; `name` stands for the file in positions."""
    reader = _Reader(tree, problems, tree.group(UNGROUPED, Position(name, 1, 1)))
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and stripped[0] not in "#;":
            indent = len(line) - len(line.lstrip())
            reader.read(stripped, Position(name, number, indent + 1))
    reader.finish()


@dataclass
class _Reader:
    """Reads line after line; knows the section that it is in, and which groups are named but not declared yet."""

    tree: Tree
    problems: Problems
    group: GroupDraft
    kind: str = "hosts"
    awaited: dict[str, list[tuple[GroupDraft, Position]]] = field(default_factory=dict)
    only_vars: dict[str, Position] = field(default_factory=dict)

    def read(self, line: str, where: Position) -> None:
        if section := _SECTION.fullmatch(line):
            self._section(section["name"], section["kind"] or "hosts", where)
        elif line.startswith("[") and line.endswith("]"):
            hint = "write [group], [group:children] or [group:vars], without blanks"
            self._problem(f"{line} is not the head of a section", where, hint)
        elif self.kind == "hosts":
            self._host(line, where)
        elif self.kind == "vars":
            self._variable(line, where)
        else:
            self._child(line, where)

    def finish(self) -> None:
        """Every group that is named somewhere must be declared somewhere."""
        for name, uses in self.awaited.items():
            hint = suggestion(name, self.tree.groups) or f"add a section [{name}]"
            self._problem(f'"{name}" is not declared as a group', uses[0][1], hint)
        for name, where in self.only_vars.items():
            hint = suggestion(name, self.tree.groups.keys() - {name}) or f"add a section [{name}]"
            self._problem(f'[{name}:vars] is about a group that is not declared: "{name}"', where, hint)

    def _section(self, name: str, kind: str, where: Position) -> None:
        inside = Position(where.file, where.line, where.column + 1)
        if kind not in _KINDS:
            known = ", ".join(f"[{name}:{one}]" for one in _KINDS[1:])
            self._problem(f'unknown kind of section "{kind}"', inside, suggestion(kind, _KINDS) or f"known are {known}")
            kind = "hosts"
        if problem := name_problem(name):
            self._problem(f'group name "{name}" {problem}', inside)
        if name not in self.tree.groups and kind == "vars" and name not in self.awaited:
            self.only_vars[name] = inside
        self.group, self.kind = self.tree.group(name, inside), kind
        if kind != "vars":
            self.only_vars.pop(name, None)
            for parent, place in self.awaited.pop(name, ()):
                parent.children.setdefault(name, place)

    def _host(self, line: str, where: Position) -> None:
        try:
            words = words_of(line, where)
        except WordError as error:
            self._problem(str(error), Position(where.file, where.line, where.column + error.column - 1))
            return
        if words[0] == "---" or words[0].endswith(":"):
            hint = "if this is YAML, call the file inventory.yaml and begin it with `all:`"
            self._problem(f'"{words[0]}" is not the name of a host in an INI inventory', words[0].position, hint)
            return
        names, login = read_host_word(words[0], self.problems)
        variables = [pair for word in words[1:] if (pair := self._pair(word)) is not None]
        read = read_variables(MappingNode(tuple(variables), where), self.problems, typing=literal)
        for name in names:
            self.tree.add_host(name, self.group, words[0].position, {**login, **read})

    def _variable(self, line: str, where: Position) -> None:
        if (pair := self._pair(TemplateText(line, where))) is not None:
            read = read_variables(MappingNode((pair,), where), self.problems, typing=literal)
            assign(self.group.variables, read)

    def _child(self, line: str, where: Position) -> None:
        name = line.split("#", 1)[0].split(";", 1)[0].strip()
        if problem := name_problem(name):
            self._problem(f'group name "{name}" {problem}', where)
        elif name in self.tree.groups and name not in self.only_vars:
            self.group.children.setdefault(name, where)
        else:
            self.awaited.setdefault(name, []).append((self.group, where))

    def _pair(self, word: TemplateText) -> tuple[SourceText, TemplateText] | None:
        """`key=value` in two; blanks around both are no part of them."""
        key, sign, value = str(word).partition("=")
        if not sign or not key.strip():
            self._problem(
                f'"{word}" is not a variable', word.position, "write name=value, without blanks in a host's line"
            )
            return None
        where = word.position
        behind = len(key) + 1 + len(value) - len(value.lstrip())
        place = Position(where.file, where.line, where.column + behind)
        return SourceText(key.strip(), where), TemplateText(value.strip(), place, plain=True)

    def _problem(self, summary: str, where: Position, hint: str = "") -> None:
        self.problems.append(diagnostic(summary, where, hint=hint))
