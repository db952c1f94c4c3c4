"""source_build: what it plans, and the build script itself on a small program with autotools' shape."""

import hashlib
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import FACTS, MemoryHost
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Fetch, Mkdir, Remove, Run
from scupi_provision.shell.replies import RunReply

URL = "https://mirror.example/hello-1.0.tar.gz"
CONFIGURE = """#!/bin/sh
for word do case $word in --prefix=*) prefix=${word#--prefix=} ;; --greet=*) greet=${word#--greet=} ;; esac; done
printf 'all:\\n\\t@echo compiling\\ninstall:\\n\\tmkdir -p %s/bin\\n\\tprintf "%s" > %s/bin/hello\\n' \
  "$prefix" "$greet $CFLAGS" "$prefix" > Makefile
"""
MAKEFILE = "configure: configure.in\n\tcp configure.in configure\n\tchmod +x configure\n"


@pytest.fixture
def archive(tmp_path):
    """A tarball that has no configure, but a Makefile that makes it: git's shape."""
    top = tmp_path / "src" / "hello-1.0"
    top.mkdir(parents=True)
    (top / "configure.in").write_text(CONFIGURE)
    (top / "Makefile").write_text(MAKEFILE)
    path = tmp_path / "hello-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(top, "hello-1.0")
    return path.read_bytes()


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


def args(content, **more):
    digest = hashlib.sha256(content).hexdigest()
    given = {"name": "hello", "version": "1.0", "urls": [URL], "sha256": digest, "creates": ["bin/hello"], **more}
    return MODULES["source_build"].args.model_validate(given)


def memory_of(home, content):
    return MemoryHost(facts={**FACTS, "home": str(home)}, urls={URL: content})


def planned(memory, parsed):
    return plan_on(memory, lambda host: MODULES["source_build"].plan(parsed, host))


def build(home, content, **more):
    """Plan on a host in memory, put the download into the real home, and run the planned program there."""
    parsed = args(content, **more)
    plan = planned(memory_of(home, content), parsed)
    fetch = next(action for action in plan.record.actions if isinstance(action, Fetch))
    Path(fetch.path).parent.mkdir(parents=True, exist_ok=True)
    Path(fetch.path).write_bytes(content)
    run = plan.record.actions[-1]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], **dict(run.environment)}
    done = subprocess.run(run.argv, env=environment, cwd=home, capture_output=True, text=True, check=False)
    return run, Path(plan.result.values["prefix"]), done


def test_what_is_planned_is_a_download_and_one_durable_program(archive, home):
    plan = planned(memory_of(home, archive), args(archive))
    assert [type(action) for action in plan.record.actions] == [Mkdir, Fetch, Run]
    run = plan.record.actions[-1]
    key = Path(plan.result.values["prefix"]).name
    assert re.fullmatch(r"hello-1\.0-[0-9a-f]{8}", key)
    assert run.durable_key == key
    assert run.creates == (f"{home}/.provision/store/{key}/.ok", f"{home}/.provision/store/{key}/bin/hello")
    assert plan.record.diffs[-1].summary.startswith("build hello 1.0 in ")


def test_builds_installs_and_marks_the_tree_last(archive, home):
    run, prefix, done = build(home, archive, configure="--greet=hi", environment={"CFLAGS": "-O2"})
    assert done.returncode == 0, done.stderr
    phases = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert phases == [f"== {name} ==" for name in
                      ("check", "unpack", "make configure", "configure", "make", "install", "done")]  # fmt: skip
    assert (prefix / "bin/hello").read_text() == "hi -O2"
    assert all(Path(path).exists() for path in run.creates)
    assert not any((home / ".provision/build").iterdir())


def test_a_whole_tree_is_left_alone(archive, home):
    _, prefix, _ = build(home, archive)
    memory = memory_of(home, archive)
    memory.put(str(prefix / ".ok"), (prefix / ".ok").read_bytes())
    plan = planned(memory, args(archive, urls=["https://other.example/hello.tar.gz"], needs=["program:cc"]))
    assert not plan.result.changed
    assert plan.record.actions == []
    assert plan.result.values == {"prefix": str(prefix), "version": "1.0"}
    assert plan.exchanges == 2


def test_what_an_interrupted_build_left_is_not_taken_for_a_result(archive, home):
    _, prefix, _ = build(home, archive)
    (prefix / ".ok").unlink()
    (prefix / "half").write_text("made")
    _, again, done = build(home, archive)
    assert (again, done.returncode) == (prefix, 0)
    assert not (prefix / "half").exists()


def test_a_tree_of_other_inputs_under_the_same_name_is_built_anew(archive, home):
    memory = memory_of(home, archive)
    prefix = planned(memory, args(archive)).result.values["prefix"]
    memory.put(f"{prefix}/.ok", b"other inputs")
    assert isinstance(planned(memory, args(archive)).record.actions[0], Remove)


def test_another_option_builds_another_tree(archive, home):
    memory = memory_of(home, archive)
    assert planned(memory, args(archive)).result.values != planned(memory, args(archive, configure="-x")).result.values


def test_everything_that_is_missing_is_told_at_once_and_nothing_is_touched(archive, home):
    needs = ["program:no-such-cc", "header:no/such.h", "program:sh"]
    _, prefix, done = build(home, archive, needs=needs)
    assert done.returncode == 1
    assert "program no-such-cc" in done.stderr
    assert "header no/such.h" in done.stderr
    assert "program sh" not in done.stderr
    assert not prefix.exists()
    assert not (home / ".provision/build").exists()


def test_a_build_that_installs_something_else_has_failed(archive, home):
    _, prefix, done = build(home, archive, creates=["bin/other"])
    assert done.returncode == 1
    assert "bin/other is not in" in done.stderr
    assert not (prefix / ".ok").exists()


def test_a_torn_archive_is_not_built(archive, home):
    _, prefix, done = build(home, archive[: len(archive) // 2])
    assert done.returncode != 0
    assert not prefix.exists()


def test_a_build_without_autotools_uses_the_makefile(tmp_path, home):
    top = tmp_path / "plain"
    top.mkdir()
    (top / "Makefile").write_text("all:\ninstall:\n\tmkdir -p $(PREFIX)\n\t: > $(PREFIX)/installed\n")
    path = tmp_path / "plain.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(top, "plain")
    more = {"autotools": "never", "make": ["PREFIX=@prefix@"], "creates": ["installed"]}
    _, prefix, done = build(home, path.read_bytes(), **more)
    assert "== configure ==" not in done.stdout
    assert (prefix / "installed").exists()


def test_a_failed_build_stops_the_step(archive, home):
    memory = memory_of(home, archive)
    memory.run = lambda _action, _host: RunReply(0, 1, b"", b"make failed", "")
    parsed = args(archive)
    _, performed = apply_on(memory, lambda host: MODULES["source_build"].plan(parsed, host))
    assert (performed.outcome, performed.why) == ("failed", "it ended with status 1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../x"},
        {"version": "1 0"},
        {"urls": []},
        {"sha256": "abc"},
        {"creates": []},
        {"creates": ["/bin/x"]},
        {"creates": ["../x"]},
        {"needs": ["zlib"]},
        {"autotools": "always"},
    ],
)
def test_refuses_what_cannot_be_built(wrong):
    with pytest.raises(ValidationError):
        args(b"", **wrong)
