"""Fills the mirror: real files in upstream's URL layout, linked from the cache."""

from __future__ import annotations

import html
import os
import shutil
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scupi_provision.lab.conda_source import CondaSource, conda_source
from scupi_provision.lab.git_source import git_source
from scupi_provision.lab.layout import (
    CONDA_PATH,
    GIT_PATH,
    MINIFORGE_PATH,
    PYTHON_PATH,
    SIMPLE_PATH,
    WHEELS_PATH,
    LabLayout,
)
from scupi_provision.lab.python_source import python_source
from scupi_provision.lab.state import Sources, read_sources, write_sources
from scupi_provision.lab.tarball_source import SourceTarball, file_sha256
from scupi_provision.lab.toolchain import AUTOCONF, BUILD_NEEDS, require_build_tools
from scupi_provision.lab.torch_source import TorchSource, project_name, torch_source

_NO_PYTHON = "no source of CPython can be had here: playbooks/source.yaml cannot run in the lab"


def fill_mirror(layout: LabLayout, progress: Callable[[str], None], *, closed: bool = False) -> Sources:
    """Fetch what is missing into the cache and make the mirror serve it.

    Args:
        layout: Where the cache and the mirror are.
        progress: Told what happens.
        closed: Whether the lab's nodes reach nothing but this mirror, so that it must have the conda channels itself.

    Raises:
        ProvisionError: Git or torch cannot be had, or this machine cannot compile git.
    """
    require_build_tools()
    git = git_source(layout.cache / "git", progress)
    require_build_tools(BUILD_NEEDS if git.has_configure else (*BUILD_NEEDS, AUTOCONF))
    torch = torch_source(layout.cache / "wheels", progress)
    python = python_source(layout.cache / "python", progress)
    tarball = _python_folder(layout) / python.file if python else None
    conda = conda_source(_conda_cache(layout), progress, python=tarball, closed=closed)
    sources = _described(git, torch, python, conda)
    if read_sources(layout.sources) != sources or not _served(layout, sources, torch):
        progress("filling the mirror")
        _serve_git(layout, git)
        _serve_python(layout, python)
        _serve_conda(layout, conda)
        _serve_wheels(layout, torch, conda)
        write_sources(layout.sources, sources)
    return sources


def _described(
    git: SourceTarball, torch: TorchSource, python: SourceTarball | None, conda: CondaSource | str
) -> Sources:
    sources = Sources(
        git_version=git.version,
        git_sha256=git.sha256,
        git_tarball=git.file,
        git_origin=git.origin,
        torch_version=torch.version,
        torch_origin=torch.origin,
        env_python=f"{sys.version_info.major}.{sys.version_info.minor}",
        python_origin=_NO_PYTHON,
    )
    if python:
        sources = replace(
            sources, python_version=python.version, python_sha256=python.sha256, python_origin=python.origin
        )
    if isinstance(conda, str):
        return replace(sources, conda_origin=conda)
    return replace(
        sources,
        conda_version=conda.version,
        conda_sha256=conda.sha256,
        conda_installer=conda.installer,
        conda_channels=conda.channels,
        conda_origin=conda.origin,
    )


def _conda_cache(layout: LabLayout) -> Path:
    return layout.cache / "conda"


def _python_folder(layout: LabLayout) -> Path:
    return layout.cache / "python" / f"{sys.version_info.major}.{sys.version_info.minor}"


def _served(layout: LabLayout, sources: Sources, torch: TorchSource) -> bool:
    """Whether somebody has taken something out of the mirror."""
    wheels = {path.name for path in (layout.mirror / WHEELS_PATH).glob("*.whl")}
    files = [layout.mirror / GIT_PATH / sources.git_tarball]
    if sources.conda_version:
        files.append(layout.mirror / MINIFORGE_PATH / sources.conda_version / sources.conda_installer)
    return all(file.is_file() for file in files) and wheels == {path.name for path in torch.wheels.glob("*.whl")}


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
        (folder / python.file).symlink_to(_python_folder(layout) / python.file)


def _serve_conda(layout: LabLayout, conda: CondaSource | str) -> None:
    for path in (CONDA_PATH, MINIFORGE_PATH):
        shutil.rmtree(layout.mirror / path, ignore_errors=True)
    if isinstance(conda, str):
        return
    made = _conda_cache(layout) / conda.folder
    folder = layout.mirror / MINIFORGE_PATH / conda.version
    folder.mkdir(parents=True)
    # No links by name: another version of this program makes other packages and forgets these while this lab runs.
    _link_or_copy(str(made / conda.installer), str(folder / conda.installer))
    if not conda.channels:
        shutil.copytree(made / "conda", layout.mirror / CONDA_PATH, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _serve_wheels(layout: LabLayout, torch: TorchSource, conda: CondaSource | str) -> None:
    serve_index(layout.mirror / WHEELS_PATH, torch.wheels)
    more = [_conda_cache(layout) / conda.wheels] if isinstance(conda, CondaSource) and conda.wheels else []
    serve_index(layout.mirror / SIMPLE_PATH, torch.wheels, *more)


def serve_index(folder: Path, *wheelhouses: Path) -> None:
    """Make `folder` an index (PEP 503) of the wheels in these folders."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wheels = {wheel.name: wheel for house in wheelhouses for wheel in house.glob("*.whl")}
    projects: dict[str, list[Path]] = {}
    for _, wheel in sorted(wheels.items()):
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
