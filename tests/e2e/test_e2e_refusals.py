"""Bad input is refused with its place before any connection; a wrong host key before authentication."""

from __future__ import annotations

import re
import socket
import subprocess
from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.lab


@pytest.fixture
def doorbell(person, lab):
    """A listening socket where the person's inventory says that admin1 is: it notices every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        inventory = person.place / "inventory.yaml"
        port = listener.getsockname()[1]
        text = inventory.read_text().replace(f"ansible_port: {lab.admin_port}", f"ansible_port: {port}")
        inventory.write_text(text)
        listener.setblocking(False)
        yield listener


def _rang(listener):
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


WELL = '- copy: {content: "x", dest: ~/x}'


def test_the_doorbell_rings_for_a_good_playbook(person, site, doorbell):
    """The control: what the tests below do not see is seen here."""
    process = person.start("apply", site(WELL))
    doorbell.settimeout(30)
    try:
        doorbell.accept()[0].close()
    finally:
        process.communicate(timeout=30)
    assert process.returncode == 3


@dataclass(frozen=True)
class Bad:
    """A task that is wrong: where, and what must be said about it."""

    task: str
    line: int
    column: int
    what: str
    hint: str


BAD = {
    "unknown module": Bad('- cpoy: {content: "x", dest: ~/x}', 3, 7, "cpoy", 'did you mean "copy"'),
    "misspelled keyword": Bad('- copy: {content: "x", dest: ~/x}\n  wehn: true', 4, 7, "wehn", 'did you mean "when"'),
    "misspelled argument": Bad('- copy: {content: "x", dset: ~/x}', 3, 28, "dset", 'did you mean "dest"'),
    "undefined variable": Bad(
        '- debug: {msg: "hello {{ acount_id }}"}', 3, 30, "acount_id", 'did you mean "account_id"'
    ),
    "duplicate key": Bad('- copy: {content: "x", dest: ~/x, dest: ~/y}', 3, 39, '"dest" is here twice', "remove one"),
    "mode as a number": Bad('- copy: {content: "x", dest: ~/x, mode: 644}', 3, 45, "644", '"0644"'),
    "module of an administrator": Bad("- apt: {name: git}", 3, 7, "needs root", "below the home"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_place(person, site, doorbell, bad):
    playbook = site(bad.task)
    refused = person.run("apply", playbook)
    assert refused.code == 2
    assert not _rang(doorbell)
    assert refused.stdout == ""
    assert f"{playbook}:{bad.line}:{bad.column}" in refused.stderr
    source = playbook.read_text().splitlines()[bad.line - 1]
    assert _marked(refused.stderr, source) == bad.column
    assert bad.what in refused.stderr
    assert bad.hint in refused.stderr


def _marked(shown, source):
    """The column of `source` under which the caret stands."""
    lines = shown.splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(source))
    return lines[at + 1].index("^") - (len(lines[at]) - len(source)) + 1


def test_all_that_is_wrong_is_told_at_once(person, site, doorbell):
    """Only a file that is no good YAML is told alone."""
    bad = [one for name, one in BAD.items() if name != "duplicate key"]
    refused = person.run("check", site("\n".join(one.task for one in bad)))
    assert refused.code == 2
    assert not _rang(doorbell)
    assert all(one.what in refused.stderr and one.hint in refused.stderr for one in bad)


def test_an_inventory_that_is_wrong_is_refused_too(person, site, doorbell):
    inventory = person.place / "inventory.yaml"
    inventory.write_text(inventory.read_text().replace("via: admin1", "via: admin7"))
    refused = person.run("check", site("- {hosts: gpu2, tasks: [ping: ]}"))
    assert refused.code == 2
    assert "inventory.yaml:" in refused.stderr
    assert "admin7" in refused.stderr
    assert not _rang(doorbell)


def test_an_identifier_keeps_its_leading_zero(person, site, lab, account):
    """YAML 1.1 would read 0123456 as the octal number 42798."""
    inventory = person.place / "inventory.yaml"
    text = inventory.read_text().replace(f'id: "{lab.user}"', "id: 0123456")
    inventory.write_text(text + f'    vars: {{ansible_user: "{lab.user}"}}\n')
    playbook = site('- copy: {content: "{{ account_id }} {{ inventory_hostname }}", dest: ~/who}')
    assert person.run("apply", playbook).code == 0
    assert account.joinpath("who").read_text() == "0123456 0123456@admin1"


@pytest.fixture
def swapped_key(lab, tmp_path):
    """`swapped_key(host)`: known_hosts now has a stranger's key for the host; returns both fingerprints."""

    def swap(host):
        stranger = tmp_path / "stranger"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
        kind, blob, *_ = stranger.with_suffix(".pub").read_text().split()
        lines = lab.known_hosts.read_text().splitlines()
        which = {"admin1": f"[127.0.0.1]:{lab.admin_port}", "gpu2": "gpu2"}[host]
        right = next(line for line in lines if line.startswith(f"{which} "))
        lines[lines.index(right)] = f"{which} {kind} {blob}"
        lab.known_hosts.write_text("\n".join(lines) + "\n")
        genuine = tmp_path / "genuine.pub"
        genuine.write_text(right.partition(" ")[2])
        return _fingerprint(genuine), _fingerprint(stranger.with_suffix(".pub"))

    return swap


def _fingerprint(public_key):
    said = subprocess.run(["ssh-keygen", "-l", "-f", public_key], check=True, capture_output=True, text=True).stdout
    return said.split()[1]


@pytest.mark.parametrize("verb", ["check", "apply"])
@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_a_wrong_host_key_is_refused_before_authentication(person, site, lab, swapped_key, host, verb):
    offered, known = swapped_key(host)
    playbook = site(f"- {{hosts: {host}, tasks: [copy: {{content: x, dest: ~/x}}]}}")
    logged = lab.log.stat().st_size
    refused = person.run(verb, playbook)
    assert refused.code == 3
    told = refused.stdout + refused.stderr
    assert offered in told
    assert known in told
    assert host in told
    assert not lab.home.joinpath("x").exists()
    # The lab's log has every command that a host was given. That not even a login is tried: tests/transport.
    with lab.log.open() as log:
        log.seek(logged)
        assert re.search(rf" {host}: \d+: ", log.read()) is None


def test_an_unknown_host_is_refused_with_a_way_to_trust_it(person, site, lab):
    lab.known_hosts.write_text("")
    refused = person.run("check", site(WELL))
    assert refused.code == 3
    told = refused.stdout + refused.stderr
    assert "SHA256:" in told
    assert "provision trust admin1" in told
    trusted = person.run("trust", "admin1", "--yes", "-i", lab.inventory)
    assert trusted.code == 0, trusted.stderr
    assert person.run("check", site(WELL)).code == 0
