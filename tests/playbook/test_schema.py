"""The editors' schemas accept what the reader accepts, and underline what nobody knows."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from scupi_provision.cli.main import app
from scupi_provision.inventory.schema import inventory_schema
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.schema import playbook_schema, tasks_schema
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent.parent
PLAYBOOKS = [*sorted((ROOT / "playbooks").glob("*.yaml")), *sorted(ROOT.glob("tests/conformance/sites/*/site.yml"))]
TASKS = [
    path
    for folder in (ROOT / "roles", ROOT / "tests" / "conformance" / "sites")
    for part in ("tasks", "handlers", "verify")
    for path in sorted(folder.rglob(f"{part}/*.yml"))
]


def validator(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


PLAYBOOK = validator(playbook_schema(MODULES.values()))
TASK_FILE = validator(tasks_schema(MODULES.values()))
INVENTORY = validator(inventory_schema())


def wrong(schema, text):
    return [error.message for error in schema.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_playbook_that_runs_is_valid(path):
    assert wrong(PLAYBOOK, path.read_text()) == []


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_tasks_that_runs_is_valid(path):
    assert wrong(TASK_FILE, path.read_text()) == []


@pytest.mark.parametrize(
    "tasks",
    [
        "[{coppy: {dest: a}}]",
        "[{copy: {dst: a}}]",
        "[{nmae: x, command: a}]",
        "[{command: a, loop_control: {var: x}}]",
        "[{file: {path: a, state: dir}}]",
        "[{command: a, become: true}]",
        "[{block: [{coppy: {}}]}]",
    ],
)
def test_what_nobody_knows_is_underlined(tasks):
    assert wrong(TASK_FILE, tasks)
    assert wrong(PLAYBOOK, f"[{{hosts: all, tasks: {tasks}}}]")


def test_a_template_may_stand_for_any_value():
    assert (
        wrong(TASK_FILE, '[{file: {path: "{{ a }}", state: "{{ b }}"}, ignore_errors: "{{ c }}", retries: "{{ d }}"}]')
        == []
    )


def test_an_inventory_is_valid_and_a_misspelled_account_is_not():
    text = (ROOT / "inventory.yaml").read_text()
    assert wrong(INVENTORY, text) == []
    assert wrong(INVENTORY, "accounts: [{id: '1', kye: a}]")


@pytest.mark.parametrize("kind", ["playbook", "tasks", "inventory"])
def test_the_command_prints_a_schema_or_writes_it(kind, tmp_path):
    printed = CliRunner().invoke(app, ["schema", kind]).stdout
    assert json.loads(printed)["$schema"].startswith("http://json-schema.org/")
    CliRunner().invoke(app, ["schema", kind, "-o", str(tmp_path / "schema.json")])
    assert (tmp_path / "schema.json").read_text() == printed
