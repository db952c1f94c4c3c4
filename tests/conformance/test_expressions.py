"""Hundreds of expressions rendered by both tools: the same values, and failures of the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from scupi_provision.errors import InputError
from scupi_provision.playbook.templating import OMIT, Templar
from scupi_provision.playbook.templating.filters.encodings import builtin
from scupi_provision.source import implicit, read_text
from scupi_provision.values import UnknownValueError
from tests.conformance.tools import PROJECT, ansible_environment

HERE = Path(__file__).parent
FILES = HERE / "expression_files"
GIVEN = yaml.safe_load((HERE / "expressions.yaml").read_text())
FAILS = "fails"
_DIFFERENCES = " ".join((PROJECT / "docs" / "differences.md").read_text().split())
_FORMS = {"e": "{{ %s }}", "t": "%s", "when": "%s"}


@dataclass(frozen=True)
class Expression:
    """One entry: its text in YAML, whether it is a condition, and why the tools differ, if they are allowed to."""

    group: str
    text: str
    is_condition: bool = False
    differs: str = ""

    @property
    def id(self) -> str:
        return f"{self.group}: {self.text}".encode("unicode_escape").decode()


def _read(group: str, entry: Any) -> Expression:
    entry = {"e": entry} if isinstance(entry, str | bool | int) else entry
    (form,) = entry.keys() & _FORMS.keys()
    text = entry[form]
    text = str(text) if isinstance(text, str) else json.dumps(text)
    return Expression(group, _FORMS[form] % text, form == "when", entry.get("differs", ""))


EXPRESSIONS = [_read(group, entry) for group, entries in GIVEN["expressions"].items() for entry in entries]


def _playbook(folder: Path) -> str:
    """All expressions in one task, whose items fail one by one; all conditions in one that asks each in its turn."""
    values = [expression.text for expression in EXPRESSIONS if not expression.is_condition]
    conditions = [expression.text for expression in EXPRESSIONS if expression.is_condition]
    judged = ", ".join(f"condition_{number}" for number in range(len(conditions)))
    tasks = [
        {
            "debug": {"msg": {"value": "{{ expressions[number] }}"}},
            "loop": "{{ range(expressions | length) | list }}",
            "loop_control": {"loop_var": "number"},
            "register": "rendered",
            "ignore_errors": True,
        },
        *(
            {"debug": {"msg": "it holds"}, "when": condition, "register": f"condition_{number}", "ignore_errors": True}
            for number, condition in enumerate(conditions)
        ),
        {
            "copy": {
                "dest": str(folder / "told.json"),
                "content": f"{{{{ [rendered.results, [{judged}]] | to_json }}}}",
            }
        },
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {**GIVEN["variables"], "expressions": values},
        "tasks": tasks,
    }
    return yaml.safe_dump([play], width=10_000, sort_keys=False)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Expression, Any]:
    """What ansible-playbook makes of each."""
    folder = tmp_path_factory.mktemp("expressions")
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    (folder / "site.yml").write_text(_playbook(folder))
    environment = ansible_environment(folder / "scratch", folder)
    del environment["ANSIBLE_CALLBACKS_ENABLED"]
    program = Path(sys.executable).parent / "ansible-playbook"
    command = [str(program), "-i", "localhost,", "-c", "local", "site.yml"]
    ran = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert (folder / "told.json").exists(), ran.stdout[-3000:] + ran.stderr[-3000:]
    rendered, judged = json.loads((folder / "told.json").read_text())
    told = {}
    for expression in EXPRESSIONS:
        result = (judged if expression.is_condition else rendered).pop(0)
        if result.get("failed"):
            told[expression] = FAILS
        elif expression.is_condition:
            told[expression] = not result.get("skipped", False)
        else:
            told[expression] = result["msg"].get("value", "omitted")
    return told


@pytest.fixture(scope="module")
def templar() -> Templar:
    text = yaml.safe_dump(GIVEN["variables"], sort_keys=False)
    return Templar({"omit": OMIT, **implicit(read_text(text, "variables.yaml")), **_HOSTS}, search_paths=(FILES,))


_HOSTS = {"groups": {"all": ["localhost"], "ungrouped": ["localhost"]}}


def _ours(expression: Expression, templar: Templar) -> Any:
    text = implicit(read_text(json.dumps(expression.text, ensure_ascii=False), "expression.yaml"))
    try:
        if expression.is_condition:
            return templar.holds(text)
        value = templar.render(text)
        return "omitted" if value is OMIT else json.loads(json.dumps(builtin(value), default=str))
    except (InputError, UnknownValueError) as error:
        return _Failure(str(error))


class _Failure(str):
    """Why ours failed; equal to any other failure."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == FAILS

    __hash__ = str.__hash__


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda expression: expression.id)
def test_both_tools_make_the_same_of_it(
    expression: Expression, theirs: Mapping[Expression, Any], templar: Templar, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LANG", "C.UTF-8")
    ours = _ours(expression, templar)
    if expression.differs:
        assert ours != theirs[expression], "no difference any more: take `differs` away"
        assert expression.differs in _DIFFERENCES
    else:
        assert ours == theirs[expression]
