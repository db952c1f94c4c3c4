"""The hosts of an inventory in ~/.ssh/config, and how far our own ssh goes on a way."""

import os
import shutil
import subprocess
from types import SimpleNamespace

import asyncssh
import pytest
from scupi_provision.errors import InputError
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.onward import split_route
from scupi_provision.run.request import RunRequest
from scupi_provision.run.ssh_config import ssh_config_text, ssh_entries
from scupi_provision.run.ssh_file import remove_block, write_block
from scupi_provision.transport.base import Hop, JobWish

HOSTS = """\
all:
  vars: {{provision_known_hosts: {known}}}
  hosts:
    admin1: {{ansible_host: 192.0.2.1, ansible_port: 7092}}
    gpu2: {{via: admin1}}
    here: {{ansible_connection: local}}
accounts:
"""
ACCOUNT = "  - {{id: '{id}', key: {key}}}\n"


@pytest.fixture
def site(tmp_path):
    """`site(*ids, edit=…)`: an inventory with these accounts, and a request."""
    key = tmp_path / "key"
    key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    key.chmod(0o600)
    known, ours = tmp_path / "known_hosts", tmp_path / "ssh/known_hosts_provision"

    def make(*ids, edit=lambda text: text):
        file = tmp_path / "inventory.yaml"
        text = HOSTS.format(known=known) + "".join(ACCOUNT.format(id=one, key=key) for one in ids or ("0123",))
        file.write_text(edit(text))
        return SimpleNamespace(
            inventory=load_inventory(file),
            request=RunRequest(file, file, known_hosts=(known,), new_keys=ours),
            config=tmp_path / "ssh/config",
            key=key,
            known=known,
        )

    return make


def _aliases(site, account=None):
    return [entry.alias for entry in ssh_entries(site.inventory, site.request, account)]


def test_one_account_has_plain_aliases_and_this_machine_none(site):
    assert _aliases(site()) == ["scupi-admin1", "scupi-gpu2"]


def test_several_accounts_have_their_ids_in_the_aliases(site):
    everybody = site("0123", "0456")
    assert _aliases(everybody) == ["scupi-admin1-0123", "scupi-gpu2-0123", "scupi-admin1-0456", "scupi-gpu2-0456"]
    assert _aliases(everybody, "0456") == ["scupi-admin1", "scupi-gpu2"]
    jumps = [entry.jump for entry in ssh_entries(everybody.inventory, everybody.request, None)]
    assert jumps == ["", "scupi-admin1-0123", "", "scupi-admin1-0456"]


def test_the_prefix_is_the_inventory_s(site):
    mine = site(edit=lambda text: text.replace("vars: {", "vars: {ssh_alias_prefix: lab7, "))
    assert _aliases(mine) == ["lab7-admin1", "lab7-gpu2"]


def test_two_hosts_with_one_alias_are_refused(site):
    def edit(text):
        return text.replace("here:", "y-x: {ssh_alias_prefix: a}\n    x: {ssh_alias_prefix: a-y}\n    here:")

    with pytest.raises(InputError, match="two hosts would both be called a-y-x"):
        _aliases(site(edit=edit))


@pytest.mark.parametrize("prefix", ["'*'", "'a b'", "'-o'", "'!x'", "'a,b'"])
def test_a_prefix_that_means_something_to_ssh_is_refused(site, prefix):
    with pytest.raises(InputError, match="ssh_alias_prefix"):
        _aliases(site(edit=lambda text: text.replace("vars: {", f"vars: {{ssh_alias_prefix: {prefix}, ")))


def test_an_unknown_account_is_refused(site):
    mine = site()
    with pytest.raises(InputError, match="no account"):
        ssh_config_text(mine.inventory, mine.request, "9")


def test_without_forwarding_the_login_node_goes_on(site):
    mine = site(edit=lambda text: text.replace("gpu2: {", "gpu2: {provision_reach: nested, "))
    entry = ssh_entries(mine.inventory, mine.request, None)[1]
    assert (entry.alias, entry.address, entry.port, entry.jump) == ("scupi-gpu2", "192.0.2.1", 7092, "")
    assert entry.remote_command == "ssh -t -p 22 -l 0123 gpu2"
    assert "VS Code" in entry.remark


