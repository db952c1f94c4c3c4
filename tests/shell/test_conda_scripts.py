"""The control flow of conda_install.sh and conda_env.sh in every shell, with fakes in place of conda (conda_fakes)."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports test files one by one, without their neighbours
from conda_fakes import INSTALLER, PROGRAM, host_in
from scupi_provision.shell.scripts import script


@pytest.fixture
def host(shell, tmp_path, request):
    home = tmp_path / "it's"
    home.mkdir()
    return host_in(shell, home, request.getfixturevalue("applets") if shell == "busybox" else None)


# --- installing -------------------------------------------------------------------------------------------------------


def installation(host, *, floor="2.17", during="", **more):
    installer = host.put("cache/M.sh", INSTALLER.format(padding="x" * 30_000, floor=floor, during=during))
    prefix = host.home / "miniforge3"
    return {
        "installer": str(installer),
        "prefix": str(prefix),
        "update": "",
        "glibc": "2.28",
        "claim": str(host.home / "build/conda/claim"),
        "program": f"{prefix}/bin/conda",
        "mark": f"{prefix}/.provision/conda.json",
        "ok": "made by provision\n",
        **more,
    }


def install(host, **more):
    return host.run("tree.sh", "conda_install.sh", **installation(host, **more))


def test_an_installer_is_run_into_an_absent_prefix_and_the_mark_comes_last(host):
    done = install(host)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("==")] == [
        "== check ==", "== install ==", "== test ==", "== done ==",
    ]  # fmt: skip
    assert (host.home / "miniforge3/.provision/conda.json").read_text() == "made by provision\n"
    assert not (host.home / "build/conda").exists()
    assert host.calls == [f"{host.home}/cache/M.sh new {host.home}/miniforge3"]


@pytest.mark.parametrize(("floor", "glibc"), [("2.28", "2.17"), ("2.10", "2.9"), ("3.0", "2.40")])
def test_a_c_library_that_is_too_old_is_found_in_the_header_before_anything_runs(host, floor, glibc):
    done = install(host, floor=floor, glibc=glibc)
    assert done.returncode == 1
    assert f"needs glibc {floor}, and here it is {glibc}" in done.stderr
    assert "Miniforge" in done.stderr
    assert host.calls == []
    assert not (host.home / "miniforge3").exists()


@pytest.mark.parametrize(("floor", "glibc"), [("2.17", "2.17"), ("2.9", "2.17"), ("2.28", "")])
def test_a_c_library_that_will_do_or_is_not_known_is_no_reason_to_stop(host, floor, glibc):
    assert install(host, floor=floor, glibc=glibc).returncode == 0


def test_a_failed_installer_leaves_what_the_next_run_removes(host):
    done = install(host, during="echo no space left >&2; exit 1")
    assert (done.returncode, done.stderr.splitlines()) == (1, ["no space left", "the installer failed"])
    assert not (host.home / "miniforge3/.provision").exists()
    again = install(host)
    assert again.returncode == 0, again.stderr
    assert "removing what an interrupted run left" in again.stdout


def test_a_killed_run_is_taken_up_again(host):
    variables = installation(host, during="sleep 60 & echo $! >$HOME/sleeper; wait")
    _, _, text = script("tree.sh", "conda_install.sh", **variables)
    environment = {"HOME": str(host.home), "PATH": host.path}
    process = subprocess.Popen(
        [*host.shell, "-c", text], env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    claim = Path(variables["claim"])
    deadline = time.monotonic() + 30
    while not (claim.exists() and claim.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert install(host).returncode == 0


def test_a_folder_that_somebody_else_made_meanwhile_is_theirs(host):
    """Our claim names another directory than the one that is there now."""
    host.put("build/conda/claim", "1:1\n")
    notes = host.put("miniforge3/notes.txt", "mine")
    done = install(host)
    assert done.returncode == 1
    assert "provision did not make it" in done.stderr
    assert notes.read_text() == "mine"


def test_what_appeared_in_the_moment_of_a_kill_is_moved_aside(host):
    host.put("build/conda/claim", "")
    host.put("miniforge3/notes.txt", "mine")
    done = install(host)
    assert done.returncode == 0, done.stderr
    (aside,) = host.home.glob("miniforge3.unfinished-*")
    assert (aside / "notes.txt").read_text() == "mine"


def test_an_empty_folder_does_not_matter(host):
    (host.home / "miniforge3").mkdir()
    assert install(host).returncode == 0


def test_an_update_goes_over_what_is_there(host):
    install(host)
    mine = host.put("miniforge3/envs/mine/bin/python", "")
    assert install(host, update="yes", ok="newer\n").returncode == 0
    assert host.calls[-1].split()[1] == "over"
    assert mine.exists()
    assert (host.home / "miniforge3/.provision/conda.json").read_text() == "newer\n"


# --- environments -----------------------------------------------------------------------------------------------------


def cache_of(host):
    """Named as no other test's: on a network file system it is in /tmp."""
    return host.home / ".provision/cache" / host.home.parent.name


