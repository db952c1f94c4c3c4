"""A real Jupyter on gpu2, from the command to a cell's result, through admin1; and who may not have it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # served.py, whatever pytest's import mode

from newcomer import Newcomer
from scupi_provision.lab.processes import family
from served import Served

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
SOMEBODY_ELSE = "61001"
_IN_NODE = ("--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wd=/")


@pytest.fixture(scope="module")
def home(lab, said, bare_environment):
    """The shared home with three environments: `bare` has only pip, `small` and `other` will have Jupyter."""
    bare_environment(lab, "bare")
    said(lab, "admin1", "cp -r envs/bare envs/small")
    return lab.home


@pytest.fixture(scope="module")
def person(lab, home, tmp_path_factory):
    """Somebody at a computer with an inventory that leads to the lab, and to the wheels."""
    return _person(lab, tmp_path_factory.mktemp("person"))


def _person(lab, place):
    text = lab.inventory.read_text(encoding="utf-8")
    sources = f'    sources_pip: ["find-links:{lab.account_home}/wheels"]\n'
    (place / "inventory.yaml").write_text(text.replace("  vars:\n", f"  vars:\n{sources}", 1), encoding="utf-8")
    (place / "home").mkdir()
    return Newcomer(place / "home", lab.directory, place)


@pytest.fixture(scope="module")
def served(person):
    """The command, at work in the environment `small`, in which it has installed Jupyter first."""
    running = Served(person, "--env", "small", "--yes")
    yield running
    running.leave()
    assert person.run("jupyter", "--stop", "--all").code == 0


@pytest.fixture
def other(person, served, lab, said):
    """Starts the command in an environment of its own; at the end nothing of it runs any more."""
    said(lab, "admin1", "[ -d envs/other ] || cp -r envs/small envs/other")
    running = []

    def start(*options):
        running.append(Served(person, "--env", "other", *options))
        return running[-1]

    yield start
    for each in running:
        each.leave()
    person.run("jupyter", "--stop", f"{lab.account_home}/envs/other")


def _as_somebody_else(lab, command):
    """What a command prints on gpu2 that another of its users runs."""
    enter = ["nsenter", "-t", str(lab.nodes["gpu2"]), *_IN_NODE]
    whose = ["setpriv", "--reuid", SOMEBODY_ELSE, "--regid", SOMEBODY_ELSE, "--clear-groups"]
    argv = [*enter, *whose, "/bin/sh", "-c", command]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def _place(person):
    """The folder of the only server that runs, by what `--list` says."""
    listed = person.run("jupyter", "--list", "--json", "--node", "gpu2")
    (server,) = [one for one in json.loads(listed.stdout)["servers"] if one["environment"].endswith("/small")]
    assert server["state"] == "running"
    return str(Path(server["socket"]).parent)


def test_a_cell_runs_on_the_gpu_node(served):
    assert served.notebook.execute("1+1") == "2"
    assert served.notebook.execute("import os; print(os.uname().nodename)") == "gpu2\n"


def test_what_was_missing_was_installed_on_admin1_and_proved_on_gpu2(served):
    said = "\n".join(served.lines)
    assert re.search(r"changed +jupyter : Install Jupyter into ~/envs/small +admin1", said)
    assert "admin1 is as described, proved on gpu2" in said


def test_nothing_is_installed_without_consent(person, home, served):
    refused = person.run("jupyter", "--env", "bare", "--no-browser")
    assert refused.code == 1
    assert "has no jupyterlab, jupyter_server, ipykernel" in refused.stderr
    assert "--yes" in refused.stderr
    assert not list(home.glob("envs/bare/lib/python3*/site-packages/jupyter*"))


def test_an_environment_that_is_not_there_is_refused_with_those_that_are(person, served, lab):
    refused = person.run("jupyter", "--env", "smal", "--no-browser")
    assert refused.code == 2
    assert 'did you mean "small"?' in refused.stderr or "small" in refused.stderr
    assert f"{lab.account_home}/envs/bare" in refused.stderr


@pytest.mark.parametrize("token", ["", "0" * 48], ids=["without", "with another"])
def test_who_has_no_token_is_refused(served, token):
    assert served.notebook.ask("GET", "/api/kernels", token=token)[0] == 403
    assert served.notebook.ask("POST", "/api/kernels", {}, token=token)[0] == 403


def test_another_user_of_the_node_reaches_neither_socket_nor_folder(lab, said, person, served):
    served.notebook.execute("1")  # a kernel runs
    place = _place(person)
    assert _as_somebody_else(lab, "id -u; hostname").stdout == f"{SOMEBODY_ELSE}\ngpu2\n"
    looked = _as_somebody_else(lab, f"ls {place}; cat {place}/token; cd {place}")
    assert looked.stdout == ""
    assert looked.stderr.count("Permission denied") + looked.stderr.count("can't cd") == 3
    connect = f"perl -e 'use IO::Socket::UNIX; IO::Socket::UNIX->new(Peer => shift) or print $!' {place}/s"
    assert _as_somebody_else(lab, connect).stdout == "Permission denied"
    assert said(lab, "gpu2", connect) == ""  # its owner may


def test_what_jupyter_does_with_tcp(lab, served):
    """The server listens on no port at all, and neither do its kernels on any of Jupyter's five channels.

    ipykernel itself has one port, on loopback: forked children of a cell hand their prints in there, and nothing that
    does not begin with sixteen random bytes is taken (`_setup_pipe_in` of ipykernel/iostream.py).
    """
    served.notebook.execute("1")
    assert _ports_of(lab, b"jupyter_server") == []
    assert all(address == "0100007F" for address in _ports_of(lab, b"ipykernel_launcher"))
    assert len(_ports_of(lab, b"ipykernel_launcher")) <= 1
    assert "tcp" not in served.notebook.execute("from ipykernel.connect import *; print(get_connection_info())")


def _ports_of(lab, name):
    """The addresses at which processes of gpu2 listen that have `name` on their command line."""
    lines = Path(f"/proc/{lab.nodes['gpu2']}/net/tcp").read_text().splitlines()[1:]
    listening = {line.split()[9]: line.split()[1].split(":")[0] for line in lines if line.split()[3] == "0A"}
    found = []
    for pid in family(lab.nodes["gpu2"]):
        process = Path(f"/proc/{pid}")
        if name in (process / "cmdline").read_bytes():
            sockets = [str(link.readlink()).strip("socket:[]") for link in (process / "fd").iterdir()]
            found += [listening[number] for number in sockets if number in listening]
    return found


def test_the_modes_are_those_that_were_promised(lab, said, person, served):
    place = _place(person)
    assert said(lab, "gpu2", f"stat -c '%a' {place} {place}/s {place}/token").split() == ["700", "600", "600"]
    assert not place.startswith(lab.account_home)


def test_the_token_is_on_no_command_line_and_in_no_log(lab, home, person, served):
    token = served.notebook.token.encode()
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except OSError:
                continue  # it has ended
            assert token not in text, (process, name)
    logs = [path for path in home.rglob("*") if path.is_file() and ".provision" in path.parts]
    assert logs
    assert not [path for path in logs if token in path.read_bytes()]
    assert token.decode() not in person.run("jupyter", "--list", "--json").stdout


def test_kernels_live_on_when_the_connection_is_cut(lab, served):
    served.notebook.execute("kept = 42")
    kernel = served.notebook.kernel()
    before = sum("the connection was lost" in line for line in served.lines)
    _cut_all_sessions(lab)
    deadline = time.monotonic() + PATIENCE_S
    while sum("the connection was lost" in line for line in served.lines) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert served.notebook.execute("kept") == "42"
    assert served.notebook.kernel() == kernel
    served.says("connected again")


def _cut_all_sessions(lab):
    """Kill every session of admin1's sshd, as a reboot of the network would; its listener stays."""
    for pid in family(lab.nodes["admin1"]):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"sshd: ") and b"listener" not in title:
            os.kill(pid, signal.SIGKILL)