def test_the_block_is_written_once_and_taken_out_again(site):
    mine = site()
    written = write_block(mine.inventory, mine.request, None, mine.config)
    assert (written.changed, written.aliases, written.overridden) == (True, ("scupi-admin1", "scupi-gpu2"), ())
    assert mine.config.stat().st_mode & 0o777 == 0o600
    assert mine.config.parent.stat().st_mode & 0o777 == 0o700
    before = mine.config.stat()
    assert not write_block(mine.inventory, mine.request, None, mine.config).changed
    assert mine.config.stat().st_mtime_ns == before.st_mtime_ns
    assert remove_block(mine.config).changed
    assert mine.config.read_bytes() == b""
    assert not remove_block(mine.config).changed


def test_a_symlinked_configuration_stays_a_symlink_with_its_mode(site, tmp_path):
    mine = site()
    real = tmp_path / "dotfiles/sshconfig"
    real.parent.mkdir()
    real.write_text("Host x\n")
    real.chmod(0o640)
    mine.config.parent.mkdir()
    mine.config.symlink_to(real)
    write_block(mine.inventory, mine.request, None, mine.config)
    assert mine.config.is_symlink()
    assert real.read_text().endswith("# END provision\nHost x\n")
    assert real.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in real.parent.iterdir()] == ["sshconfig"]


def test_a_torn_block_leaves_everything_alone(site):
    mine = site()
    mine.config.parent.mkdir()
    mine.config.write_text("# BEGIN provision\nHost x\n")
    with pytest.raises(InputError):
        write_block(mine.inventory, mine.request, None, mine.config)
    assert mine.config.read_text() == "# BEGIN provision\nHost x\n"
    assert sorted(path.name for path in mine.config.parent.iterdir()) == ["config"]


def test_what_wins_over_the_block_is_told(site):
    mine = site()
    write_block(mine.inventory, mine.request, None, mine.config)
    mine.config.write_text("Host *\n  Port 99\n" + mine.config.read_text())
    (first, _) = write_block(mine.inventory, mine.request, None, mine.config).overridden
    assert first == "scupi-admin1: ssh takes port 99"


def test_pins_of_the_inventory_bind_ssh_too_and_only_to_this_cluster(site):
    def pinned(key):
        return site(edit=lambda text: text.replace("gpu2: {", f'gpu2: {{host_keys: "{key}", '))

    one, two = (asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip() for _ in range(2))
    first = pinned(one)
    ours = first.request.new_keys
    ours.parent.mkdir()
    ours.write_text("gpu2 ssh-ed25519 AAAA\n")
    for key in (one, one, two):
        mine = pinned(key)
        write_block(mine.inventory, mine.request, None, mine.config)
        assert ours.read_text().splitlines() == ["gpu2 ssh-ed25519 AAAA", f"scupi-gpu2 {key}"]
    done = subprocess.run(
        [shutil.which("ssh"), "-F", mine.config, "-G", "scupi-gpu2"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
        env=os.environ,
    )
    assert "hostkeyalias scupi-gpu2\n" in done.stdout
    assert f"userknownhostsfile {mine.known} {ours}\n" in done.stdout


ROUTE = (Hop("admin1", "a", user="u"), Hop("gpu2", "g", 23, "u"))


def _reached(reach, **changes):
    first, last = ROUTE
    return (first, Hop(last.name, last.address, last.port, last.user, reach=reach, **changes))


@pytest.mark.parametrize("reach", ["auto", "jump"])
def test_a_jump_is_all_our_own(reach):
    assert split_route(_reached(reach), "true", terminal=False) == (_reached(reach), "true")


def test_a_command_is_quoted_once_for_each_shell_on_the_way():
    ours, command = split_route(_reached("nested"), "echo 'a  b'", terminal=False)
    assert ours == ROUTE[:1]
    assert command == "ssh -T -p 23 -l u g 'echo '\\''a  b'\\'''"


def test_a_job_is_asked_for_where_there_must_be_one():
    wish = JobWish(options=("--gres=gpu:1",), time="30")
    _, command = split_route(_reached("slurm", job=wish), "", terminal=True)
    assert command.startswith("srun --pty --nodes=1 --ntasks=1 --time=30 --nodelist=g --gres=gpu:1 /bin/sh -c ")
    _, command = split_route(_reached("slurm", job=JobWish(options=("-w", "g7"))), "id", terminal=False)
    assert command == "srun --nodes=1 --ntasks=1 --time=60 -w g7 /bin/sh -c id"
