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


def build(home, content, shell=("/bin/sh",), **more):
    """Plan on a host in memory, put the download into the real home, and run the planned programs until one fails."""
    parsed = args(content, **more)
    plan = planned(memory_of(home, content), parsed)
    for action in plan.record.actions:
        if isinstance(action, Fetch):
            Path(action.path).parent.mkdir(parents=True, exist_ok=True)
            Path(action.path).write_bytes(content)
        if isinstance(action, Run):
            environment = {"HOME": str(home), "PATH": os.environ["PATH"], **dict(action.environment)}
            argv = [*shell, *action.argv[1:]]
            done = subprocess.run(argv, env=environment, cwd=home, capture_output=True, text=True, check=False)
            if done.returncode:
                break
    return plan.record.actions[-1], Path(plan.result.values["prefix"]), done


def packed(folder, name="project.tar.gz"):
    """A tarball of a folder."""
    path = folder.parent / name
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, "project-1.0")
    return path.read_bytes()


def files(folder, **texts):
    """A folder with these files, `_` in their names standing for a dot; those without one can be run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
        path.chmod(0o755 if "_" not in name else 0o644)
    return folder


def test_what_is_planned_is_a_download_and_one_durable_program(archive, home):
    plan = planned(memory_of(home, archive), args(archive))
    assert [type(action) for action in plan.record.actions] == [Mkdir, Fetch, Run]
    run = plan.record.actions[-1]
    key = Path(plan.result.values["prefix"]).name
    assert re.fullmatch(r"hello-1\.0-[0-9a-f]{8}", key)
    assert run.durable_key == key
    assert run.creates == (f"{home}/.provision/store/{key}/.ok", f"{home}/.provision/store/{key}/bin/hello")
    assert plan.record.diffs[-1].summary.startswith("build hello 1.0 in ")


@pytest.mark.real
def test_builds_installs_and_marks_the_tree_last(archive, home):
    run, prefix, done = build(home, archive, configure="--greet=hi", environment={"CFLAGS": "-O2"})
    assert done.returncode == 0, done.stderr
    phases = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert phases == [f"== {name} ==" for name in
                      ("unpack", "make configure", "configure", "make", "install", "done")]  # fmt: skip
    assert (prefix / "bin/hello").read_text() == "hi -O2"
    assert all(Path(path).exists() for path in run.creates)
    assert not any((home / ".provision/build").iterdir())


@pytest.mark.real
def test_a_whole_tree_is_left_alone(archive, home):
    _, prefix, _ = build(home, archive)
    memory = memory_of(home, archive)
    memory.put(str(prefix / ".ok"), (prefix / ".ok").read_bytes())
    plan = planned(memory, args(archive, urls=["https://other.example/hello.tar.gz"], needs=["program:cc"]))
    assert not plan.result.changed
    assert plan.record.actions == []
    assert plan.result.values == {"prefix": str(prefix), "version": "1.0"}
    assert plan.exchanges == 2


@pytest.mark.real
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


@pytest.mark.real
def test_everything_that_is_missing_is_told_at_once_and_nothing_is_touched(archive, home):
    needs = ["program:no-such-cc", "header:no/such.h", "program:sh"]
    _, _, done = build(home, archive, needs=needs)
    assert done.returncode == 1
    assert "program no-such-cc" in done.stderr
    assert "header no/such.h" in done.stderr
    assert "program sh" not in done.stderr
    assert not any(home.iterdir())


def test_what_is_needed_is_looked_for_before_anything_is_downloaded(archive, home):
    plan = planned(memory_of(home, archive), args(archive, needs=["program:cc"]))
    assert [type(action) for action in plan.record.actions] == [Run, Mkdir, Fetch, Run]
    assert plan.record.actions[0].writes == ()


@pytest.mark.real
def test_a_build_that_installs_something_else_has_failed(archive, home):
    _, prefix, done = build(home, archive, creates=["bin/other"])
    assert done.returncode == 1
    assert "bin/other is not in" in done.stderr
    assert not (prefix / ".ok").exists()


@pytest.mark.real
def test_a_torn_archive_is_not_built(archive, home):
    _, prefix, done = build(home, archive[: len(archive) // 2])
    assert done.returncode != 0
    assert not prefix.exists()


@pytest.mark.real
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


# --- every shell --------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)], ids=lambda s: s[0])
def test_the_whole_build_runs_in_every_shell(archive, home, shell):
    more = {
        "configure": "--greet=hi",
        "needs": ["program:sh|program:no-such", "header:stdio.h", "library:m"],
        "check": ["test -s bin/hello", "case $PATH in @prefix@/bin:*) ;; *) exit 1 ;; esac"],
    }
    _, prefix, done = build(home, archive, shell=shell, **more)
    assert done.returncode == 0, done.stderr
    assert (prefix / ".ok").exists()


# --- needs --------------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_what_is_missing_is_told_with_its_packages_and_with_what_else_to_do(archive, home):
    """`zlib.h` is known; a search that finds nothing is had by a compiler that finds nothing."""
    more = {"needs": ["header:zlib.h"], "environment": {"CC": "false"}, "advice": "Take the ready-made one."}
    _, _, done = build(home, archive, **more)
    assert "  header zlib.h: zlib1g-dev on Debian and Ubuntu, zlib-devel on CentOS and its family\n" in done.stderr
    assert done.stderr.endswith("Take the ready-made one.\n")


@pytest.mark.real
def test_of_alternatives_one_is_enough_and_else_all_are_told(archive, home):
    assert build(home, archive, needs=["header:no/such.h|program:sh"])[2].returncode == 0
    _, _, done = build(home, archive, needs=["header:no/such.h|library:no-such"], configure="-other")
    assert "  header no/such.h, or library no-such\n" in done.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("need", "there"), [("pkg:demo", 0), ("pkg:demo>=1.2", 0), ("pkg:demo>=1.3", 1), ("pkg:no", 1)]
)
def test_packages_are_asked_of_pkg_config_with_their_version(archive, home, tmp_path, need, there):
    files(tmp_path / "pc", demo_pc="Name: demo\nDescription: a demo\nVersion: 1.2.5\n")
    environment = {"PKG_CONFIG_PATH": str(tmp_path / "pc")}
    assert build(home, archive, needs=[need], environment=environment)[2].returncode == there


# --- projects of other shapes -------------------------------------------------------------------------------------

AUTOCONF = "AC_INIT([demo], [1.0])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n"
MAKEFILE_IN = "prefix = @prefix@\nall:\ninstall:\n\tmkdir -p $(prefix)\n\techo $(CURDIR) > $(prefix)/place\n"


@pytest.mark.real
def test_configure_is_made_anew_by_autoreconf_when_asked(tmp_path, home):
    """Also where there is one: a maintainer's of long ago may not know this machine."""
    source = files(tmp_path / "demo", configure_ac=AUTOCONF, Makefile_in=MAKEFILE_IN, configure="#!/bin/sh\nexit 1\n")
    _, prefix, done = build(home, packed(source), autotools="autoreconf", creates=["place"])
    assert done.returncode == 0, done.stderr
    assert "== autoreconf ==" in done.stdout
    assert (prefix / "place").exists()


