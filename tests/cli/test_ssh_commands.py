"""`provision ssh`, `ssh-config` and `trust` as a person types them, on two servers of this machine."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))

from loopback import SshServer

INVENTORY = """\
all:
  hosts:
    admin1: {{ansible_host: 127.0.0.1, ansible_port: {admin}}}
    gpu2: {{ansible_host: 127.0.0.1, ansible_port: {gpu}, via: admin1}}
    here: {{ansible_connection: local}}
accounts:
  - {{id: "0123", key: {key}}}
"""


@pytest.fixture(scope="module")
def keys():
    make = asyncssh.generate_private_key
    return SimpleNamespace(**{name: make("ssh-ed25519") for name in ("user", "admin", "gpu")})


@pytest.fixture
def place(tmp_path, keys):
    """A home with an inventory that leads to two servers."""
    with SshServer([keys.admin], [keys.user]) as admin, SshServer([keys.gpu], [keys.user]) as gpu:
        key = tmp_path / "key"
        key.write_bytes(keys.user.export_private_key())
        key.chmod(0o600)
        text = INVENTORY.format(admin=admin.port, gpu=gpu.port, key=key)
        (tmp_path / "inventory.yaml").write_text(text)
        yield SimpleNamespace(home=tmp_path, admin=admin, gpu=gpu, trusted=tmp_path / ".ssh/known_hosts_provision")


@pytest.fixture
def provision(place):
    """`provision(*arguments)`: the program in that home, without a terminal."""

    def run(*arguments, stdin="", **environment):
        done = subprocess.run(
            [sys.executable, "-m", "scupi_provision", *arguments],
            cwd=place.home,
            env=_environment(place) | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


def _environment(place):
    kept = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
    return kept | {"HOME": str(place.home), "COLUMNS": "200"}


@pytest.fixture
def typed(place):
    """`typed(arguments, answers)`: the program at a terminal; each answer is typed when its question is there."""

    def run(arguments, answers):
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(place.home)
            os.execve(sys.executable, [sys.executable, "-m", "scupi_provision", *arguments], _environment(place))
        said, waiting, deadline = b"", list(answers), time.monotonic() + 60
        try:
            while time.monotonic() < deadline and select.select([terminal], [], [], 30)[0]:
                piece = os.read(terminal, 4096)
                said += piece
                if waiting and waiting[0][0].encode() in said.rpartition(b"\n")[2]:
                    os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
        except OSError:
            pass  # Linux says so when the other end of the terminal is closed
        finally:
            os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode().replace("\r\n", "\n")

    return run


def _fingerprint(key):
    return key.get_fingerprint()


def test_an_unknown_host_is_refused_without_a_terminal_and_the_way_out_is_said(provision, place, keys):
    done = provision("trust")
    assert done.code == 3
    assert _fingerprint(keys.admin) in done.err
    assert "--fingerprint SHA256:" in done.err
    assert not place.trusted.exists()


def test_at_a_terminal_each_key_is_shown_and_asked_about(typed, place, keys):
    code, said = typed(["trust"], [("(yes/no)?", "yes"), ("(yes/no)?", "yes")])
    assert code == 0, said
    assert said.index(_fingerprint(keys.admin)) < said.index(_fingerprint(keys.gpu))
    assert said.count("trusted from now on") == 2
    assert len(place.trusted.read_text().splitlines()) == 2


@pytest.mark.parametrize("answer", ["no", "", "y", "yes please"])
def test_only_the_whole_word_is_consent(typed, place, answer):
    code, said = typed(["trust", "admin1"], [("(yes/no)?", answer)])
    assert code == 3
    assert "Nobody vouches" in said
    assert not place.trusted.exists()


def test_yes_trusts_and_shows_what(provision, keys):
    done = provision("trust", "--yes")
    assert done.code == 0, done.err
    assert _fingerprint(keys.admin) in done.out
    assert provision("trust").out.count("known:") == 2


@pytest.mark.parametrize(("which", "code"), [("admin", 0), ("gpu", 3)])
def test_a_fingerprint_is_compared(provision, keys, which, code):
    done = provision("trust", "admin1", "--fingerprint", _fingerprint(getattr(keys, which)))
    assert done.code == code, done.err


def test_a_fingerprint_has_to_belong_to_somebody(provision, keys):
    done = provision("trust", "--fingerprint", _fingerprint(keys.admin))
    assert (done.code, "HOST=SHA256" in done.err) == (2, True)
    assert provision("trust", "--fingerprint", f"admin9={_fingerprint(keys.admin)}").code == 2
    given = [f"--fingerprint={name}={_fingerprint(key)}" for name, key in [("admin1", keys.admin), ("gpu2", keys.gpu)]]
    assert provision("trust", *given).code == 0


def test_a_command_runs_at_the_end_of_the_way_and_its_status_is_passed_on(provision):
    provision("trust", "--yes")
    done = provision("ssh", "gpu2", "--", "sh", "-c", 'printf "%s|" "$@"; exit 7', "x", "a  b", "c'd", "$HOME", "*", "")
    assert (done.code, done.out) == (7, "a  b|c'd|$HOME|*||"), done.err


def test_what_the_command_reads_and_writes_is_ours(provision):
    provision("trust", "--yes")
    done = provision("ssh", "gpu2", "--", "sh", "-c", "cat; echo bad >&2", stdin="from here\n")
    assert (done.code, done.out, done.err) == (0, "from here\n", "bad\n")


def test_a_failure_of_ssh_itself_is_explained(provision):
    done = provision("ssh", "admin1", "--", "true")
    assert done.code == 255
    assert "Host key verification failed" in done.err
    assert "provision doctor admin1" in done.err


def test_a_failure_on_the_way_to_the_second_hop_is_explained_by_us(provision):
    done = provision("ssh", "gpu2", "--", "true")
    assert done.code == 3
    assert "is not known; not connecting" in done.err


def test_without_an_ssh_program_commands_still_run(provision, tmp_path):
    provision("trust", "--yes")
    (tmp_path / "empty").mkdir()
    done = provision(
        "ssh", "gpu2", "--", "sh", "-c", 'printf "<%s>" "$1"; exit 5', "x", "a  b", PATH=str(tmp_path / "empty")
    )
    assert (done.code, done.out) == (5, "<a  b>"), done.err
    refused = provision("ssh", "gpu2", PATH=str(tmp_path / "empty"))
    assert refused.code == 2
    assert "no ssh program" in refused.err


def test_this_machine_needs_no_ssh(provision):
    done = provision("ssh", "here", "-a", "0123", "--", "true")
    assert (done.code, "is this machine" in done.err) == (2, True)


def test_the_user_s_configuration_is_read_below_ours(provision, place):
    provision("trust", "--yes")
    (place.home / ".ssh/config").write_text("Host *\n  SetEnv FROM=user\n  User nobody\n  Port 1\n")
    (place.home / ".ssh/config").chmod(0o600)
    done = provision("ssh", "gpu2", "--", "true")
    assert done.code == 0, done.err
    assert place.gpu.observed.auth_attempts[-1] == "0123"


def test_the_written_configuration_works_with_ssh_itself(provision, place):
    provision("trust", "--yes")
    assert provision("ssh-config", "--write").code == 0
    done = subprocess.run(
        [shutil.which("ssh"), "-F", place.home / ".ssh/config", "-o", "BatchMode=yes", "scupi-gpu2", "echo there"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "there\n"), done.stderr


def test_the_printed_text_is_what_would_be_written(provision, place):
    printed = provision("ssh-config").out
    target = place.home / "other"
    assert provision("ssh-config", "--write", str(target)).code == 0
    assert printed in target.read_text()
    assert provision("ssh-config", "--remove", str(target)).code == 0
    assert target.read_text() == ""


@pytest.mark.parametrize("arguments", [("--write", "--remove"), ("somewhere",)])
def test_contradictions_are_refused(provision, arguments):
    assert provision("ssh-config", *arguments).code == 2