def test_coming_back_joins_the_server_that_runs(other):
    first = other()
    first.notebook.execute("kept = 43")
    assert first.leave() == 0
    first.says("goes on, with its kernels")
    second = other()
    second.says("joined it")
    assert second.notebook.execute("kept") == "43"


def test_two_starts_at_once_are_one_server(person, other):
    starting = []
    threads = [threading.Thread(target=lambda: starting.append(other())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    one, two = (each.notebook for each in starting)
    assert one.token == two.token
    assert one.port != two.port
    listed = person.run("jupyter", "--list", "--json", "--node", "gpu2")
    assert len([server for server in json.loads(listed.stdout)["servers"] if "other" in server["environment"]]) == 1


def test_stopping_leaves_no_process_no_socket_and_no_record(lab, home, said, person, other):
    running = other()
    running.notebook.execute("1")
    before = json.loads(person.run("jupyter", "--list", "--json", "--node", "gpu2").stdout)["servers"]
    (server,) = [one for one in before if one["environment"].endswith("/other")]
    assert server["kernels"] == 1
    stopped = person.run("jupyter", "--stop", "other")
    assert stopped.code == 0, stopped
    left = said(lab, "gpu2", "ls -d /tmp/*; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "envs/other" not in left
    assert str(Path(server["socket"]).parent) not in left
    assert not (home / ".provision/jobs" / server["key"]).exists()
    after = json.loads(person.run("jupyter", "--list", "--json", "--node", "gpu2").stdout)["servers"]
    assert [one for one in after if one["environment"].endswith("/other")] == []
    # The command that led to it learns of the end with the next request, and ends as well.
    status, text = running.notebook.ask("GET", "/api")
    assert (status, b"has ended" in text) == (502, True)
    running.says("has ended")
    running.process.wait(PATIENCE_S)
    assert running.leave() == 0


def test_a_server_whose_node_was_restarted_is_recognised(lab, home, said, person, other):
    """A record of another boot is a server that is no more, whatever process has its number today."""
    running = other()
    running.leave()
    listed = json.loads(person.run("jupyter", "--list", "--json", "--node", "gpu2").stdout)["servers"]
    (server,) = [one for one in listed if one["environment"].endswith("/other")]
    record = home / ".provision/jobs" / server["key"] / "pid"
    good = record.read_text()
    pid, _, node = good.split()
    record.write_text(f"{pid} another-boot {node}\n")
    shown = person.run("jupyter", "--list", "--node", "gpu2").stdout
    assert re.search(rf"{server['key']} .* has ended; .*--stop", shown)
    record.write_text(good)


def test_where_admin1_forwards_nothing_a_relay_on_gpu2_leads_to_the_server(start, home, served, tmp_path):
    """Also this way: the notebook works, and its kernels outlive the connection."""
    closed = start(forwarding=False)
    subprocess.run(["cp", "-a", home / "envs", closed.home], check=True)
    person = _person(closed, tmp_path)
    running = Served(person, "--env", "small")
    try:
        running.says("a small relay runs there instead")
        assert running.notebook.execute("kept = os = __import__('os'); print(os.uname().nodename)") == "gpu2\n"
        assert running.notebook.execute("print('x' * 300_000)") == "x" * 300_000 + "\n"
        _cut_all_sessions(closed)
        running.says("the connection was lost")
        assert running.notebook.execute("kept.__name__") == "'os'"
    finally:
        running.leave()
    assert person.run("jupyter", "--stop").code == 0
    assert json.loads(person.run("jupyter", "--list", "--json", "--node", "gpu2").stdout)["servers"] == []
