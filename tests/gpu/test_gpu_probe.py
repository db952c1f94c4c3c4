"""The probe as a program. What real torch does in it is proved where there is torch: by whole runs in the lab."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from scupi_provision.gpu import probe

FOLDER = Path(probe.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # -I -S: no site-packages, so no torch, whatever is installed here.
    command = [sys.executable, "-I", "-S", FOLDER, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.real
def test_a_missing_torch_is_a_finding():
    """One line of JSON in any case; the checks judge it."""
    done = _run("--allow-cpu", "a reason")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "ModuleNotFoundError: No module named 'torch'\n")
    assert report["problem"] == "ModuleNotFoundError: No module named 'torch'"
    assert [report[name] for name in ("torch", "build", "device", "agreement")] == [None] * 4
    assert report["python"] == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.real
@pytest.mark.parametrize("option", ["--size=big", "--limit=soon", "--allow-cpu"])
def test_wrong_options_are_refused(option):
    """Status 2, and no report that could be mistaken for one."""
    done = _run(option)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_is_for_old_pythons(module):
    """It runs on the python of the environment, which is not ours; torch 1.12 came for 3.7."""
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in imported} - set(sys.stdlib_module_names) <= {"torch"}
