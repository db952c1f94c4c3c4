"""The wires themselves: slow ones, and ones that fall silent in the middle of a run."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from newcomer import Newcomer, ended, lines_until
from scupi_provision.lab.real.network import Wiring
from scupi_provision.lab.real.state import read_real_state, real_layout

_DELAY_S = 0.1
_BENCH = Path(__file__).parents[2] / "bench"
_LINK = """
import sys
sys.path.insert(0, sys.argv[1])
from slow_link import SlowLink
with SlowLink((sys.argv[2], int(sys.argv[3])), float(sys.argv[4])) as link:
    print(link.port, flush=True)
    sys.stdin.read()
    print(len(link.connections))
"""
_PLAY = "- hosts: {hosts}\n  tasks:\n    - copy: {{dest: ~/here, content: here}}\n    - command: sleep {seconds}\n"


@contextmanager
def _slow_link(lab):
    """A slow way to admin1, as a process of its own (tests themselves may only talk to loopback): its port."""
    argv = [sys.executable, "-c", _LINK, _BENCH, lab.admin_address, lab.admin_port, _DELAY_S]
    with subprocess.Popen(map(str, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        connections, _ = process.communicate(timeout=10)
    assert int(connections) == 1


def test_a_slow_link_makes_an_apply_no_slower_than_its_few_round_trips(start, tmp_path):
    """Login through the jump and all, over 200 ms there and back."""
    lab = start()
    person = Newcomer(tmp_path, lab.directory, tmp_path)
    (tmp_path / "site.yaml").write_text(_PLAY.format(hosts="gpu2", seconds=0))
    with _slow_link(lab) as port:
        inventory = yaml.safe_load(lab.inventory.read_text())
        inventory["all"]["hosts"]["admin1"] |= {"ansible_host": "127.0.0.1", "ansible_port": port}
        known = tmp_path / "known_hosts"
        known.write_text(lab.known_hosts.read_text().replace(f"{lab.admin_address} ", f"[127.0.0.1]:{port} "))
        inventory["all"]["vars"]["provision_known_hosts"] = str(known)
        (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(inventory))
        done = person.run("apply", "site.yaml", "--json")
    assert done.code == 0, done.stderr
    (summary,) = [event for event in done.of("HostSummary") if event["host"] == "gpu2"]
    assert summary["round_trips"] <= 5
    assert summary["seconds"] < 20


@pytest.mark.slow
@pytest.mark.parametrize("hop", ["admin1", "gpu2"])
def test_a_wire_that_goes_dead_is_noticed_within_25_seconds_on_either_hop(start, tmp_path, hop):
    """No packet says so: the far end is simply silent, as with a pulled cable."""
    lab = start()
    person = Newcomer(tmp_path, lab.directory, tmp_path)
    (tmp_path / "site.yaml").write_text(_PLAY.format(hosts="gpu2", seconds=120))
    running = person.start("apply", "site.yaml", "-i", lab.inventory, "--json")
    lines_until(running, lambda event: event["event"] == "TaskProgress")
    _pull(lab, hop)
    begin = time.monotonic()
    finished = ended(running)
    assert finished.code == 3, finished.stdout
    assert time.monotonic() - begin < 25
    assert "lost" in finished.stdout


def _pull(lab, hop):
    """Take the far end of the wire down; the near end stays up and sends into nothing."""
    device = {"admin1": "eth0", "gpu2": "eth1"}[hop]
    enter = ["nsenter", "--net", f"--target={lab.nodes['admin1']}"]
    subprocess.run([*enter, "ip", "link", "set", device, "down"], check=True)


def test_the_addresses_of_labs_do_not_meet(lab):
    state = read_real_state(real_layout(lab.directory))
    numbers = {state.number, 1, 2, 254}
    every = [
        address
        for number in numbers
        for address in (
            Wiring(number).controller,
            Wiring(number).admin,
            Wiring(number).admin_inside,
            Wiring(number).gpu,
        )
    ]
    assert len(set(every)) == len(every)
