"""`trust`: every hop on a way is met, and each key is known, trusted, replaced or refused."""

import sys
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))

from loopback import SshServer
from scupi_provision.errors import HostKeyError, InputError
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.choosing import choose_host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.trust import trust
from scupi_provision.transport.base import Nobody

INVENTORY = """\
all:
  hosts:
    admin1: {{ansible_host: 127.0.0.1, ansible_port: {admin}}}
    gpu2: {{ansible_host: 127.0.0.1, ansible_port: {gpu}, via: admin1}}
accounts:
  - {{id: "0123", key: {key}}}
"""


class Agreeing:
    """Somebody who says yes, or no, to every key, and remembers which."""

    def __init__(self, answer=True):
        self.answer = answer
        self.asked = []

    def secret(self, hop, question, *, echo):
        raise AssertionError(question)

    def trusts(self, hop, offered):
        self.asked.append((hop.name, offered.split()[0]))
        return self.answer


@pytest.fixture(scope="module")
def keys():
    make = asyncssh.generate_private_key
    return SimpleNamespace(**{name: make("ssh-ed25519") for name in ("user", "admin", "gpu", "other")})


@pytest.fixture
def nodes(keys):
    with SshServer([keys.admin], [keys.user]) as admin, SshServer([keys.gpu], []) as gpu:  # no login on gpu2 is needed
        yield SimpleNamespace(admin=admin, gpu=gpu)


@pytest.fixture
def place(tmp_path, keys, nodes):
    """The files of a person: key, inventory, and what they trust."""
    key = tmp_path / "key"
    key.write_bytes(keys.user.export_private_key())
    key.chmod(0o600)
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(INVENTORY.format(admin=nodes.admin.port, gpu=nodes.gpu.port, key=key))
    return SimpleNamespace(
        inventory=inventory, own=tmp_path / "known_hosts", ours=tmp_path / "ssh/known_hosts_provision"
    )


@pytest.fixture
def meet(place):
    """`meet(person, host, **options)`: what trust yields."""

    def work(person, host="gpu2", **options):
        request = RunRequest(
            place.inventory,
            place.inventory,
            known_hosts=(place.own, place.ours),
            new_keys=place.ours,
            person=person,
        )
        inventory = load_inventory(place.inventory)
        return list(trust(inventory, request, choose_host(inventory, host, None), **options))

    return work


def _line(port, key):
    return f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"


def test_each_unknown_hop_is_asked_about_once_and_remembered(meet, place, keys, nodes):
    person = Agreeing()
    met = meet(person)
    assert person.asked == [("admin1", keys.admin.get_fingerprint()), ("gpu2", keys.gpu.get_fingerprint())]
    assert [(key.host, key.standing, key.fingerprint) for key in met] == [
        ("admin1", "new", keys.admin.get_fingerprint()),
        ("gpu2", "new", keys.gpu.get_fingerprint()),
    ]
    assert place.ours.read_text() == _line(nodes.admin.port, keys.admin) + _line(nodes.gpu.port, keys.gpu)
    assert place.ours.stat().st_mode & 0o777 == 0o600
    again = meet(Nobody())
    assert [(key.standing, key.place) for key in again] == [("known", f"{place.ours}:1"), ("known", f"{place.ours}:2")]
    assert not place.own.exists()


def test_nothing_is_said_to_a_host_whose_key_is_declined(meet, place, keys, nodes):
    with pytest.raises(HostKeyError, match="Nobody vouches for the key of admin1") as caught:
        meet(Agreeing(answer=False))
    assert keys.admin.get_fingerprint() in caught.value.diagnostic.detail
    assert nodes.admin.observed.auth_attempts == []
    assert not place.ours.exists()


def test_the_last_hop_is_not_logged_in_to(meet, nodes):
    meet(Agreeing())
    assert nodes.gpu.observed.auth_attempts == []
    assert len(nodes.admin.observed.auth_attempts) == 1


def test_a_given_fingerprint_takes_the_place_of_a_question(meet, keys):
    given = {"admin1": keys.admin.get_fingerprint(), "gpu2": keys.gpu.get_fingerprint()}
    assert [key.standing for key in meet(Nobody(), fingerprints=given)] == ["new", "new"]


@pytest.mark.parametrize("is_known", [False, True])
def test_a_fingerprint_that_does_not_fit_is_refused(meet, place, keys, nodes, is_known):
    if is_known:
        place.own.write_text(_line(nodes.admin.port, keys.admin))
    with pytest.raises(HostKeyError, match="not the one that you gave"):
        meet(Agreeing(), "admin1", fingerprints={"admin1": keys.other.get_fingerprint()})
    assert not place.ours.exists()


def test_a_changed_key_is_refused_with_both_and_the_command_that_replaces_it(meet, place, keys, nodes):
    place.ours.parent.mkdir()
    place.ours.write_text("# mine\n" + _line(nodes.admin.port, keys.other) + "other ssh-ed25519 AAAA")
    before = place.ours.read_bytes()
    person = Agreeing()
    with pytest.raises(HostKeyError) as caught:
        meet(person, "admin1")
    detail = caught.value.diagnostic.detail
    assert keys.other.get_fingerprint() in detail
    assert keys.admin.get_fingerprint() in detail
    assert caught.value.diagnostic.hint.endswith("provision trust admin1 --replace --yes")
    assert person.asked == []
    assert place.ours.read_bytes() == before
    (met,) = meet(person, "admin1", replace=True)
    assert met.standing == "replaced"
    assert place.ours.read_text() == "# mine\nother ssh-ed25519 AAAA\n" + _line(nodes.admin.port, keys.admin)
    assert [key.standing for key in meet(Nobody(), "admin1")] == ["known"]


def test_the_user_s_own_file_is_never_changed(meet, place, keys, nodes):
    place.own.write_text(_line(nodes.admin.port, keys.other))
    with pytest.raises(HostKeyError) as caught:
        meet(Agreeing(), "admin1", replace=True)
    assert "ssh-keygen -R" in caught.value.diagnostic.hint
    assert place.own.read_text() == _line(nodes.admin.port, keys.other)


def test_a_revoked_key_cannot_be_replaced(meet, place, keys, nodes):
    place.own.write_text("@revoked " + _line(nodes.admin.port, keys.admin))
    with pytest.raises(HostKeyError, match="revoked"):
        meet(Agreeing(), "admin1", replace=True)


def test_a_pin_of_the_inventory_counts_alone(meet, place, keys):
    text = place.inventory.read_text()
    pin = keys.admin.get_fingerprint()
    place.inventory.write_text(text.replace("admin1: {", f'admin1: {{host_keys: "{pin}", '))
    (met,) = meet(Nobody(), "admin1")
    assert (met.standing, met.place) == ("pinned", "the inventory")


def test_an_unknown_host_of_the_inventory_is_bad_input(meet):
    with pytest.raises(InputError, match="no host"):
        meet(Nobody(), "gpu9")
