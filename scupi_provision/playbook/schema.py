"""The JSON schema of playbooks and of files of tasks, for editors: made of the same tables that the reader reads by.

An editor's schema completes and underlines; what is right is decided by the reader. So a template (`"{{ … }}"`) is
allowed wherever a value may be computed, and relations between arguments are left to `provision lint`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scupi_provision.modules.contract import Module
from scupi_provision.modules.describing import Argument, Kind, ModuleDescription, describe
from scupi_provision.playbook import keyword_tables as tables
from scupi_provision.playbook import scalars
from scupi_provision.playbook.includes import STATEMENTS
from scupi_provision.playbook.known import PENDING
from scupi_provision.playbook.logins import read_become, read_become_detail, read_become_user, refuse_login
from scupi_provision.playbook.rare_keywords import refuse_facts

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that editors' YAML extensions know best."""

_TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{|\{%"}
_WORD: Schema = {"type": ["string", "number", "boolean"]}
_TEXTS: Schema = {"anyOf": [_WORD, {"type": "array", "items": _WORD}, {"type": "null"}]}
_BOOLEAN: Schema = {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off", "true", "false"]}, _TEMPLATE]}
_NUMBER: Schema = {"anyOf": [{"type": "number"}, _TEMPLATE]}
_MAPPING: Schema = {"type": ["object", "null"]}
_TASKS: Schema = {"type": ["array", "null"], "items": {"$ref": "#/definitions/task"}}
_REFUSED = frozenset({read_become_detail, read_become_user, refuse_login, refuse_facts})
"""The readers of keywords that nobody can use here."""

_READERS: Mapping[Any, Schema] = {
    scalars.read_boolean: _BOOLEAN,
    scalars.read_static_boolean: {"type": "boolean"},
    scalars.read_conditions: _TEXTS,
    scalars.read_texts: _TEXTS,
    scalars.read_words: _TEXTS,
    scalars.read_identifier: {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    scalars.read_number: _NUMBER,
    scalars.read_decimal: _NUMBER,
    scalars.read_variables: _MAPPING,
    scalars.read_environment: {"anyOf": [_MAPPING, {"type": "array", "items": _MAPPING}, _TEMPLATE]},
    scalars.read_optional_text: {"type": ["string", "number", "null"]},
    scalars.read_text_value: _WORD,
    read_become: {"enum": [False, "no", "false"], "description": "Nobody has root on the cluster."},
}
_ROLE: Schema = {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/role"}]}
_PARTS: Mapping[str, Schema] = {
    **dict.fromkeys(
        ("tasks", "pre_tasks", "post_tasks", "handlers", "verify_tasks", "block", "rescue", "always"), _TASKS
    ),
    "roles": {"type": ["array", "null"], "items": _ROLE},
    "loop_control": {"$ref": "#/definitions/loop_control"},
    "vars_files": _TEXTS,
    "args": {"anyOf": [_MAPPING, _TEMPLATE]},
    "import_playbook": {"type": "string"},
}
"""Keywords whose value another reader takes apart."""

_KINDS: Mapping[Kind, Schema] = {
    "text": _WORD,
    "path": {"type": ["string", "number"]},
    "file": {"type": "string"},
    "boolean": _BOOLEAN,
    "integer": {"anyOf": [{"type": "integer"}, _TEMPLATE]},
    "number": _NUMBER,
    "mode": {"type": ["string", "integer"]},
    "list": {"type": ["array", "string", "number"]},
    "mapping": {"anyOf": [_MAPPING, _TEMPLATE]},
    "condition": {"type": ["string", "boolean", "array"]},
    "any": {},
}


def playbook_schema(modules: Iterable[Module]) -> Schema:
    """The schema of a playbook."""
    names = ("import_playbook", "ansible.builtin.import_playbook")
    entry = {
        "if": {"anyOf": [{"required": [name]} for name in names]},
        "then": {"$ref": "#/definitions/import_playbook"},
        "else": {"$ref": "#/definitions/play"},
    }
    return {
        "$schema": DIALECT,
        "title": "A playbook of provision",
        "type": "array",
        "items": entry,
        "definitions": _definitions(modules),
    }


def tasks_schema(modules: Iterable[Module]) -> Schema:
    """The schema of a file of tasks or handlers."""
    return {
        "$schema": DIALECT,
        "title": "Tasks of provision",
        **_TASKS,
        "definitions": _definitions(modules),
    }


def _definitions(modules: Iterable[Module]) -> Schema:
    import_name = "ansible.builtin.import_playbook"
    imported = _keywords(tables.IMPORT_PLAYBOOK)
    return {
        "play": _closed(_keywords(tables.PLAY), required=["hosts"]),
        "import_playbook": _closed({**imported, import_name: imported["import_playbook"]}),
        # A role entry takes the role's variables beside the keywords.
        "role": {"type": "object", "properties": _keywords({**tables.ROLE_ENTRY, "name": scalars.read_text_value})},
        "loop_control": _closed(_keywords(tables.LOOP_CONTROL)),
        "task": _task(modules),
    }


def _task(modules: Iterable[Module]) -> Schema:
    calls: Schema = {}
    for module in map(describe, modules):
        called = _call(module)
        calls |= dict.fromkeys((module.name, *module.aliases), called)
    for statement in (*STATEMENTS, "meta"):
        calls[statement] = calls[f"ansible.builtin.{statement}"] = {"type": ["string", "object"]}
    keywords = _keywords({**tables.HANDLER, **tables.BLOCK})
    return {
        "type": "object",
        "properties": {**keywords, **calls},
        "patternProperties": {"^with_[a-z_.]+$": {}},
        "additionalProperties": False,
    }


def _keywords(table: Mapping[str, Any]) -> Schema:
    names = {name: reader for name, reader in table.items() if reader not in _REFUSED and name not in PENDING}
    return {name: _PARTS.get(name) or _READERS.get(reader, {}) for name, reader in names.items()}


def _closed(properties: Schema, *, required: list[str] | None = None) -> Schema:
    closed: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": required} if required else closed


def _call(module: ModuleDescription) -> Schema:
    properties = {
        name: _argument(argument) for argument in module.arguments for name in (argument.name, *argument.aliases)
    }
    return {
        "description": module.summary,
        "type": ["object", "string", "null"],
        "properties": properties,
        "additionalProperties": module.takes_any_name,
    }


def _argument(argument: Argument) -> Schema:
    allowed = [_KINDS[kind] for kind in argument.kinds if not (argument.choices and kind == "text")]
    if argument.choices:
        meant = [choice.encode("ascii", "ignore").decode("unicode_escape") for choice in argument.choices]
        allowed += [{"enum": list(dict.fromkeys((*argument.choices, *meant)))}, _TEMPLATE]
    value = allowed[0] if len(allowed) == 1 else {"anyOf": allowed}
    return {"description": argument.text, **value}