@pytest.mark.real
def test_autoreconf_is_a_need_of_its_own(archive, home):
    _, _, done = build(home, archive, autotools="autoreconf", environment={"PATH": "/nowhere"}, shell=("/bin/sh",))
    assert "program autoreconf: autoconf automake libtool" in done.stderr


@pytest.mark.real
def test_a_missing_configure_is_made_by_autoreconf_where_the_makefile_cannot(tmp_path, home):
    source = files(tmp_path / "demo", configure_ac=AUTOCONF, Makefile_in=MAKEFILE_IN)
    assert "== autoreconf ==" in build(home, packed(source), creates=["place"])[2].stdout


@pytest.mark.real
def test_a_build_can_run_outside_the_source(tmp_path, home):
    source = files(tmp_path / "demo", configure_ac=AUTOCONF, Makefile_in=MAKEFILE_IN)
    _, prefix, done = build(home, packed(source), subdir="elsewhere", creates=["place"])
    assert done.returncode == 0, done.stderr
    assert (prefix / "place").read_text().endswith("/elsewhere\n")


@pytest.mark.real
def test_a_project_can_be_in_a_folder_of_its_tarball(tmp_path, home):
    files(tmp_path / "demo", configure="#!/bin/sh\nexit 1\n")
    files(tmp_path / "demo/unix", configure_ac=AUTOCONF, Makefile_in=MAKEFILE_IN)
    _, prefix, done = build(home, packed(tmp_path / "demo"), subdir="unix", creates=["place"])
    assert done.returncode == 0, done.stderr
    assert (prefix / "place").read_text().endswith("/unix\n")


