"""The first command of a student, against real nodes: from the key of the web page to a login over both hops."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))  # its Newcomer types commands here as well

from newcomer import Ended, Newcomer, ended


@dataclass
class Student:
    """Somebody with a home of their own, the cluster's inventory without accounts, and a downloaded key."""

    lab: object
    place: Path
    key: Path
    inventory: Path = field(init=False)

    def __post_init__(self) -> None:
        self.inventory = self.place / "inventory.yaml"
        self.ssh = self.place / "home/.ssh"
        self._person = Newcomer(self.place / "home", self.lab.directory, self.place)

    def types(self, *arguments: object) -> Ended:
        return self._person.run(*arguments)

    def begins(self, *arguments: object, **options: object) -> subprocess.Popen[str]:
        return self._person.start(*arguments, **options)

    def adds(self, *options: object) -> Ended:
        return self.types("inventory", "add", self.lab.user, "--key", self.key, *options)


@pytest.fixture
def authorized(lab):
    """The account's authorized_keys; as it was when the test is over."""
    path = lab.home / ".ssh/authorized_keys"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


@pytest.fixture
def student(lab, tmp_path, authorized):
    return _new_student(lab, tmp_path)


def _new_student(lab, place: Path) -> Student:
    """What the cluster's web page does: a key is made there, let in, and downloaded."""
    (place / "home").mkdir()
    key = place / "id_rsa"
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-C", "portal", "-f", key]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    key.chmod(0o644)  # as browsers save it
    with (lab.home / ".ssh/authorized_keys").open("ab") as file:
        file.write(key.with_name("id_rsa.pub").read_bytes())
    admin = f"{{ansible_host: {lab.admin_address}, ansible_port: {lab.admin_port}}}"
    text = f"# ours\nall:\n  hosts:\n    admin1: {admin}\n    gpu2: {{via: admin1}}\n"
    (place / "inventory.yaml").write_text(text)
    return Student(lab, place, key)


def test_a_downloaded_key_becomes_a_login_over_both_hops(student):
    """One command; and then everything works with what it wrote."""
    before = student.inventory.read_text()
    added = student.adds("--yes", "--group", "cs")
    assert added.code == 0, added
    assert "works on admin1 and gpu2" in added.stdout
    assert added.stderr.count("SHA256:") == 2
    assert student.inventory.read_text().startswith(before)
    assert (student.ssh / f"scupi_{student.lab.user}").stat().st_mode & 0o777 == 0o600
    assert student.ssh.stat().st_mode & 0o777 == 0o700
    facts = student.types("facts", "gpu2", "--json")
    assert facts.code == 0, facts
    written = student.inventory.read_bytes()
    again = student.adds()
    assert (again.code, "already" in again.stdout) == (0, True)
    assert student.inventory.read_bytes() == written


def test_a_key_that_is_not_let_in_leaves_nothing_behind(student):
    """Neither an entry nor a copy of the key."""
    other = student.place / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    before = student.inventory.read_bytes()
    refused = student.types("inventory", "add", student.lab.user, "--key", other, "--yes")
    assert refused.code == 3, refused
    assert "was not added" in refused.stderr
    assert student.inventory.read_bytes() == before
    assert not list(student.ssh.glob("scupi_*"))


def test_an_unknown_host_key_is_not_trusted_without_a_person(student):
    """And what to say instead of asking is told."""
    refused = student.adds()
    assert refused.code == 3, refused
    assert "--fingerprint" in refused.stderr
    assert not (student.ssh / "known_hosts_provision").exists()


