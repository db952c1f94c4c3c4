"""Jupyter servers on a node, in every shell that a cluster may have; a small program stands for Jupyter itself."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest
from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.run.notebook.environment import find_environment
from scupi_provision.run.notebook.server import (
    key_of,
    running_servers,
    server_state,
    start_server,
    stop_server,
)
from scupi_provision.shell import notebooks
from scupi_provision.values import Secret

PATIENCE_S = 20.0

_JUPYTER = """
import json, os, pathlib, signal, socket, subprocess, sys
if "fails" in os.environ["PATH"]:
    sys.exit("a setting in GET /?token=5ec3e7 is wrong")
path = next(word[len("--ServerApp.sock="):] for word in sys.argv if word.startswith("--ServerApp.sock="))
runtime = pathlib.Path(os.environ["JUPYTER_RUNTIME_DIR"])
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o600)
listener.listen()
kernel = runtime / "kernel-1.json"
kernel.write_text("{}")
napping = [sys.executable, "-c", "import time; time.sleep(600)", str(kernel)]
subprocess.Popen(napping, start_new_session=True)
token = pathlib.Path(os.environ["JUPYTER_TOKEN_FILE"]).read_text()
info = {"pid": os.getpid(), "sock": path, "token": token, "base_url": "/"}
(runtime / f"jpserver-{os.getpid()}.json").write_text(json.dumps(info, indent=2))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
signal.pause()
"""


@pytest.fixture
def environment(home):
    """`environment(name, *packages)`: makes one whose python is our small program."""

    def make(name, *packages):
        folder = home / "envs" / name
        (folder / "bin").mkdir(parents=True)
        (folder / "jupyter.py").write_text(_JUPYTER)
        python = folder / "bin/python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "${{0%/bin/python}}/jupyter.py" "$@"\n')
        python.chmod(0o755)
        site = folder / "lib/python3.11/site-packages"
        site.mkdir(parents=True)
        for package in packages:
            (site / f"{package}.dist-info").mkdir()
        return folder

    return make


@pytest.fixture
def small(environment):
    """An environment in which Jupyter is."""
    return environment("small", "jupyter_server-2.14.0", "ipykernel-6.29.5")


@pytest.fixture
def start(session):
    """`start(name)`: the running server of an environment; at the end there is none any more."""
    yield lambda name="small": _start(session, name)
    for server in running_servers(session, "gpu2"):
        stop_server(session, server.key)


def _start(session, name):
    *_, server = start_server(session, "gpu2", find_environment(session, name))
    assert isinstance(server, JupyterServer)
    return server


def _holds_within(claim):
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _processes_of(place):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if place.encode() in words:
            found.append(int(process.name))
    return found


def test_an_environment_is_found_by_name_and_by_path(session, home, environment):
    folder = environment("vision", "jupyterlab-4.2.5", "ipykernel-6.29.5", "numpy-2.0.0")
    environment("bare")
    for wanted in ("vision", str(folder), "~/envs/vision", f"{folder}/"):
        found = find_environment(session, wanted)
        assert (found.path, found.packages) == (str(folder), {"jupyterlab": "4.2.5", "ipykernel": "6.29.5"})


def test_without_a_name_it_is_torch_or_the_only_one(session, environment):
    folder = environment("vision")
    assert find_environment(session, None).path == str(folder)
    environment("bare")
    with pytest.raises(InputError, match='no Python environment "torch"') as caught:
        find_environment(session, None)
    assert f"there is: {folder}" in caught.value.diagnostic.detail
    folder = environment("torch")
    assert find_environment(session, None).path == str(folder)


def test_where_there_is_none_it_says_how_to_make_one(session):
    with pytest.raises(InputError, match="make one first"):
        find_environment(session, "torch")


def test_only_a_gpu_python_that_starts_any_python_starts_kernels(session, home, small):
    chooser = home / ".provision/bin/gpu-python"
    chooser.parent.mkdir(parents=True)
    chooser.write_text('#!/bin/sh\nexec /old/env/bin/python "$@"\n')
    chooser.chmod(0o755)
    assert find_environment(session, "small").chooser == ""
    chooser.write_text('#!/bin/sh\nexec "${PROVISION_PYTHON:-/old/env/bin/python}" "$@"\n')
    assert find_environment(session, "small").chooser == str(chooser)


def test_a_server_answers_behind_what_only_its_owner_can_open(session, small, start):
    server = start()
    assert (server.state, server.environment, server.kernels) == ("running", str(small), 1)
    assert len(server.token.reveal()) == 48
    place = Path(server.place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for name, mode in {"token": 0o600, "s": 0o600, "relay.py": 0o600, "runtime": 0o700}.items():
        assert stat.S_IMODE((place / name).stat().st_mode) == mode, name
    assert len(server.socket) < 100  # sun_path holds 108 bytes, and a kernel's sockets have longer names
    assert (place / "share/kernels/python3/kernel.json").exists()


def test_starting_again_joins(session, small, start):
    first, second = start(), start()
    assert (first.pid, first.place, first.token.reveal()) == (second.pid, second.place, second.token.reveal())
    assert [server.key for server in running_servers(session, "gpu2")] == [first.key]


def test_stopping_ends_kernels_too_and_leaves_nothing(session, home, small, start):
    server = start()
    assert len(_processes_of(server.place)) >= 2
    stop_server(session, server.key)
    _holds_within(lambda: not _processes_of(server.place))
    assert not Path(server.place).exists()
    assert not (home / ".provision/jobs" / server.key).exists()
    assert running_servers(session, "gpu2") == []
    stop_server(session, server.key)  # nothing to do


def test_one_that_ended_by_itself_takes_its_folder_along_and_can_be_started_again(session, small, start):
    first = start()
    for process in _processes_of(first.place):
        os.kill(process, 10)  # SIGUSR1: it shuts down, as from its menu; the kernel dies of it
    _holds_within(lambda: server_state(session, first.key).state == "ended")
    _holds_within(lambda: not Path(first.place).exists())
    second = start()
    assert second.place != first.place
    assert second.state == "running"


def test_the_process_of_another_boot_is_not_it(session, home, small, start):
    server = start()
    record = home / ".provision/jobs" / server.key / "pid"
    good = record.read_text()
    pid, _, node = good.split()
    record.write_text(f"{pid} another-boot {node}\n")
    assert server_state(session, server.key).state == "ended"
    record.write_text(f"{pid} a-boot of-another-node\n")
    assert server_state(session, server.key).state == "elsewhere"
    record.write_text(good)


def test_a_server_without_its_socket_is_lost_and_says_so(session, small, start):
    server = start()
    Path(server.socket).unlink()
    assert server_state(session, server.key).state == "lost"
    with pytest.raises(ProvisionError, match="--stop"):
        start()


def test_one_that_fails_at_once_says_why_without_its_token(session, environment, start):
    environment("fails", "jupyter_server-2.14.0", "ipykernel-6.29.5")
    with pytest.raises(ProvisionError, match="ended at once") as caught:
        start("fails")
    assert "a setting in GET /?token=… is wrong" in caught.value.diagnostic.detail


def test_the_lock_of_a_dead_start_holds_nobody_back(session, home, small, start):
    jobs = home / ".provision/jobs"
    jobs.mkdir(parents=True)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    dead = jobs / f".lock-{key_of('gpu2', str(small))}"
    dead.write_text(f"{os.uname().nodename} {boot} 4194305\n")  # above the kernel's greatest process id
    assert start().state == "running"
    assert not dead.exists()


def test_the_servers_of_other_nodes_are_none_of_its_business(session, small, start):
    start()
    assert running_servers(session, "gpu3") == []


def test_a_home_that_cannot_be_written_is_said(session, home, small):
    (home / ".provision").write_text("a file where a folder must be")
    told = session.ask(notebooks.start("jupyter-gpu2-0", str(small), Secret("t"), "{}"))
    assert [fact.name for fact in told] == ["problem"]


def test_the_gpus_of_a_login_are_those_of_the_kernels(session, small, start):
    """The environment of a job is made anew; these two names are carried over, whatever is in them."""
    session.ask('CUDA_VISIBLE_DEVICES="GPU-1,it\'s" SLURM_JOB_ID=17; export CUDA_VISIBLE_DEVICES SLURM_JOB_ID\n')
    server = start()
    (pid, *_) = [
        pid for pid in _processes_of(server.socket) if "jupyter.py" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
    assert {"CUDA_VISIBLE_DEVICES=GPU-1,it's", "SLURM_JOB_ID=17"} <= set(environment)
    assert not [variable for variable in environment if server.token.reveal() in variable]