@pytest.mark.real
def test_another_program_can_configure(tmp_path, home):
    source = files(
        tmp_path / "demo",
        config='#!/bin/sh\nprintf "all:\\ninstall:\\n\\tmkdir -p $1; echo $2 > $1/said\\n" >Makefile\n',
        configure="#!/bin/sh\nexit 1\n",
    )
    more = {"configure_command": ["./config", "@prefix@"], "configure": "shared", "creates": ["said"]}
    _, prefix, done = build(home, packed(source), **more)
    assert done.returncode == 0, done.stderr
    assert (prefix / "said").read_text() == "shared\n"


@pytest.mark.real
def test_targets_can_be_named(tmp_path, home):
    makefile = "all:\n\texit 1\nlib:\n\ttouch lib\nput:\n\tmkdir -p $(PREFIX) && cp lib $(PREFIX)\n"
    source = files(tmp_path / "demo", Makefile_x="", unused_x="")
    (source / "Makefile").write_text(makefile)
    more = {"make": "PREFIX=@prefix@", "make_targets": "lib", "install_targets": "put", "creates": ["lib"]}
    assert build(home, packed(source), **more)[2].returncode == 0


@pytest.mark.real
def test_what_was_built_is_tested_before_it_counts(archive, home):
    _, prefix, done = build(home, archive, check=["true", "echo no good >&2; false"])
    assert done.returncode == 1
    assert done.stderr.endswith("fails this check: echo no good >&2; false\n")
    assert (prefix / "bin/hello").exists()
    assert not (prefix / ".ok").exists()


# --- what is planned ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cpus", "asked", "jobs"), [("4", None, "4"), ("96", None, "16"), ("96", 48, "48")])
def test_a_login_node_is_not_filled_unless_asked(archive, home, cpus, asked, jobs):
    memory = MemoryHost(facts={**FACTS, "home": str(home), "cpus": cpus}, urls={URL: archive})
    plan = planned(memory, args(archive, jobs=asked))
    assert f"\njobs={jobs}\n" in plan.record.actions[-1].argv[2]


def test_what_changes_the_result_changes_the_tree_and_nothing_else_does(archive, home):
    def tree(**more):
        return planned(memory_of(home, archive), args(archive, **more)).result.values["prefix"]

    same = [{}, {"jobs": 3}, {"needs": ["program:cc"]}, {"advice": "x"}, {"autotools": "auto"}, {"subdir": ""}]
    other = [{"check": "true"}, {"subdir": "x"}, {"make_targets": "x"}, {"autotools": "never"}, {"strip": 0}]
    assert len({tree(**more) for more in same}) == 1
    assert len({tree(**more) for more in [{}, *other]}) == 1 + len(other)


def test_trees_below_the_home_that_the_build_reads_are_named(archive, home):
    more = {
        "configure": f"--with-openssl={home}/ssl",
        "environment": {"LDFLAGS": f"-L{home}/a/lib -Wl,-rpath,{home}/a/lib"},
    }
    plan = planned(memory_of(home, archive), args(archive, **more))
    assert plan.record.actions[-1].uses == (f"{home}/ssl", f"{home}/a/lib")


@pytest.mark.parametrize(
    "wrong",
    [
        {"needs": ["pkg:a>1"]},
        {"needs": ["header:a.h|zlib"]},
        {"needs": ["library:"]},
        {"subdir": "/x"},
        {"subdir": "../x"},
        {"jobs": 0},
    ],
)
def test_refuses_needs_and_places_that_mean_nothing(wrong):
    with pytest.raises(ValidationError):
        args(b"", **wrong)