def test_fingerprints_are_compared(student, lab):
    """The right ones let in without a question; a wrong one lets nobody in, also where the host is known already."""
    done = subprocess.run(["ssh-keygen", "-l", "-f", lab.known_hosts], check=True, capture_output=True, text=True)
    keys = {line.split()[2]: line.split()[1] for line in done.stdout.splitlines()}
    admin, gpu = keys["admin1"], keys["gpu2"]
    wrong = student.adds("--fingerprint", f"admin1={gpu}", "--fingerprint", f"gpu2={gpu}")
    assert (wrong.code, "not the one that you gave" in wrong.stderr) == (3, True)
    right = student.adds("--fingerprint", f"admin1={admin}", "--fingerprint", f"gpu2={gpu}")
    assert right.code == 0, right
    student.types("inventory", "remove", lab.user)
    known = student.adds("--fingerprint", f"gpu2={admin}")
    assert known.code == 3, known


def test_a_key_of_ones_own_replaces_the_downloaded_one(student, authorized):
    """Its line is one more; the others stay. From then on the downloaded key is not needed on this computer."""
    with authorized.open("ab") as file:
        file.write(b"# kept, without a line end")
    before = authorized.read_bytes()
    added = student.adds("--yes", "--own-key")
    assert added.code == 0, added
    assert authorized.read_bytes().startswith(before + b"\nssh-ed25519 ")
    assert authorized.read_bytes().count(b"\n") == before.count(b"\n") + 2
    assert f"key: ~/.ssh/scupi_{student.lab.user}_ed25519\n" in student.inventory.read_text()
    (student.ssh / f"scupi_{student.lab.user}").unlink()
    assert student.types("facts", "all").code == 0
    content = authorized.read_bytes()
    assert student.types("apply", _play(student)).code == 0
    assert authorized.read_bytes() == content


def test_apply_makes_the_key_that_an_entry_asks_for(student, authorized):
    """Once; the comment behind the old key stays."""
    assert student.adds("--yes").code == 0
    text = student.inventory.read_text()
    old = f"    key: ~/.ssh/scupi_{student.lab.user}"
    student.inventory.write_text(text.replace(f"{old}\n", f"{old} # from the portal\n    access: {{own_key: true}}\n"))
    (told,) = student.types("check", _play(student), "--json").of("Notice")
    assert "would get its own key" in told["text"]
    applied = student.types("apply", _play(student), "--json")
    assert applied.code == 0, applied
    assert f"{old}_ed25519 # from the portal\n" in student.inventory.read_text()
    content, inventory = authorized.read_bytes(), student.inventory.read_bytes()
    again = student.types("apply", _play(student), "--json")
    assert (again.code, again.of("Notice")) == (0, [])
    assert (authorized.read_bytes(), student.inventory.read_bytes()) == (content, inventory)


@pytest.mark.slow
def test_a_switch_of_keys_may_be_killed_at_any_time(student, authorized):
    """Whatever the inventory names then lets the account in, and the next attempt finishes the work."""
    assert student.adds("--yes").code == 0
    inventory, lines = student.inventory.read_bytes(), authorized.read_bytes()
    own = student.ssh / f"scupi_{student.lab.user}_ed25519"
    ends = set()
    for tenths in range(8, 30, 3):
        student.inventory.write_bytes(inventory)
        authorized.write_bytes(lines)
        own.unlink(missing_ok=True)
        own.with_name(f"{own.name}.pub").unlink(missing_ok=True)
        process = student.begins("inventory", "add", student.lab.user, "--key", student.key, "--own-key")
        try:
            process.wait(tenths / 10)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        ends.add((own.exists(), authorized.read_bytes() != lines, student.inventory.read_bytes() != inventory))
        assert student.types("facts", "gpu2", "--json").code == 0
    assert len(ends) > 1
    assert student.adds("--own-key").code == 0
    assert own.name in student.inventory.read_text()


def test_a_home_that_takes_no_key_leaves_the_account_as_it_was(student, authorized, said):
    """What can be done about it is told; the downloaded key goes on working."""
    assert student.adds("--yes").code == 0
    before = student.inventory.read_bytes()
    folder = authorized.parent
    folder.chmod(0o500)
    try:
        refused = student.adds("--own-key")
    finally:
        folder.chmod(0o700)
    assert refused.code == 3, refused
    assert "no key of its own" in refused.stdout
    assert student.inventory.read_bytes() == before
    assert student.types("facts", "gpu2", "--json").code == 0


