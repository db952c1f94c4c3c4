"""What `provision jupyter` decides before it touches a host, and how a person reads what it found."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from scupi_provision.errors import InputError
from scupi_provision.host.notebooks import JupyterServer, servers_of
from scupi_provision.inventory.load import load_inventory
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.load import load_playbook
from scupi_provision.report.jupyter import print_address, print_left, print_servers, print_serving, servers_data
from scupi_provision.run.jupyter import node_of
from scupi_provision.run.notebook.answering import address_of, apology
from scupi_provision.run.notebook.environment import Environment
from scupi_provision.run.notebook.installing import play_text
from scupi_provision.run.notebook.server import key_of, prefix_of
from scupi_provision.values import Secret

_HOSTS = "all:\n  hosts:\n    admin1: {}\n    gpu2: {via: admin1}\n"
_ACCOUNTS = 'accounts:\n  - {id: "01", key: k}\n  - {id: "02", key: k}\n'


def _inventory(tmp_path, text):
    path = tmp_path / "inventory.yaml"
    path.write_text(text, encoding="utf-8")
    return load_inventory(path)


def test_it_runs_on_the_host_behind_another(tmp_path):
    assert node_of(_inventory(tmp_path, _HOSTS), None, None).base == "gpu2"
    assert node_of(_inventory(tmp_path, _HOSTS), "admin1", None).base == "admin1"


def test_of_several_nodes_one_has_to_be_named(tmp_path):
    inventory = _inventory(tmp_path, f"{_HOSTS}    gpu3: {{via: admin1}}\n")
    with pytest.raises(InputError, match="--node: gpu2, gpu3"):
        node_of(inventory, None, None)


def test_of_several_accounts_one_has_to_be_named(tmp_path):
    inventory = _inventory(tmp_path, _HOSTS + _ACCOUNTS)
    with pytest.raises(InputError, match="--account"):
        node_of(inventory, None, None)
    assert node_of(inventory, None, "02").name == "02@gpu2"


@pytest.mark.parametrize(
    ("packages", "wanted", "missing", "page"),
    [
        ({}, None, ("jupyterlab", "jupyter_server", "ipykernel"), "lab"),
        ({"jupyter_server": "2", "ipykernel": "6"}, None, ("jupyterlab",), "lab"),
        ({"jupyter_server": "2", "ipykernel": "6"}, "none", (), ""),
        ({"jupyter_server": "2", "ipykernel": "6", "notebook": "7"}, None, (), "tree"),
        ({"jupyter_server": "2", "ipykernel": "6", "notebook": "7"}, "lab", ("jupyterlab",), "lab"),
        ({"jupyter_server": "2", "ipykernel": "6", "notebook": "7", "jupyterlab": "4"}, None, (), "lab"),
        ({"jupyterlab": "4", "jupyter_server": "2"}, None, ("ipykernel",), "lab"),
    ],
)
def test_what_is_missing_is_what_the_wanted_page_needs(packages, wanted, missing, page):
    environment = Environment("/home/me/envs/torch", packages)
    assert (environment.missing(wanted), environment.page(wanted)) == (missing, page)


def test_kernels_start_on_a_free_gpu_and_keep_their_history_in_memory():
    with_chooser = json.loads(Environment("/e/torch", {}, "/home/me/.provision/bin/gpu-python").kernel())
    assert with_chooser["argv"][0] == "/home/me/.provision/bin/gpu-python"
    assert with_chooser["env"] == {"PROVISION_PYTHON": "/e/torch/bin/python"}
    assert "--HistoryManager.hist_file=:memory:" in with_chooser["argv"]
    assert json.loads(Environment("/e/torch", {}).kernel())["argv"][0] == "/e/torch/bin/python"


def test_a_server_is_known_by_its_node_and_environment():
    keys = {key_of(base, path) for base in ("gpu2", "gpu3") for path in ("/a", "/b")}
    assert len(keys) == 4
    assert all(key_of(base, "/a").startswith(prefix_of(base)) for base in ("gpu2", "gpu3"))
    assert "/" not in key_of("../../etc", "/a")


@pytest.mark.parametrize("environment", ["/home/me/envs/torch", '/home/me/a "b" \\ {{ c }}: d'])
def test_the_play_that_installs_names_the_environment_whatever_it_is_called(tmp_path, environment):
    path = tmp_path / "jupyter.yaml"
    path.write_text(play_text("admin1", "gpu2", environment, ["jupyterlab"]), encoding="utf-8")
    (play,) = load_playbook(path, roles_paths=(), registry=MODULES).plays
    assert (play.hosts, list(play.verify)) == ("admin1", ["gpu2"])


_TOLD = [
    ("server", "jupyter-gpu2-1"),
    ("path", "/home/me/envs/torch"),
    ("since", "2026-01-02T03:04:05Z"),
    ("state", "running"),
    ("info", json.dumps({"token": "5ec3e7", "base_url": "/"})),
    ("pid", "17"),
    ("kernels", "2"),
    ("place", "/tmp/provision-abcdef"),
    ("server", "jupyter-gpu2-2"),
    ("state", "ended"),
    ("said", "GET /?token=5ec3e7 failed"),
    ("said", "bye"),
]


def test_what_a_node_tells_is_cut_apart_by_server():
    first, second = servers_of(_TOLD)
    assert (first.key, first.pid, first.kernels, first.socket) == ("jupyter-gpu2-1", 17, 2, "/tmp/provision-abcdef/s")
    assert first.token.reveal() == "5ec3e7"
    assert (second.state, second.pid, second.said) == ("ended", None, ("GET /?token=… failed", "bye"))


def test_what_makes_no_sense_is_not_believed():
    (server,) = servers_of([("pid", "1"), ("server", "k"), ("info", "no json"), ("pid", "x"), ("kernels", "-3")])
    assert (server.pid, server.kernels, server.base_url) == (None, 0, "/")


def _printed(show):
    text = io.StringIO()
    show(Console(file=text, width=200, color_system=None))
    return text.getvalue()


def test_the_list_tells_of_each_server_and_never_the_token():
    servers = servers_of(_TOLD)
    text = _printed(lambda console: print_servers(console, "gpu2", servers))
    assert "process 17, 2 kernels" in text
    assert "has ended; `provision jupyter --stop` removes what it left" in text
    assert "5ec3e7" not in text + json.dumps(servers_data("gpu2", servers)) + repr(servers)
    assert "no Jupyter server" in _printed(lambda console: print_servers(console, "gpu2", []))


def test_what_a_host_writes_cannot_control_the_terminal():
    servers = servers_of([("server", "k"), ("path", "/e\x1b[2J"), ("since", "\x1b"), ("state", "\x1b]0;x\x07")])
    assert "\x1b" not in _printed(lambda console: print_servers(console, "gpu2", servers))


def test_a_person_is_told_where_to_go_and_how_to_come_back():
    text = _printed(lambda console: print_address(console, "http://127.0.0.1:8889/lab", 8889, 8888, lasts=True))
    assert "port 8888 of this computer is taken; it is 8889" in text
    assert "open http://127.0.0.1:8889/lab" in text
    assert "provision jupyter --stop" in _printed(lambda console: print_left(console, "gpu2", lasts=True))
    in_job = _printed(lambda console: print_address(console, "http://127.0.0.1:8888/lab", 8888, 8888, lasts=False))
    assert "job of Slurm" in in_job
    assert "ends, and with it the server" in _printed(lambda console: print_left(console, "gpu2", lasts=False))


def test_a_server_without_a_token_is_warned_of():
    server = JupyterServer("k", environment="/e", since="2026-01-02T03:04:05Z")
    text = _printed(lambda console: print_serving(console, "gpu2", server, "2.14.0", joined=True))
    assert "turns the token off" in text
    assert "joined it" in text


def test_the_address_has_the_page_and_the_token():
    server = JupyterServer("k", base_url="/me/", token=Secret("a b&c"))
    assert address_of(8888, server, "lab").reveal() == "http://127.0.0.1:8888/me/lab?token=a%20b%26c"
    assert address_of(8888, JupyterServer("k"), "").reveal() == "http://127.0.0.1:8888/"


def test_a_browser_is_told_what_is_wrong_in_http():
    head, _, body = apology(InputError("gpu2 is down", hint="wait")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"gpu2 is down (wait)" in body
