"""`provision ssh`, `ssh-config` and `trust` on real nodes: each one command, and ssh itself does the rest."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml
from newcomer import Newcomer

_ARGUMENTS = ("sh", "-c", 'printf "%s|" "$@"; cat; exit 7', "x", "a  b", "c'd", "$HOME", "*", "")
_EXPECTED = "a  b|c'd|$HOME|*||"


@pytest.fixture(scope="module")
def closed(start):
    """A lab whose admin1 forwards nothing."""
    return start(forwarding=False)


@pytest.fixture(scope="module")
def slurm(start):
    """A lab whose gpu2 is entered only with a job."""
    return start(slurm=True)


@pytest.fixture
def person(tmp_path):
    """`person(lab)`: somebody with an empty home and an inventory that names no known_hosts."""

    def come(lab, **of_gpu2):
        inventory = yaml.safe_load(lab.inventory.read_text())
        del inventory["all"]["vars"]["provision_known_hosts"]
        inventory["all"]["hosts"]["gpu2"] |= of_gpu2
        home = tmp_path / "home"
        home.mkdir()
        (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(inventory))
        return Newcomer(home, lab.directory, tmp_path)

    return come


def _ssh(person, *arguments):
    command = [shutil.which("ssh"), "-F", person.home / ".ssh/config", "-o", "BatchMode=yes", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


def test_from_nothing_to_ssh_by_its_name(lab, person):
    newcomer = person(lab)
    refused = newcomer.run("trust")
    assert refused.code == 3
    trusted = newcomer.run("trust", "--yes")
    assert trusted.code == 0, trusted.stderr
    assert trusted.stdout.count("trusted from now on") == 2
    written = newcomer.run("ssh-config", "--write")
    assert written.code == 0, written.stderr
    for alias, node in (("scupi-admin1", "admin1"), ("scupi-gpu2", "gpu2")):
        done = _ssh(newcomer, alias, "hostname")
        assert (done.returncode, done.stdout) == (0, f"{node}\n"), done.stderr
    assert _ssh(newcomer, "scupi-gpu2", "exit 9").returncode == 9


def test_pinned_keys_of_the_inventory_are_enough(lab, person):
    newcomer = person(lab)
    file = newcomer.place / "inventory.yaml"
    inventory = yaml.safe_load(file.read_text())
    known = [line.split(" ", 1) for line in (lab.directory / "keys/known_hosts").read_text().splitlines()]
    for node, address in (("admin1", lab.admin_address), ("gpu2", "gpu2")):
        inventory["all"]["hosts"][node]["host_keys"] = [key for names, key in known if address in names.split(",")]
    file.write_text(yaml.safe_dump(inventory))
    assert newcomer.run("ssh-config", "--write").code == 0
    done = _ssh(newcomer, "scupi-gpu2", "hostname")
    assert (done.returncode, done.stdout) == (0, "gpu2\n"), done.stderr
    assert newcomer.run("ssh", "gpu2", "--", "hostname").stdout == "gpu2\n"


@pytest.mark.parametrize("node", ["admin1", "gpu2"])
def test_arguments_arrive_and_the_status_comes_back(lab, person, node):
    newcomer = person(lab)
    newcomer.run("trust", "--yes")
    done = newcomer.run("ssh", node, "--", *_ARGUMENTS)
    assert (done.code, done.stdout) == (7, _EXPECTED), done.stderr


@pytest.mark.parametrize("reach", ["auto", "nested"])
def test_without_forwarding_the_login_node_goes_on(closed, person, reach):
    newcomer = person(closed, provision_reach=reach)
    assert newcomer.run("trust", "--yes").code == 0
    done = newcomer.run("ssh", "gpu2", "--", *_ARGUMENTS)
    assert (done.code, done.stdout) == (7, _EXPECTED), done.stderr
    assert ("admin1 does not forward" in done.stderr) == (reach == "auto")
    newcomer.run("ssh-config", "--write")
    assert ("RemoteCommand ssh -t" in (newcomer.home / ".ssh/config").read_text()) == (reach == "nested")


@pytest.mark.parametrize("reach", ["auto", "slurm"])
def test_where_there_must_be_a_job_one_is_asked_for(slurm, person, reach):
    newcomer = person(slurm, provision_reach=reach, slurm_time=5)
    assert newcomer.run("trust", "--yes", "admin1").code == 0
    if reach == "auto":
        assert newcomer.run("trust", "--yes").code == 0
    done = newcomer.run("ssh", "gpu2", "--", "sh", "-c", 'hostname; test -n "$SLURM_JOB_ID" && exit 7')
    assert (done.code, done.stdout) == (7, "gpu2\n"), done.stderr