def environment(host, program="conda", **more):
    host.put(f"miniforge3/bin/{program}", PROGRAM)
    prefix = host.home / ".provision/store/conda-x"
    given = {
        "conda": str(host.home / "miniforge3"),
        "prefix": str(prefix),
        "task": "create",
        "specs": "python=3.11 'numpy<2'",
        "remove": "",
        "attempts": "'-c https://m.example/conda-forge'",
        "explicit": "",
        "upstream": "https://up.example",
        "turn": str(host.home / ".provision/build/turn"),
        "cache": str(cache_of(host)),
        "stamp": f"{prefix}/.provision/stamp",
        "ok": "made\n",
        **more,
    }
    return host.run("tree.sh", "conda_env.sh", **given)


@pytest.fixture
def prefix(host):
    return host.home / ".provision/store/conda-x"


def variables(host):
    return dict(line.partition("=")[::2] for line in (host.home / "environment").read_text().splitlines())


def test_an_environment_is_made_from_the_named_channels_alone(host, prefix):
    done = environment(host)
    assert done.returncode == 0, done.stderr
    assert host.calls == [
        f"create -y -q -p {prefix} --override-channels -c https://m.example/conda-forge python=3.11 numpy<2"
    ]
    assert (prefix / ".ok").read_text() == "made\n"
    assert (prefix / ".provision/stamp").exists()
    assert (prefix / ".provision/packages").read_text() == "numpy-1-0\npython-1-0\n"
    assert not cache_of(host).exists()
    assert [line for line in done.stdout.splitlines() if line[0] in "+-"] == ["+ numpy-1-0", "+ python-1-0"]
    assert "files: " in done.stdout


def test_it_makes_no_entry_in_lists_of_the_users_and_asks_for_no_notices(host):
    environment(host)
    seen = variables(host)
    assert seen["CONDA_PKGS_DIRS"] == f"{cache_of(host)}/pkgs"
    assert (seen["CONDA_REGISTER_ENVS"], seen["CONDA_NUMBER_CHANNEL_NOTICES"]) == ("false", "0")


def test_the_next_source_is_asked_when_one_fails(host, prefix):
    done = environment(host, attempts="'-c https://broken.example/a' '-c https://good.example/a -c https://b'")
    assert done.returncode == 0, done.stderr
    assert "that did not work with -c https://broken.example/a" in done.stderr
    assert host.calls[-1].startswith(
        f"create -y -q -p {prefix} --override-channels -c https://good.example/a -c https://b "
    )


def test_when_all_sources_fail_nothing_is_marked(host, prefix):
    done = environment(host, attempts="'-c https://broken.example/a' '-c https://broken.example/b'")
    assert done.returncode == 1
    assert "none of the sources" in done.stderr
    assert not (prefix / ".ok").exists()


def test_what_an_interrupted_run_has_left_is_made_anew(host, prefix):
    host.put(".provision/store/conda-x/conda-meta/half-1-0.json", "")
    assert environment(host).returncode == 0
    assert not (prefix / "conda-meta/half-1-0.json").exists()


def test_a_change_keeps_what_is_there_and_says_what_it_did(host, prefix):
    environment(host)
    host.put(".provision/store/conda-x/conda-meta/mine-1-0.json", "")
    done = environment(host, task="change", specs="scipy", remove="numpy", stamp=f"{prefix}/.provision/other")
    assert done.returncode == 0, done.stderr
    assert [call.split()[0] for call in host.calls] == ["create", "remove", "install"]
    assert [line for line in done.stdout.splitlines() if line[0] in "+-"] == ["- numpy-1-0", "+ scipy-1-0"]
    assert (prefix / "conda-meta/mine-1-0.json").exists()
    assert (prefix / ".ok").read_text() == "made\n"


