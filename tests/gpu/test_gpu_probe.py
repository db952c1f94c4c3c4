"""The probe as a program. What torch does in it is proved where there is torch: by whole runs in the lab."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from scupi_provision.gpu import probe

SOURCE = Path(probe.__file__)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # -I -S: no site-packages, so no torch, whatever is installed here.
    command = [sys.executable, "-I", "-S", SOURCE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_missing_torch_is_a_finding():
    """One line of JSON in any case; the checks judge it."""
    done = _run("--allow-cpu", "a reason")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert report["problem"] == "ModuleNotFoundError: No module named 'torch'"
    assert [report[name] for name in ("torch", "build", "device", "agreement")] == [None] * 4
    assert report["python"] == ".".join(map(str, sys.version_info[:3]))


def test_it_gives_up_after_its_limit(tmp_path):
    """Also where no exception arrives: here an import that hangs, on a GPU node a driver that does."""
    (tmp_path / "torch.py").write_text("import threading\nthreading.Event().wait()\n")
    program = f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = ['--limit', '0.2']; "
    program += f"runpy.run_path({str(SOURCE)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode not in {0, -9}
    assert "Timeout" in done.stderr


@pytest.mark.parametrize("option", ["--size=big", "--limit=soon", "--allow-cpu"])
def test_wrong_options_are_refused(option):
    """Status 2, and no report that could be mistaken for one."""
    done = _run(option)
    assert (done.returncode, done.stdout) == (2, "")


def test_it_is_one_file_for_old_pythons():
    """It runs on the python of the environment, which is not ours; torch 1.12 came for 3.7."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported - set(sys.stdlib_module_names) == {"torch"}
