"""A lab without sources for all tests of this folder, with a fresh home for each; whole runs by the real program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports test files one by one, without their neighbours
sys.path.insert(1, str(Path(__file__).parents[2] / "bench"))

from newcomer import Newcomer, comes_true, daemon, family
from scupi_provision.lab.commands import reset, up
from scupi_provision.lab.home import make_home


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab") / "lab"
    yield up(directory=directory, with_sources=False)
    reset(directory=directory)


@pytest.fixture
def lab(running_lab):
    """The lab as on the first day: nobody at work, the home of a new account, the right host keys."""
    known_hosts = running_lab.known_hosts.read_bytes()
    shutil.rmtree(running_lab.home / ".provision/guard", ignore_errors=True)  # watchdogs end when nothing is guarded
    assert comes_true(lambda: not family(daemon(running_lab)), 15), family(daemon(running_lab))
    shutil.rmtree(running_lab.home)
    make_home(running_lab.home)
    yield running_lab
    running_lab.known_hosts.write_bytes(known_hosts)


@pytest.fixture
def account(lab):
    """The home that both hosts share."""
    return lab.home


@pytest.fixture
def person(tmp_path, lab):
    """Whoever types `provision …`, in a folder of their own, with an inventory that leads to the lab."""
    home, place = tmp_path / "home", tmp_path / "site"
    home.mkdir()
    place.mkdir()
    shutil.copy(lab.inventory, place / "inventory.yaml")
    return Newcomer(home, lab.directory, place)


@pytest.fixture
def site(person):
    """`site(text)`: a playbook in the person's folder with these plays (or these tasks, on admin1)."""

    def write(text: str, name: str = "site.yaml") -> Path:
        text = textwrap.dedent(text).strip("\n")
        if "hosts:" not in text:
            text = "- hosts: admin1\n  tasks:\n" + textwrap.indent(text, "    ")
        path = person.place / name
        path.write_text(text + "\n", encoding="utf-8")
        return path

    return write