def test_removing_alone_installs_nothing(host, prefix):
    environment(host)
    environment(host, task="change", specs="", remove="numpy")
    assert host.calls[-1] == f"remove -y -q -p {prefix} numpy"


def test_an_exact_list_is_asked_of_each_source_in_its_own_words(host):
    listed = "@EXPLICIT\nhttps://up.example/conda-forge/linux-64/a-1-0.conda#ab\nhttps://own.example/b-1-0.conda#cd\n"
    done = environment(host, specs="", explicit="https://broken.example https://m.example/c", stdin=listed)
    assert done.returncode == 0, done.stderr
    assert "that did not work with https://broken.example" in done.stderr
    assert (host.home / "explicit").read_text().splitlines() == [
        "@EXPLICIT", "https://m.example/c/conda-forge/linux-64/a-1-0.conda#ab", "https://own.example/b-1-0.conda#cd",
    ]  # fmt: skip


def test_micromamba_is_called_in_the_same_way(host, prefix):
    assert environment(host, program="micromamba").returncode == 0
    assert host.calls[0].startswith(f"create -y -q -p {prefix} --override-channels ")
    assert variables(host)["MAMBA_ROOT_PREFIX"] == f"{host.home}/miniforge3"


def test_two_runs_are_never_at_work_on_one_environment(host, prefix):
    """The later one waits for the earlier one and then changes what that has made."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    earlier = host.put("jobs/earlier/pid", "").parent
    ends = f"mkdir -p {shlex.quote(str(prefix))}; : >{shlex.quote(str(prefix))}/.ok"
    process = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; {ends}"], stdin=subprocess.DEVNULL)
    reaper = threading.Thread(target=process.wait)
    reaper.start()
    (earlier / "pid").write_text(f"{process.pid} {boot} {os.uname().nodename}\n")
    host.put(".provision/build/turn", f"{earlier}\n")
    later = host.put("jobs/later/pid", "").parent
    done = environment(host, PROVISION_JOB=str(later))
    reaper.join()
    assert done.returncode == 0, done.stderr
    assert "== waiting for an earlier run on this environment ==" in done.stdout
    assert host.calls[0].startswith("install ")
    assert not (host.home / ".provision/build/turn").exists()


def test_an_earlier_run_that_is_over_is_not_waited_for(host, prefix):
    host.put("jobs/earlier/rc", "1\n")
    host.put("jobs/earlier/pid", f"{os.getpid()} boot {os.uname().nodename}\n")
    host.put(".provision/build/turn", f"{host.home}/jobs/earlier\n")
    later = host.put("jobs/later/pid", "").parent
    assert "waiting" not in environment(host, PROVISION_JOB=str(later)).stdout
    assert host.calls[0].startswith("create ")


def test_without_conda_it_says_what_to_do(host):
    done = environment(host, conda=str(host.home / "elsewhere"))
    assert (done.returncode, "install it first" in done.stderr) == (1, True)


# --- homes on network file systems ------------------------------------------------------------------------------------


def on_nfs(host, free_kib):
    real = shlex.quote(subprocess.run(["which", "stat"], capture_output=True, text=True, check=True).stdout.strip())
    host = host.with_tool("stat", f'case "$*" in *"-f -c %T"*) echo nfs ;; *) exec {real} "$@" ;; esac')
    return host.with_tool("df", f"printf 'Filesystem 1024-blocks Used Available\\n/dev/x 1 1 {free_kib} 1%% /tmp\\n'")


def test_on_a_network_file_system_packages_are_kept_on_the_nodes_own_disk(host):
    host = on_nfs(host, 20 * 1024 * 1024)
    done = environment(host)
    assert done.returncode == 0, done.stderr
    place = Path(variables(host)["CONDA_PKGS_DIRS"])
    assert place == Path(f"/tmp/provision-{os.getuid()}", cache_of(host).name, "pkgs")
    assert not place.parent.exists()
    assert "--no-lock" not in host.calls[0]


def test_where_that_has_no_room_conda_does_without_its_locks(host, prefix):
    host = on_nfs(host, 1024)
    assert environment(host).returncode == 0
    assert host.calls[0].startswith(f"create -y -q -p {prefix} --no-lock ")
    assert variables(host)["CONDA_PKGS_DIRS"] == f"{cache_of(host)}/pkgs"


def test_an_environment_of_very_many_files_is_told(host):
    host = host.with_tool("find", "yes | head -n 100001")
    assert "warning: 100001 files" in environment(host).stdout
