"""prebuilt: a program out of an archive, tested before it counts; in every shell."""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from scupi_provision.host.memory import FACTS, MemoryHost
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Fetch, Mkdir, Run

URL = "https://mirror.example/2026/hello-1.0%2B2026.tar.gz"


@pytest.fixture
def archive(tmp_path):
    """A program as upstream packs it: below one folder."""
    program = tmp_path / "python/bin/hello"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    path = tmp_path / "hello.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "python", "python")
    return path.read_bytes()


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


def planned(home, content, files=None, **more):
    digest = hashlib.sha256(content).hexdigest()
    given = {"name": "hello", "version": "1.0+2026", "url": URL, "sha256": digest, "creates": "bin/hello", **more}
    memory = MemoryHost(facts={**FACTS, "home": str(home)}, urls={URL: content})
    for path, text in (files or {}).items():
        memory.put(path, text)
    parsed = MODULES["prebuilt"].args.model_validate(given)
    return plan_on(memory, lambda view: MODULES["prebuilt"].plan(parsed, view))


def unpacked(home, content, shell=("/bin/sh",), **more):
    """The tree, and how the planned program ended in a real home."""
    plan = planned(home, content, **more)
    fetch, run = (next(a for a in plan.record.actions if isinstance(a, kind)) for kind in (Fetch, Run))
    Path(fetch.path).parent.mkdir(parents=True, exist_ok=True)
    Path(fetch.path).write_bytes(content)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    argv = [*shell, *run.argv[1:]]
    done = subprocess.run(argv, env=environment, cwd=home, capture_output=True, text=True, check=False)
    return Path(plan.result.values["prefix"]), done


def test_what_is_planned_is_a_download_and_one_durable_program(home, archive):
    plan = planned(home, archive)
    assert [type(action) for action in plan.record.actions] == [Mkdir, Fetch, Run]
    fetch, run = plan.record.actions[1:]
    assert fetch.path.endswith("-hello-1.0+2026.tar.gz")
    assert run.writes == (plan.result.values["prefix"],)
    assert run.durable_key == Path(plan.result.values["prefix"]).name


@pytest.mark.real
@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)], ids=lambda s: s[0])
def test_it_is_unpacked_tested_and_marked_in_every_shell(home, archive, shell):
    prefix, done = unpacked(home, archive, shell, check=["hello | grep -qx hello", "test -x @prefix@/bin/hello"])
    assert done.returncode == 0, done.stderr
    assert (prefix / ".ok").exists()
    assert (prefix / "bin/hello").stat().st_mode & 0o111


@pytest.mark.real
def test_a_whole_tree_is_left_alone_whatever_mirror_it_came_from(home, archive):
    prefix, _ = unpacked(home, archive)
    plan = planned(
        home, archive, files={str(prefix / ".ok"): (prefix / ".ok").read_bytes()}, url="https://other.example/x.tgz"
    )
    assert not plan.result.changed
    assert plan.record.actions == []


@pytest.mark.real
def test_what_does_not_run_here_does_not_count(home, archive):
    prefix, done = unpacked(home, archive, check="bin/hello | grep -qx goodbye")
    assert done.returncode == 1
    assert "fails this check" in done.stderr
    assert not (prefix / ".ok").exists()


@pytest.mark.real
def test_an_archive_of_something_else_does_not_count(home, archive):
    prefix, done = unpacked(home, archive, creates=["bin/python3"])
    assert f"bin/python3 is not in {prefix}" in done.stderr
    assert not (prefix / ".ok").exists()


@pytest.mark.real
def test_a_torn_archive_is_told_and_taken_up_again(home, archive):
    prefix, done = unpacked(home, archive[:60])
    assert done.returncode == 1
    prefix, done = unpacked(home, archive)
    assert (prefix / ".ok").exists()
