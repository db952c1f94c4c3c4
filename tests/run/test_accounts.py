"""Accounts are added when their logins work, to a server that counts who comes; what fails leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest
from scupi_provision.errors import InputError, UnreachableError
from scupi_provision.inventory.enrolment import Enrolled, Enrolment, EnrolWish, LoginTried, Standing
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.accounts import add_accounts
from scupi_provision.run.request import RunRequest
from scupi_provision.transport.base import Nobody

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))  # its servers

from loopback import SshServer

HOST, GOOD, BAD = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))


class Node(SshServer):
    """Lets everybody in who has the right key, and knows how many were there at a time."""

    def __init__(self, *, broken_shell: bool = False) -> None:
        super().__init__([HOST], [GOOD])
        self.here = self.most = self.total = 0
        self._broken_shell = broken_shell

    async def _run(self, process):
        self.here += 1
        self.total += 1
        self.most = max(self.most, self.here)
        try:
            if self._broken_shell:
                process.stderr.write(b"bash: line 1: nonsense: command not found\n")
                process.exit(1)
            else:
                await asyncio.sleep(0.2)
                await SshServer._run(process)
        finally:
            self.here -= 1


class Trusting(Nobody):
    """Somebody who trusts every host and counts the questions."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.questions = 0
        self._error = error

    def trusts(self, hop, offered):
        self.questions += 1
        if self._error:
            raise self._error
        return True


@pytest.fixture(autouse=True)
def _quiet_asyncssh():
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A home, an inventory whose host is `node.port`, and two keys of which one is let in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, key in (("good", GOOD), ("bad", BAD)):
        (tmp_path / name).write_bytes(key.export_private_key("openssh"))
    inventory = tmp_path / "inventory.yaml"
    ssh = tmp_path / ".ssh"

    def request(port, person=None):
        inventory.write_text(f"all: {{hosts: {{admin1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}}}\n")
        known = ssh / "known"
        return RunRequest(tmp_path, inventory, known_hosts=(known,), new_keys=known, person=person or Trusting())

    return SimpleNamespace(request=request, inventory=inventory, ssh=ssh, folder=tmp_path)


def _added(request, wish):
    return [told for told in add_accounts(request, wish) if isinstance(told, Enrolled)]


def _people(place, count, bad=()):
    return tuple(Enrolment(f"s{n:02}", place.folder / ("bad" if n in bad else "good")) for n in range(count))


def test_a_class_logs_in_eight_at_a_time_and_who_cannot_is_left_out(place):
    """Whether the first of them or another; and the host's key is asked about once."""
    with Node() as node:
        person = Trusting()
        request = place.request(node.port, person)
        results = _added(request, EnrolWish(_people(place, 30, bad={0, 7, 29})))
    failed = [result for result in results if result.standing is Standing.FAILED]
    assert [result.id for result in results] == [f"s{n:02}" for n in range(30)]
    assert [result.id for result in failed] == ["s00", "s07", "s29"]
    assert all(result.error and "does not let user" in result.error.summary for result in failed)
    written = [account.id for account in load_inventory(place.inventory).accounts]
    assert written == [result.id for result in results if result not in failed]
    assert sorted(path.name for path in place.ssh.glob("scupi_*")) == [f"scupi_{identifier}" for identifier in written]
    assert person.questions == 1
    assert 2 <= node.most <= 8


def test_every_login_is_told_as_it_comes(place):
    """A class takes a while, and somebody watches."""
    with Node() as node:
        told = list(add_accounts(place.request(node.port), EnrolWish(_people(place, 4, bad={2}))))
    assert [type(each) for each in told] == [LoginTried] * 4 + [Enrolled] * 4
    assert [(each.id, each.number, bool(each.problem)) for each in told[:4]] == [
        ("s00", 1, False),
        ("s01", 2, False),
        ("s02", 3, True),
        ("s03", 4, False),
    ]


def test_who_stops_listening_stops_it(place):
    """Nothing is written by half, and those who have not begun do not begin."""
    with Node() as node:
        telling = add_accounts(place.request(node.port), EnrolWish(_people(place, 40)))
        next(telling)
        next(telling)
        telling.close()
        assert node.total < 30
    assert not list(place.ssh.glob("scupi_*"))
    assert load_inventory(place.inventory).accounts == ()


def test_where_the_host_is_away_only_one_tries(place):
    """Thirty times a time limit would be a lesson's time."""
    with Node() as node:
        port = node.port
    results = _added(place.request(port), EnrolWish(_people(place, 30)))
    assert {result.standing for result in results} == {Standing.FAILED}
    assert not list(place.ssh.glob("scupi_*"))
    assert load_inventory(place.inventory).accounts == ()


def test_a_broken_shell_is_no_reason_not_to_have_the_account(place):
    """`provision rescue` needs it."""
    with Node(broken_shell=True) as node:
        (result,) = _added(place.request(node.port), EnrolWish(_people(place, 1)))
    assert (result.standing, result.hosts) == (Standing.ADDED, ("admin1",))
    assert "provision rescue s00" in result.warnings[0]
    assert [account.id for account in load_inventory(place.inventory).accounts] == ["s00"]


def test_an_interruption_leaves_nothing_behind(place):
    """Ctrl-C while a question is asked."""
    with Node() as node:
        request = place.request(node.port, Trusting(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            _added(request, EnrolWish(_people(place, 3)))
    assert not list(place.ssh.glob("scupi_*"))
    assert load_inventory(place.inventory).accounts == ()


def test_an_inventory_that_changes_meanwhile_is_not_written(place):
    """Somebody saves it in an editor while the host's key is compared; the key's copy goes, too."""

    class Editing(Trusting):
        def trusts(self, hop, offered):
            place.inventory.write_text(place.inventory.read_text() + "# mine\n")
            return True

    with Node() as node:
        request = place.request(node.port, Editing())
        with pytest.raises(InputError, match="changed by somebody"):
            _added(request, EnrolWish(_people(place, 1)))
    assert place.inventory.read_text().endswith("# mine\n")
    assert not list(place.ssh.glob("scupi_*"))


def test_a_replaced_key_comes_back_when_the_new_one_is_not_let_in(place):
    with Node() as node:
        request = place.request(node.port)
        _added(request, EnrolWish(_people(place, 1)))
        before = place.inventory.read_bytes(), (place.ssh / "scupi_s00").read_bytes()
        with pytest.raises(UnreachableError, match="was not added"):
            _added(request, EnrolWish(_people(place, 1, bad={0}), replace=True))
    assert (place.inventory.read_bytes(), (place.ssh / "scupi_s00").read_bytes()) == before
    assert [path.name for path in place.ssh.glob("scupi_*")] == ["scupi_s00"]
