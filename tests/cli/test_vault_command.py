"""`provision vault`, at which ansible-vault is no stranger: what one has closed the other opens."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from scupi_provision.cli.main import app

SECRET = "the plain text, größer\n"


class Vaults:
    """A folder with a password, and both programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.write("pw", "correct horse\n")
        self.write("other", "battery staple\n")
        self.file = self.write("secret.yml", SECRET)

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def provision(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-m", "scupi_provision", "vault", *words], stdin, environment)

    def ansible(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(Path(sys.executable).parent / "ansible-vault"), *words], "", {})

    def _run(self, command: list[str], stdin: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        own = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "TMPDIR": str(self.temporary)}
        environment = {**own, "PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8", **more}
        return subprocess.run(
            command, cwd=self.folder, env=environment, input=stdin, capture_output=True, text=True, check=False
        )

    def editor(self, script: str) -> str:
        """An editor that does what the script says with the file, `$1`."""
        return str(self.write("editor", f"#!/bin/sh\n{script}\n", 0o755))


@pytest.fixture
def vaults(tmp_path):
    return Vaults(tmp_path)


PW = ("--vault-password-file", "pw")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("how", [PW, ("--vault-id", "prod@pw")])
def test_what_we_close_ansible_opens(vaults, how):
    done = vaults.provision("encrypt", "secret.yml", *how)
    assert (done.returncode, done.stderr) == (0, "")
    assert SECRET not in vaults.file.read_text()
    assert _mode(vaults.file) == 0o600
    assert vaults.ansible("view", "secret.yml", *how).stdout == SECRET
    assert vaults.ansible("decrypt", "secret.yml", *how).returncode == 0
    assert vaults.file.read_text() == SECRET


def test_what_ansible_closes_we_open(vaults):
    assert vaults.ansible("encrypt", "secret.yml", "--vault-id", "prod@pw").returncode == 0
    assert vaults.provision("view", "secret.yml", *PW).stdout == SECRET
    assert vaults.provision("decrypt", "secret.yml", *PW).returncode == 0
    assert vaults.file.read_text() == SECRET
    assert _mode(vaults.file) == 0o600


def test_another_password_is_what_rekey_gives(vaults):
    vaults.provision("encrypt", "secret.yml", *PW)
    vaults.file.chmod(0o640)
    done = vaults.provision("rekey", "secret.yml", *PW, "--new-vault-id", "next@other")
    assert done.returncode == 0, done.stderr
    assert _mode(vaults.file) == 0o640
    assert vaults.file.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;next\n")
    assert vaults.ansible("view", "secret.yml", "--vault-id", "other").stdout == SECRET
    assert vaults.provision("view", "secret.yml", *PW).returncode == 2


def test_no_vault_is_rekeyed_when_one_stays_closed(vaults):
    vaults.write("second.yml", "another text")
    vaults.provision("encrypt", "secret.yml", *PW)
    vaults.provision("encrypt", "second.yml", "--vault-password-file", "other")
    before = vaults.file.read_bytes()
    done = vaults.provision("rekey", "secret.yml", "second.yml", *PW, "--new-vault-password-file", "other")
    assert done.returncode == 2
    assert "second.yml" in done.stderr
    assert vaults.file.read_bytes() == before


def test_edit_closes_with_the_same_password_and_label(vaults):
    vaults.provision("encrypt", "secret.yml", "--vault-id", "prod@pw")
    seen = 'stat -c "%a %n" "$1" >seen; stat -c %a "${1%/*}" >>seen; echo more >>"$1"; echo rest >"$1~"'
    done = vaults.provision("edit", "secret.yml", *PW, EDITOR=vaults.editor(seen))
    assert done.returncode == 0, done.stderr
    assert vaults.file.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert vaults.ansible("view", "secret.yml", *PW).stdout == SECRET + "more\n"
    file_line, folder_mode = (vaults.folder / "seen").read_text().splitlines()
    assert file_line.startswith("600 ")
    assert "secret" not in file_line
    assert folder_mode == "700"
    assert list(vaults.temporary.iterdir()) == [], "what the editor left is removed, too"


