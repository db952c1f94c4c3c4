"""`provision doctor` and `provision vscode` on real nodes: all green, and one thing after another broken."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from newcomer import Newcomer

NODES = ("admin1", "gpu2")


@pytest.fixture
def told(tmp_path):
    """`told(lab, verb, …)`: the exit code, and what is said by hop and check."""
    home = tmp_path / "person"
    home.mkdir()

    def ask(lab, *arguments, verb="doctor", inventory=None):
        person = Newcomer(home, lab.directory, tmp_path)
        done = person.run(verb, "-i", inventory or lab.inventory, "--json", *arguments)
        assert done.stderr == ""
        assert done.code != 2, done.stdout
        return done.code, {(one["hop"], one["check"]): one for one in done.events if "check" in one}

    return ask


@pytest.fixture
def home(lab):
    """The home of the account, as it was when the test has ended."""
    kept = lab.home.with_name("kept")
    subprocess.run(["cp", "-a", lab.home, kept], check=True)
    shutil.rmtree(lab.home / ".provision", ignore_errors=True)  # what other tests have applied on this lab
    yield lab.home
    mode = kept.stat().st_mode
    for entry in lab.home.iterdir():
        subprocess.run(["rm", "-rf", entry], check=True)
    subprocess.run(["cp", "-a", f"{kept}/.", lab.home], check=True)
    lab.home.chmod(mode)
    shutil.rmtree(kept)


@pytest.fixture
def write(home):
    """`write(name, text)`: a file of the account."""
    owner = home.stat()

    def put(name, text, mode=0o644):
        path = home / name
        for folder in [*reversed(path.relative_to(home).parents)][1:]:
            (home / folder).mkdir(exist_ok=True)
            os.chown(home / folder, owner.st_uid, owner.st_gid)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner.st_uid, owner.st_gid)

    return put


def _is(found, state, what, fix):
    assert found["state"] == state, found
    assert what in found["what"]
    assert fix in found["fix"]


def _on_node(lab, node, script):
    """Run a script as root where only that node's mounts are seen."""
    subprocess.run(
        ["nsenter", "-t", str(lab.nodes[node]), "-m", "-p", "-r", "sh", "-ec", f"cd /; {script}"], check=True
    )


@contextmanager
def _changed(lab, tmp_path, old, new):
    """The lab's inventory with one text in place of another."""
    text = lab.inventory.read_text()
    assert old in text
    path = tmp_path / "changed.yaml"
    path.write_text(text.replace(old, new))
    yield path


# --- well ------------------------------------------------------------------------------------------------------------


def test_the_lab_is_well(lab, told, home):
    before = sorted(home.rglob("*"))
    code, found = told(lab)
    assert code == 0
    assert {one["state"] for one in found.values()} == {"ok", "note"}
    assert {place for place, one in found.items() if one["state"] == "note"} == {("admin1", "sources"), ("gpu2", "GPU")}
    assert found["gpu2", "name"]["what"].endswith("on admin1")
    assert found["gpu2", "way"]["what"] == "admin1 forwards to it, port 22 answers"
    assert found["gpu2", "GPU"]["what"] == "none, as a stand-in: no GPU in the lab"
    assert found["admin1 and gpu2", "one home"]["what"] == "both have the same"
    assert sorted(home.rglob("*")) == before


def test_people_get_a_page(lab, tmp_path):
    done = Newcomer(tmp_path, lab.directory, tmp_path).run("doctor", "-i", lab.inventory)
    assert done.code == 0, done.stdout + done.stderr
    assert done.stdout.startswith("admin1\n  ok        key file")
    assert done.stdout.splitlines()[-1].endswith("checks: all is well, 2 notes")


def test_one_node_alone(lab, told):
    _, found = told(lab, "--node", "admin1")
    assert {hop for hop, _ in found} == {"admin1"}


# --- the home --------------------------------------------------------------------------------------------------------


def test_start_up_files_and_leftovers(lab, told, write, home):
    """Everything that the account itself can have broken, seen in one walk."""
    write(".bashrc", "echo welcome\nexport PATH=/opt/tool/bin:/usr/local/bin:/usr/bin:/bin\n")
    write(".provision/lock", "admin1 another-boot 4711 ada@laptop (provision apply, run 1)\n")
    (home / ".provision/current").symlink_to("gen/7")
    code, found = told(lab)
    assert code == 1
    for node in NODES:
        _is(found[node, "silence"], "warning", "'welcome'", "case $- in *i*)")
        _is(found[node, "start-up files"], "warning", "~/.bashrc:2 freezes PATH", "$PATH")
        _is(found[node, "environment"], "problem", "gen/7, where no env.sh can be read", "provision rollback")
    _is(found["admin1", "lock"], "warning", "a run that is no more: ada@laptop", "run provision apply again")
    assert found["gpu2", "lock"]["what"] == (
        "held by a run on admin1, where its state is seen: ada@laptop (provision apply, run 1)"
    )
    assert found["admin1 and gpu2", "one home"]["state"] == "ok"


