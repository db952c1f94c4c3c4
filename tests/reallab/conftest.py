"""The real lab for all tests of this folder: needs root, and says so where there is none (CI has it)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))  # its Newcomer types commands here as well
sys.path.insert(1, str(Path(__file__).parent))  # its entrance.py, whatever pytest's import mode
sys.path.insert(2, str(Path(__file__).parents[2] / "bench"))

from newcomer import Newcomer
from scupi_provision.lab.commands import ssh_command
from scupi_provision.lab.real.control import reset, up
from scupi_provision.lab.real.settings import LabSettings


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.skipif(os.geteuid() != 0, reason="the real lab needs root"))


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """`start(**settings)`: a lab without sources in a directory of its own."""
    directories = []

    def begin(**settings):
        directories.append(tmp_path_factory.mktemp("real") / "lab")
        return up(directory=directories[-1], settings=LabSettings(**settings), with_sources=False)

    yield begin
    for directory in directories:
        reset(directory=directory)


@pytest.fixture(scope="session")
def lab(start):
    """A lab as it comes by default; tests leave it running."""
    return start()


@pytest.fixture
def provision(tmp_path):
    """`provision(lab, verb, tasks, *arguments)`: run a play of these tasks on the lab, by the real program."""
    home = tmp_path / "home"
    home.mkdir()

    def run(lab, verb, play, *arguments):
        playbook = tmp_path / "site.yaml"
        playbook.write_text(play, encoding="utf-8")
        person = Newcomer(home, lab.directory, tmp_path)
        return person.run(verb, playbook, "-i", lab.inventory, "--json", *arguments)

    return run


@pytest.fixture(scope="session")
def said():
    """`said(lab, host, command)`: what a command on a host of the lab prints, over OpenSSH's own client."""

    def ask(lab, host, command, *, check=True):
        ssh = shutil.which("ssh") or pytest.fail("openssh-client is missing")
        argv = [ssh, *ssh_command(lab, host)[1:], command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert not check or done.returncode == 0, done
        return done.stdout

    return ask


@pytest.fixture(scope="session")
def bare_environment(said, tmp_path_factory):
    """`bare_environment(lab, name)`: make ~/envs/NAME on a lab, with pip alone, and ~/wheels with a small Jupyter."""
    folder = tmp_path_factory.mktemp("wheels")

    def make(lab, name):
        if not list(folder.iterdir()):
            version = said(lab, "admin1", "python3 -c 'import platform; print(platform.python_version())'").strip()
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
            wanted = ["--python-version", version, "pip", "jupyter_server", "ipykernel"]
            subprocess.run([*command, "-d", folder, *wanted], check=True, timeout=300)
        owner = lab.home.stat()
        shutil.copytree(folder, lab.home / "wheels")
        for path in [lab.home / "wheels", *(lab.home / "wheels").iterdir()]:
            os.chown(path, owner.st_uid, owner.st_gid)
        # A copy of the interpreter: gpu2 has none of its own, and only its library can be read there.
        create = f"mkdir envs && python3 -m venv --copies --without-pip envs/{name}"
        python = f"PYTHONPATH=$(echo wheels/pip-*.whl) envs/{name}/bin/python"
        said(lab, "admin1", f"{create} && {python} -m pip install -q --no-index --find-links wheels pip")

    return make