def test_an_unchanged_text_is_not_written(vaults):
    vaults.provision("encrypt", "secret.yml", *PW)
    before = vaults.file.read_bytes()
    done = vaults.provision("edit", "secret.yml", *PW, EDITOR="true")
    assert done.returncode == 0
    assert "as it was" in done.stderr
    assert vaults.file.read_bytes() == before


@pytest.mark.parametrize("script", ["echo x >>$1; exit 3", "echo x >>$1; kill -TERM $PPID; sleep 1"])
def test_an_editor_that_fails_changes_nothing_and_leaves_nothing(vaults, script):
    vaults.provision("encrypt", "secret.yml", *PW)
    before = vaults.file.read_bytes()
    assert vaults.provision("edit", "secret.yml", *PW, EDITOR=vaults.editor(script)).returncode != 0
    assert vaults.file.read_bytes() == before
    assert list(vaults.temporary.iterdir()) == []


def test_create_makes_a_new_vault(vaults):
    done = vaults.provision("create", "new/v.yml", *PW, EDITOR=vaults.editor('echo fresh >"$1"'))
    assert done.returncode == 0, done.stderr
    assert vaults.ansible("view", "new/v.yml", *PW).stdout == "fresh\n"
    assert _mode(vaults.folder / "new/v.yml") == 0o600
    again = vaults.provision("create", "new/v.yml", *PW, EDITOR="false")
    assert again.returncode == 2
    assert "provision vault edit" in again.stderr


def test_a_string_becomes_a_value_that_yaml_takes(vaults):
    done = vaults.provision("encrypt-string", "--name", "token", "hunter22", *PW)
    assert done.returncode == 0, done.stderr
    node = yaml.compose(done.stdout).value[0][1]
    assert (node.tag, node.value[:14]) == ("!vault", "$ANSIBLE_VAULT")
    vaults.write("alone", node.value)
    assert vaults.ansible("view", "alone", *PW).stdout.strip() == "hunter22"


def test_a_string_may_come_from_standard_input(vaults):
    done = vaults.provision("encrypt-string", "--stdin-name", "token", *PW, stdin="hunter22")
    assert done.stdout.startswith("token: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n")


def test_streams_pass_through(vaults):
    made = vaults.provision("encrypt", "-", *PW, stdin=SECRET).stdout
    assert vaults.provision("decrypt", "-", *PW, stdin=made).stdout == SECRET
    vaults.provision("encrypt", "secret.yml", "--output", "copy", *PW)
    assert vaults.file.read_text() == SECRET
    assert vaults.provision("decrypt", "copy", "--output", "-", *PW).stdout == SECRET


