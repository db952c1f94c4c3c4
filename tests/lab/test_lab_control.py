"""Starting, finding, stopping and removing the lab."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.lab.commands import down, reset, ssh_command, status, up
from scupi_provision.lab.layout import lab_layout
from scupi_provision.lab.processes import family, process_table


@pytest.mark.lab
def test_a_second_up_finds_the_lab_that_runs(lab):
    before = status(directory=lab.directory).pid
    assert up(directory=lab.directory, with_sources=False) == lab
    assert status(directory=lab.directory).pid == before


@pytest.mark.lab
def test_private_things_are_private(lab):
    for path, mode in ((lab.directory, 0o700), (lab.home, 0o700), (lab.key_file, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.lab
def test_the_inventory_leads_to_both_nodes(lab):
    inventory = yaml.safe_load(lab.inventory.read_text())
    assert inventory["all"]["hosts"]["admin1"] == {
        "ansible_host": "127.0.0.1",
        "ansible_port": lab.admin_port,
    }
    assert inventory["all"]["hosts"]["gpu2"] == {"ansible_host": "gpu2", "ansible_port": 22, "via": "admin1"}
    told = {"provision_known_hosts": str(lab.known_hosts), "torch_cpu_reason": "no GPU in the lab"}
    assert inventory["all"]["vars"] == lab.variables == told
    assert inventory["accounts"] == [{"id": lab.user, "key": str(lab.key_file)}]


@pytest.mark.lab
def test_what_is_not_real_is_said(lab):
    assert any("two SSH servers on this machine" in line for line in lab.stand_ins)
    assert any("GPU" in line for line in lab.stand_ins)


@pytest.mark.lab
def test_down_ends_every_process_that_commands_left_behind(own_lab, run):
    """Also those that made themselves a session, ignore signals, cleared their environment, or lost their parent."""
    start = (
        "for i in 1 2; do (trap '' HUP TERM; setsid env -i /bin/sleep 300 > /dev/null 2>&1 < /dev/null &"
        " echo $!) ; done; nohup sleep 300 > /dev/null 2>&1 < /dev/null & echo $!"
    )
    run(own_lab, start)
    run(own_lab, "setsid sh -c 'echo $$ > pid; exec sleep 300' > /dev/null 2>&1 < /dev/null &", "gpu2")
    left = int(eventually_read(own_lab.home / "pid"))
    os.kill(left, 0)
    daemon = status(directory=own_lab.directory).pid
    left_behind = family(daemon)
    assert left in left_behind
    assert down(directory=own_lab.directory)
    assert not [pid for pid in (daemon, *left_behind) if alive(pid)]
    assert not status(directory=own_lab.directory).lab
    assert down(directory=own_lab.directory) is False


@pytest.mark.lab
def test_the_home_and_the_addresses_survive_a_restart(own_lab, run, text):
    run(own_lab, "echo mine > kept")
    down(directory=own_lab.directory)
    again = up(directory=own_lab.directory, with_sources=False)
    assert again == own_lab
    assert text(again, "cat kept", "gpu2") == "mine\n"


@pytest.mark.lab
def test_a_killed_daemon_is_replaced(own_lab, text):
    daemon = status(directory=own_lab.directory).pid
    os.kill(daemon, signal.SIGKILL)
    wait_until(lambda: status(directory=own_lab.directory).lab is None)
    again = up(directory=own_lab.directory, with_sources=False)
    assert text(again, "hostname") == "admin1\n"


@pytest.mark.lab
def test_a_daemon_whose_directory_is_gone_ends(own_lab):
    daemon = status(directory=own_lab.directory).pid
    (own_lab.directory / "state.json").unlink()
    wait_until(lambda: not alive(daemon), 15)


@pytest.mark.lab
def test_a_stopped_lab_cuts_its_connections(own_lab, connected):
    async def session():
        async with connected(own_lab) as connection:
            await asyncio.to_thread(down, directory=own_lab.directory)
            await asyncio.wait_for(connection.wait_closed(), 10)

    asyncio.run(session())


@pytest.mark.lab
def test_two_that_start_the_lab_at_once_get_the_same_one(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        starts = [pool.submit(up, directory=tmp_path / "lab", with_sources=False) for _ in range(2)]
        first, second = (start.result(60) for start in starts)
    assert first == second
    assert down(directory=tmp_path / "lab")


@pytest.mark.lab
def test_a_lab_that_nobody_uses_ends(own_lab):
    down(directory=own_lab.directory)
    daemon = [sys.executable, "-m", "scupi_provision.lab.daemon", str(own_lab.directory)]
    with own_lab.log.open("a") as log:
        subprocess.run([*daemon, "--nonce", "n", "--idle-limit", "0.4"], stderr=log, check=True)
    wait_until(lambda: "ending: no connection for" in own_lab.log.read_text())
    wait_until(lambda: not status(directory=own_lab.directory).lab)


@pytest.mark.lab
def test_a_directory_with_odd_characters(tmp_path):
    """Spaces and percent signs are what ssh's options trip over."""
    odd = up(directory=tmp_path / "my lab 100%h $x", with_sources=False)
    try:
        for host in ("admin1", "gpu2"):
            done = subprocess.run(
                [*ssh_command(odd, host), "hostname; tr --version > /dev/null && pwd"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert done.stdout == f"{host}\n{odd.home}\n", done.stderr
    finally:
        down(directory=odd.directory)


def test_a_directory_that_cannot_be_made_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProvisionError, match="cannot be made"):
        up(directory=tmp_path / "file" / "lab", with_sources=False)


@pytest.mark.lab
def test_reset_removes_the_lab(own_lab):
    """Read-only directories too, as some package caches make them."""
    (own_lab.home / "cache").mkdir()
    (own_lab.home / "cache" / "file").write_text("")
    (own_lab.home / "cache").chmod(0o500)
    assert reset(directory=own_lab.directory)
    assert not own_lab.directory.exists()
    assert reset(directory=own_lab.directory) is False


def test_reset_leaves_a_directory_that_is_not_a_lab(tmp_path):
    (tmp_path / "thesis.tex").write_text("three years of work")
    with pytest.raises(ProvisionError, match="not a lab"):
        reset(directory=tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_directory_that_cannot_stand_in_a_path_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot live"):
        up(directory=tmp_path / "a:b", with_sources=False)


@pytest.mark.lab
def test_an_unknown_host_is_refused_with_the_known_ones(lab):
    with pytest.raises(InputError, match="gpu3") as refused:
        ssh_command(lab, "gpu3")
    assert "admin1 and gpu2" in refused.value.diagnostic.hint


def test_the_lab_is_where_the_environment_says(tmp_path):
    named = lab_layout(environ={"PROVISION_LAB_DIR": "/a", "PROVISION_LAB_CACHE": "/b"})
    assert (named.directory, named.cache) == (Path("/a"), Path("/b"))
    standard = lab_layout(environ={"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "relative"})
    assert standard.directory == Path("/s/scupi-provision/lab")
    assert standard.cache == Path.home() / ".cache/scupi-provision/lab"


def alive(pid):
    return any(entry.pid == pid and not entry.zombie for entry in process_table())


def eventually_read(path):
    wait_until(lambda: path.exists() and path.read_text())
    return path.read_text()


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