@pytest.mark.parametrize(
    ("text", "what"),
    [("if true; then\n", "no valid shell"), ("export PATH=/nowhere\n", "without /usr/bin: no command is found")],
)
def test_start_up_files_that_lock_out(lab, told, write, text, what):
    write(".bashrc", text)
    code, found = told(lab, "--node", "admin1")
    assert code == 1
    _is(found["admin1", "start-up files"], "problem", what, "provision rescue")


def test_login_files_that_end_the_shell(lab, told, write):
    """The way is told, the node is not seen, and rescue is named."""
    write(".bashrc", "exit 0\n")
    code, found = told(lab)
    assert code == 1
    assert found["admin1", "login"]["state"] == "ok"
    _is(found["admin1", "programs"], "problem", "", "provision rescue")
    assert found["gpu2", "host key"]["state"] == found["gpu2", "login"]["state"] == "ok"  # admin1 forwards all the same
    _is(found["gpu2", "programs"], "problem", "", "provision rescue")


@pytest.mark.slow
def test_slow_login_files(lab, told, write):
    write(".bashrc", "sleep 3\n")
    code, found = told(lab, "--node", "admin1")
    assert code == 0
    _is(found["admin1", "time to log in"], "warning", "s for a login", "bash -xic exit")


def test_a_home_that_others_may_write(lab, told, home):
    """sshd refuses the key; what was to be seen before that is told all the same."""
    home.chmod(0o777)
    code, found = told(lab)
    assert code == 3
    assert found["admin1", "host key"]["state"] == found["admin1", "methods"]["state"] == "ok"
    _is(found["admin1", "login"], "problem", "does not let user", "must not be writable for others")
    assert found["gpu2", "name"]["state"] == "not seen"


def test_a_full_home_of_its_own(lab, told, home):
    """gpu2 has another home than admin1, and nothing fits into it."""
    there = f"{lab.account_home}"
    _on_node(
        lab,
        "gpu2",
        f"cp -a {there}/.ssh /tmp/.ssh-kept; mount -t tmpfs -o size=1m,nr_inodes=40,mode=700 none {there};"
        f"mv /tmp/.ssh-kept {there}/.ssh; chown --reference={there}/.ssh {there};"
        f"mkdir {there}/.provision; chown --reference={there}/.ssh {there}/.provision",
    )
    try:
        code, found = told(lab)
    finally:
        _on_node(lab, "gpu2", f"umount -l {there}")
    assert code == 1
    _is(found["gpu2", "space"], "problem", "free of 1 MiB", "conda clean")
    _is(found["gpu2", "files"], "problem", "only ", "conda clean")
    _is(found["admin1 and gpu2", "one home"], "problem", "gpu2 has another home", "write to the administrator")


def test_a_home_that_takes_nothing(lab, told, home):
    _on_node(
        lab,
        "admin1",
        f"mount -o bind {lab.account_home} {lab.account_home}; mount -o remount,bind,ro {lab.account_home}",
    )
    try:
        code, found = told(lab)
    finally:
        _on_node(lab, "admin1", f"umount -l {lab.account_home}")
    assert code == 1
    _is(found["admin1 and gpu2", "one home"], "problem", "nothing can be written", "`space`")


def test_a_home_that_the_group_may_write(lab, told, home):
    """The lab's sshd is Debian's, which lets the account in all the same; that of a real cluster does not."""
    home.chmod(0o770)
    code, found = told(lab, "--node", "admin1")
    assert code == 1
    _is(found["admin1", "permissions"], "problem", "~ has mode 770: the group may write there", "chmod go-w ~")


@pytest.mark.slow
def test_an_nvidia_smi_that_hangs(lab, told, write):
    write(".bashrc", 'export PATH="$HOME/bin:$PATH"\n')
    write("bin/nvidia-smi", "#!/bin/sh\nexec sleep 300\n", 0o755)
    code, found = told(lab, "--node", "admin1")
    assert code == 1
    _is(found["admin1", "GPU"], "problem", "nvidia-smi does not answer within 20 s", "write to the administrator")


# --- the way ---------------------------------------------------------------------------------------------------------


