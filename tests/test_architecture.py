"""What docs/architecture.md promises about the shape of the code."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scupi_provision"
PYTHON_FILES = sorted(PACKAGE.rglob("*.py"))
SHELL_FILES = sorted(PACKAGE.rglob("*.sh"))

LIBRARY_ROOMS = {
    "asyncssh": {"lab"},
    "cryptography": {"transport", "access", "vault"},  # logging in with keys; making and repairing them; vaults
    "fabric": {"transport"},
    "invoke": {"lab"},
    "jinja2": {"playbook/templating"},
    "packaging": {
        "modules",  # requirements of pip
        "playbook/templating",  # the test `is version`
        "gpu",  # torch's table
        "lab/channel",  # what a wheel requires, for its conda package
    },
    "paramiko": {"transport"},
    "pydantic": {"modules", "playbook", "gpu"},  # the schemas; the words for what a schema refuses; torch's table
    "rattler": {"lab"},
    "rich": {"report"},
    "ruamel": {"inventory"},
    "torch": {"gpu"},
    "typer": {"cli"},
    "yaml": {"source", "playbook/templating"},  # reading files; the filters to_yaml and from_yaml
    "zstandard": {"lab"},
}
"""Where each third-party library may be imported. A second room needs its reason here."""

FORBIDDEN_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")

LINES_OF_A_FILE = 400
LINES_OF_A_MODULE = 200
LINES_OF_A_SHELL_FILE = 260
LINES_OF_A_FUNCTION = 60


def test_imports_point_down():
    """The layers of pyproject.toml hold."""
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_library_lives_in_its_room():
    """A third-party import outside the table is a second home for that library."""
    strangers = [
        f"{place.relative_to(ROOT)} imports {library}"
        for place, library in _third_party_imports()
        if not any(_is_in(place, room) for room in LIBRARY_ROOMS.get(library, ()))
    ]
    assert strangers == []


def _third_party_imports() -> Iterator[tuple[Path, str]]:
    known = {*sys.stdlib_module_names, "scupi_provision"}
    for path in PYTHON_FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            yield from ((path, top) for name in names if (top := name.split(".")[0]) not in known)


def _is_in(path: Path, room: str) -> bool:
    return path.is_relative_to(PACKAGE / room)


def test_names_say_what_is_in_a_file():
    """A file called `utils` is a room without a purpose."""
    everything = [path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts]
    words = {path: set(re.split(r"[_.\W]+", path.stem.lower())) for path in everything}
    assert [str(path.relative_to(ROOT)) for path, parts in words.items() if parts & FORBIDDEN_NAMES] == []


def test_files_are_short():
    """A file that is too long is two files."""
    limits = {path: LINES_OF_A_MODULE if _is_module(path) else LINES_OF_A_FILE for path in PYTHON_FILES}
    limits |= dict.fromkeys(SHELL_FILES, LINES_OF_A_SHELL_FILE)
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in limits}
    long = [
        f"{path.relative_to(ROOT)}: {lines[path]} of {limit}" for path, limit in limits.items() if lines[path] > limit
    ]
    assert long == []


def _is_module(path: Path) -> bool:
    return path.parent.name == "modules" and "\nMODULE = " in path.read_text(encoding="utf-8")


def test_functions_are_short():
    """Signature, docstring and body together."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {size}"
        for path in PYTHON_FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_OF_A_FUNCTION
    ]
    assert long == []


_IMPORT_EVERYTHING = """
import asyncio, importlib, pkgutil, sys, {libraries}
for name in {blocked!r}:
    sys.modules[name] = None  # importing it raises ImportError from here on
import scupi_provision
for module in pkgutil.walk_packages(scupi_provision.__path__, "scupi_provision."):
    if not module.name.startswith("scupi_provision.lab") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def test_package_is_portable_but_for_the_lab():
    """Windows has none of the POSIX-only modules; libraries are theirs to make portable, so they are loaded first."""
    libraries = "fabric, invoke, jinja2, packaging, paramiko, pydantic, rich.console, typer.main, yaml"
    program = _IMPORT_EVERYTHING.format(libraries=libraries, blocked=POSIX_ONLY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_function_imports_what_windows_lacks():
    """Imports inside functions are not seen by importing the package."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PYTHON_FILES
        if not _is_in(path, "lab")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name in POSIX_ONLY for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module in POSIX_ONLY)
    ]
    assert found == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_has_the_site_and_the_shell_files(wheel):
    """What runs on hosts, and what people begin with, is installed with the package."""
    names = set(zipfile.ZipFile(wheel).namelist())
    site = [
        path.relative_to(ROOT).as_posix()
        for folder in ("playbooks", "roles", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    wanted = {f"scupi_provision/site/{name}" for name in (*site, "inventory.yaml")}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (*SHELL_FILES, *PACKAGE.glob("gpu/probe/*.py"))}
    assert wanted - names == set()
    assert [name for name in names if name.startswith(("tests/", "docs/"))] == []


_LOAD_SITE = """
from pathlib import Path
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.load import load_playbook
from scupi_provision.playbook.site import find_site
path = find_site("site.yaml", Path.cwd())
print(path)
print(*(role.name for role in load_playbook(path, roles_paths=(), registry=MODULES).plays[0].roles))
"""


def test_installed_package_brings_its_site(wheel, tmp_path):
    """Without a checkout, `site.yaml` and its roles are found inside the package."""
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_SITE], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    path, roles = done.stdout.splitlines()
    assert Path(path) == installed / "scupi_provision/site/playbooks/site.yaml"
    assert set(roles.split()) <= {path.name for path in (ROOT / "roles").iterdir()}
    assert "torch" in roles.split()