def test_a_link_stays_a_link(vaults):
    (vaults.folder / "link").symlink_to("secret.yml")
    vaults.provision("encrypt", "link", *PW)
    assert (vaults.folder / "link").is_symlink()
    assert vaults.file.read_text().startswith("$ANSIBLE_VAULT")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("view", "secret.yml", *PW), "secret.yml is not a vault"),
        (("view", "nothing", *PW), "cannot read nothing"),
        (("view", "cut.yml", *PW), "damaged vault"),
        (("view", "closed.yml", "--vault-password-file", "other"), "no given password opens"),
        (("view", "closed.yml", "--vault-password-file", "missing"), "no vault password file missing"),
        (("view", "closed.yml", "--vault-password-file", "empty"), "is empty"),
        (("view", "closed.yml", "--vault-password-file", "tmp"), "is a folder"),
        (("view", "closed.yml"), "no terminal to ask at"),
        (("view", "closed.yml", "--vault-id", "a@"), "names no source"),
        (("encrypt", "closed.yml", *PW), "is a vault already"),
        (("encrypt", "secret.yml", "--vault-id", "a@pw", "--vault-id", "b@other"), "--encrypt-vault-id LABEL"),
        (("encrypt", "secret.yml", "--encrypt-vault-id", "c", *PW), 'no password for --encrypt-vault-id "c"'),
        (("edit", "closed.yml", *PW), "cannot be run"),
        (("encrypt-string", "", *PW), "nothing to encrypt"),
    ],
)
def test_bad_input_is_said_and_nothing_is_written(vaults, words, said):
    vaults.provision("encrypt", "secret.yml", "--output", "closed.yml", *PW)
    vaults.write("cut.yml", (vaults.folder / "closed.yml").read_text()[:100])
    vaults.write("empty", "\n")
    before = {path: path.read_bytes() for path in vaults.folder.iterdir() if path.is_file()}
    done = vaults.provision(*words, EDITOR="/no/such/editor")
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in vaults.folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    "environment",
    [
        {"ANSIBLE_VAULT_PASSWORD_FILE": "pw"},
        {"ANSIBLE_VAULT_IDENTITY_LIST": "dev@other, prod@pw"},
        {"ANSIBLE_VAULT_IDENTITY_LIST": "dev@other,prod@pw", "ANSIBLE_VAULT_ID_MATCH": "1"},
    ],
)
def test_passwords_may_be_named_by_the_environment(vaults, environment):
    vaults.ansible("encrypt", "secret.yml", "--vault-id", "prod@pw")
    done = vaults.provision("view", "secret.yml", **environment)
    assert done.stdout == SECRET, done.stderr


def test_ids_may_have_to_match(vaults):
    vaults.provision("encrypt", "secret.yml", "--vault-id", "prod@pw")
    done = vaults.provision("view", "secret.yml", "--vault-id", "dev@pw", ANSIBLE_VAULT_ID_MATCH="1")
    assert done.returncode == 2
    assert "ids must match" in " ".join(done.stderr.split())


def test_a_program_prints_the_password_and_a_client_is_told_the_id(vaults):
    vaults.write("script", "#!/bin/sh\necho correct horse\n", 0o755)
    client = '#!/bin/sh\n[ "$*" = "--vault-id prod" ] || exit 2\necho correct horse\n'
    vaults.write("keys-client.sh", client, 0o755)
    vaults.provision("encrypt", "secret.yml", *PW)
    assert vaults.provision("view", "secret.yml", "--vault-password-file", "script").stdout == SECRET
    assert vaults.provision("view", "secret.yml", "--vault-id", "prod@keys-client.sh").stdout == SECRET
    unknown = vaults.provision("view", "secret.yml", "--vault-id", "dev@keys-client.sh")
    assert unknown.returncode == 2
    assert 'no password for the id "dev"' in " ".join(unknown.stderr.split())
    vaults.write("broken", "#!/bin/sh\necho correct horse\nexit 7\n", 0o755)
    assert "ended with status 7" in vaults.provision("view", "secret.yml", "--vault-password-file", "broken").stderr


def test_a_password_file_may_be_a_vault_itself(vaults):
    vaults.provision("encrypt", "secret.yml", "--vault-password-file", "other")
    vaults.provision("encrypt", "other", *PW)
    assert vaults.provision("view", "secret.yml", "--vault-id", "a@pw", "--vault-id", "b@other").stdout == SECRET


def test_nothing_is_wider_than_its_owner_while_it_is_written(vaults):
    old = os.umask(0)
    try:
        vaults.provision("encrypt", "secret.yml", "--output", "made", *PW)
    finally:
        os.umask(old)
    assert _mode(vaults.folder / "made") == 0o600


def test_every_command_that_reads_a_site_opens_vaults():
    """Whoever names an inventory or a playbook may have a vault in it."""
    found = dict(_commands(typer.main.get_command(app), ""))
    reading = {name for name, options in found.items() if options & {"--inventory", "--extra-vars"}}
    assert {name for name in reading if "--vault-id" not in found[name]} == set()


def _commands(command, name):
    for word, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {word}".strip())
    if not hasattr(command, "commands"):
        yield name, {option for parameter in command.params for option in parameter.opts}