def test_a_name_that_admin1_does_not_know(lab, told, tmp_path):
    with _changed(lab, tmp_path, "ansible_host: gpu2", "ansible_host: gpu22") as inventory:
        code, found = told(lab, inventory=inventory)
    assert code == 3
    _is(found["gpu2", "name"], "problem", "gpu22 is not known on admin1", "correct `ansible_host` of gpu2")
    assert found["admin1", "login"]["state"] == "ok"


def test_keys_of_hosts(lab, told, tmp_path):
    """gpu2 has another key than the known one; nobody knows admin1's."""
    known = tmp_path / "known_hosts"
    lines = lab.known_hosts.read_text().splitlines(keepends=True)
    of_admin = [line for line in lines if lab.admin_address in line]
    of_gpu = [line for line in lines if line.startswith("gpu2")]
    swapped = [line.replace(lab.admin_address, "gpu2", 1) for line in of_admin]
    assert of_admin
    assert of_gpu
    with _changed(lab, tmp_path, str(lab.known_hosts), str(known)) as inventory:
        known.write_text("".join([*of_admin, *swapped]))
        code, found = told(lab, inventory=inventory)
        assert code == 3
        _is(found["gpu2", "host key"], "problem", "is not the known one", f"ssh-keygen -R 'gpu2' -f {known}")
        known.write_text("".join(of_gpu))
        code, found = told(lab, inventory=inventory)
    assert code == 3
    _is(found["admin1", "host key"], "problem", "is not known", "provision trust admin1")
    assert found["admin1", "greeting"]["state"] == "ok"
    assert found["admin1", "methods"]["state"] == "not seen"


def test_a_key_file_that_others_can_read(lab, told, tmp_path):
    """ssh would not use it; the way is looked at as far as that goes without a key."""
    key = tmp_path / "id"
    shutil.copy(lab.key_file, key)
    key.chmod(0o644)
    with _changed(lab, tmp_path, str(lab.key_file), str(key)) as inventory:
        code, found = told(lab, inventory=inventory)
    assert code == 3
    _is(found["admin1", "key file"], "problem", "can be read by other people", f"chmod 600 {key}")
    assert found["admin1", "host key"]["state"] == found["admin1", "methods"]["state"] == "ok"
    assert found["admin1", "login"]["state"] in {"problem", "not seen"}


def test_forwarding_that_is_forbidden(start, told):
    """The other way is found, and gpu2 is looked at all the same; VS Code has no such way."""
    lab = start(forwarding=False)
    code, found = told(lab)
    assert code == 0
    _is(found["gpu2", "way"], "warning", "does not allow forwarding", "ask the administrator of admin1")
    assert found["gpu2", "login"]["what"].startswith("nested")
    assert found["gpu2", "C library"]["state"] == found["admin1 and gpu2", "one home"]["state"] == "ok"
    code, found = told(lab, "--node", "gpu2", verb="vscode")
    assert code == 1
    _is(found["gpu2", "forwarding"], "problem", "jump", "AllowTcpForwarding yes")


def test_a_node_that_wants_a_job(start, told):
    """The doctor asks for one, looks, and gives it back; no second one is asked for to see a fresh login."""
    lab = start(slurm=True)
    code, found = told(lab)
    assert code == 0
    _is(found["gpu2", "login"], "warning", "this run has job", "provision_reach: slurm")
    assert found["gpu2", "C library"]["state"] == found["admin1 and gpu2", "one home"]["state"] == "ok"
    assert found["gpu2", "fresh login"]["what"] == "not looked at: another login would take another job"
    code, found = told(lab, "--node", "gpu2", verb="vscode")
    assert code == 1
    _is(found["gpu2", "forwarding"], "problem", "slurm", "salloc -w gpu2")


# --- VS Code ---------------------------------------------------------------------------------------------------------


def test_vscode_can_run_in_the_lab(lab, told, tmp_path):
    code, found = told(lab, verb="vscode")
    assert code == 0
    for node in NODES:
        for check in ("kernel", "glibc", "libstdc++", "forwarding", "fresh login", "SFTP"):
            assert found[node, check]["state"] == "ok"
        _is(found[node, "ssh config"], "warning", f"has no scupi-{node}", "provision ssh-config --write")
    _is(found["gpu2", "programs"], "note", "neither curl nor wget", '"remote.SSH.localServerDownload": "always"')
    ssh = tmp_path / "person/.ssh"
    ssh.mkdir(exist_ok=True)
    (ssh / "config").write_text("Host scupi-admin1\n  Port 22\nHost other scupi-gpu2\n")
    code, found = told(lab, verb="vscode")
    assert found["gpu2", "ssh config"]["what"] == "VS Code lists it as scupi-gpu2"
