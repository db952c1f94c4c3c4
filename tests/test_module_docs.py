"""Modules are documented by what they are made of: `provision doc` and docs/modules/ cannot say anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scupi_provision.cli.main import app
from scupi_provision.cli.module_pages import pages
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text
from scupi_provision.modules.describing import describe
from scupi_provision.modules.registry import MODULES
from typer.testing import CliRunner

FOLDER = Path(__file__).parent.parent / "docs" / "modules"


def undocumented(module: Module) -> list[str]:
    """What `module` does not explain."""
    told = describe(module)
    missing = [argument.name for argument in told.arguments if len(argument.text) < 3]
    return [*missing, *([] if told.summary.endswith((".", "!")) else ["what it does"])]


@pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.name)
def test_every_argument_of_every_module_is_documented(module):
    assert undocumented(module) == []


def test_an_argument_without_a_description_would_be_noticed():
    class Args(ModuleArgs):
        """Does something."""

        told: Text = Field(description="Something.")
        untold: Text = ""

    assert undocumented(Module("some", Args, lambda args, host: Result())) == ["untold"]


def test_the_pages_are_those_of_the_modules_as_they_are():
    """`invoke docs` writes them."""
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert written == pages()


def test_the_kinds_of_values_are_told():
    told = {argument.name: argument for argument in describe(MODULES["copy"]).arguments}
    assert told["dest"].required
    assert told["dest"].kinds == ("path",)
    assert told["src"].kinds == ("file",)
    assert told["force"].kinds == ("boolean",)
    assert told["force"].default == "true"
    assert told["mode"].choices == ("preserve",)
    assert told["mode"].kinds == ("mode",)


def test_provision_doc_tells_of_one_module_or_lists_all():
    listed = CliRunner().invoke(app, ["doc"]).stdout
    assert all(name in listed for name in MODULES)
    one = CliRunner().invoke(app, ["doc", "ansible.builtin.copy"]).stdout
    assert "remote_src" in one
    told = json.loads(CliRunner().invoke(app, ["doc", "copy", "--json"]).stdout)
    assert {argument["name"] for argument in told["arguments"]} >= {"src", "dest", "content"}