def test_a_class_is_added_from_a_list(student, lab):
    """Who cannot log in is named and left out; the others are written."""
    roster = student.place / "class.csv"
    roster.write_text(f"id;key;name\n{lab.user};id_rsa;One\n0123456;id_rsa;Two\n", encoding="utf-8-sig")
    added = student.types("inventory", "add", "--from", roster, "--yes")
    assert added.code == 3, added
    assert "1 added, 1 not added" in added.stdout
    listed = student.types("inventory", "list", "--json")
    assert '"0123456"' not in listed.stdout
    assert f'"{lab.user}"' in listed.stdout


def _play(student: Student) -> Path:
    path = student.place / "site.yaml"
    path.write_text("- hosts: admin1\n  tasks:\n    - ansible.builtin.ping:\n")
    return path


def test_a_person_at_a_terminal_is_shown_both_keys(student, lab):
    """No is no: nothing is written. Twice yes, and nobody is asked again."""
    declined = _answering(student, ["no"])
    assert declined.code == 3, declined
    assert b"id:" not in student.inventory.read_bytes()
    agreed = _answering(student, ["yes", "yes"])
    assert agreed.code == 0, agreed
    assert agreed.stderr.count("Is this the right one") == 2
    assert len((student.ssh / "known_hosts_provision").read_text().splitlines()) == 2
    student.types("inventory", "remove", lab.user)
    assert student.adds().code == 0


def _until_it_asks(process: subprocess.Popen[str]) -> str:
    said = ""
    while not said.endswith((")? ", "): ")):
        character = process.stderr.read(1)
        assert character, f"it did not ask, but said: {said}"
        said += character
    return said


def _answering(student: Student, answers: list[str], *options: str) -> Ended:
    """`add` at a terminal, with somebody who types these answers."""
    terminal, side = os.openpty()
    try:
        process = student.begins("inventory", "add", student.lab.user, "--key", student.key, *options, stdin=side)
        said = ""
        for answer in answers:  # only when it is asked for: what was typed before is thrown away with a passphrase
            said += _until_it_asks(process)
            os.write(terminal, f"{answer}\n".encode())
        done = ended(process)
        return replace(done, stderr=said + done.stderr)
    finally:
        os.close(terminal)
        os.close(side)


def test_a_key_with_a_passphrase_is_opened_once(student, lab):
    """By whoever sits there; the copy stays encrypted, and it lets its own key in as any other does."""
    student.key.chmod(0o600)
    command = ["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "open sesame", "-f", student.key]
    subprocess.run(command, check=True, capture_output=True)
    student.key.with_name("id_rsa.pub").unlink()
    refused = student.adds("--yes")
    assert refused.code == 3, refused
    assert "passphrase" in refused.stderr
    added = _answering(student, ["open sesame"], "--yes", "--own-key")
    assert added.code == 0, added
    assert added.stderr.count("passphrase of") == 1
    assert "open sesame" not in added.stdout + added.stderr
    assert b"ENCRYPTED" in (student.ssh / f"scupi_{lab.user}").read_bytes()
    assert student.types("facts", "gpu2", "--json").code == 0


@pytest.mark.slow
def test_it_is_the_same_where_the_login_node_forwards_nothing(start, tmp_path):
    """The nested way: the account and its own key go in over admin1 alone, and that is said."""
    lab = start(forwarding=False)
    student = _new_student(lab, tmp_path)
    added = student.adds("--yes", "--own-key")
    assert added.code == 0, added
    assert "works on admin1 and gpu2" in added.stdout
    assert "forward" in added.stdout
    assert student.types("facts", "gpu2", "--json").code == 0
