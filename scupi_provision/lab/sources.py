"""Fills the mirror: real files in upstream's URL layout, linked from the cache."""

from __future__ import annotations

import html
import shutil
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from scupi_provision.lab.git_source import git_source
from scupi_provision.lab.layout import GIT_PATH, PYTHON_PATH, SIMPLE_PATH, WHEELS_PATH, LabLayout
from scupi_provision.lab.python_source import python_source
from scupi_provision.lab.state import Sources, read_sources, write_sources
from scupi_provision.lab.tarball_source import SourceTarball, file_sha256
from scupi_provision.lab.toolchain import AUTOCONF, BUILD_NEEDS, require_build_tools
from scupi_provision.lab.torch_source import TorchSource, project_name, torch_source

_NO_PYTHON = "no source of CPython can be had here: playbooks/source.yaml cannot run in the lab"


def fill_mirror(layout: LabLayout, progress: Callable[[str], None]) -> Sources:
    """Fetch what is missing into the cache and make the mirror serve it.

    Raises:
        ProvisionError: Something cannot be had, or this machine cannot compile git.
    """
    require_build_tools()
    git = git_source(layout.cache / "git", progress)
    require_build_tools(BUILD_NEEDS if git.has_configure else (*BUILD_NEEDS, AUTOCONF))
    torch = torch_source(layout.cache / "wheels", progress)
    python = python_source(layout.cache / "python", progress)
    sources = Sources(
        git_version=git.version,
        git_sha256=git.sha256,
        git_tarball=git.file,
        git_origin=git.origin,
        torch_version=torch.version,
        torch_origin=torch.origin,
        python_version=python.version if python else "",
        python_sha256=python.sha256 if python else "",
        python_origin=python.origin
        if python
        else "no source of CPython can be had here: playbooks/source.yaml cannot run",
    )
    if read_sources(layout.sources) != sources or not _served(layout, git, torch):
        progress("filling the mirror")
        _serve_git(layout, git)
        _serve_python(layout, python)
        _serve_wheels(layout, torch)
        write_sources(layout.sources, sources)
    return sources


def _served(layout: LabLayout, git: SourceTarball, torch: TorchSource) -> bool:
    wheels = {path.name for path in (layout.mirror / WHEELS_PATH).glob("*.whl")}
    return (layout.mirror / GIT_PATH / git.file).exists() and wheels == {
        path.name for path in torch.wheels.glob("*.whl")
    }


def _serve_git(layout: LabLayout, git: SourceTarball) -> None:
    folder = layout.mirror / GIT_PATH
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / git.file).symlink_to(layout.cache / "git" / git.file)


def _serve_python(layout: LabLayout, python: SourceTarball | None) -> None:
    root = layout.mirror / PYTHON_PATH
    shutil.rmtree(root, ignore_errors=True)
    if python:
        folder = root / python.version
        folder.mkdir(parents=True)
        series = python.version.rpartition(".")[0]
        (folder / python.file).symlink_to(layout.cache / "python" / series / python.file)


def _serve_wheels(layout: LabLayout, torch: TorchSource) -> None:
    for path in (WHEELS_PATH, SIMPLE_PATH):
        _serve_index(layout.mirror / path, torch.wheels)


def _serve_index(folder: Path, *wheelhouses: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    projects: dict[str, list[Path]] = {}
    for wheel in sorted(wheel for house in wheelhouses for wheel in house.glob("*.whl")):
        (folder / wheel.name).symlink_to(wheel)
        projects.setdefault(project_name(wheel.name), []).append(wheel)
    write_index(folder, projects)


def write_index(folder: Path, projects: dict[str, list[Path]]) -> None:
    """Write a PEP 503 index into `folder`, whose wheels lie beside the project directories."""
    root = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in projects)
    (folder / "index.html").write_text(_page("Simple index", root), encoding="utf-8")
    for name, wheels in projects.items():
        (folder / name).mkdir()
        links = "".join(_link(wheel) for wheel in wheels)
        (folder / name / "index.html").write_text(_page(f"Links for {name}", links), encoding="utf-8")


def _link(wheel: Path) -> str:
    address = f"../{urllib.parse.quote(wheel.name)}#sha256={file_sha256(wheel)}"
    return f'<a href="{address}">{html.escape(wheel.name)}</a><br>\n'


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="1.0">'
        f"<title>{title}</title></head><body>\n{body}</body></html>\n"
    )
