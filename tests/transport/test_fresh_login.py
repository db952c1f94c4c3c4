"""A fresh login over OpenSSH's own server: what it finds, in which shell, with which SFTP server."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

import pytest
from loopback import SSHD, openssh_server
from scupi_provision.run.fresh_login import Trouble, fresh_login
from scupi_provision.transport.base import Nobody

LIMIT_S = 2.0
_SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")

pytestmark = pytest.mark.skipif(not SSHD.exists(), reason="openssh-server is not installed")


@pytest.fixture
def login(tmp_path, keys, key_file, hop, known_hosts):
    """`login(files, subsystem=…)`: a fresh login to an account whose home holds these start-up files."""

    def log_in(files=None, subsystem="internal-sftp", limit_s=LIMIT_S, **changes):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (home / name).write_text(text)
        options = {"SetEnv": f"HOME={home}", "Subsystem": f"sftp {subsystem}"}
        if subsystem is None:
            del options["Subsystem"]
        folder = tmp_path / f"sshd-{time.monotonic_ns()}"
        with openssh_server(folder, key_file(keys.host, "host"), keys.user, **options) as port:
            known = known_hosts((port, keys.host))
            changes.setdefault("user", getpass.getuser())
            return fresh_login((hop(port, known, **changes),), Nobody(), limit_s=limit_s)

    return log_in


def test_an_account_without_any_files_is_well(login):
    found = login()
    assert (found.problem, found.noise, found.sftp, found.trouble) == ("", "", True, Trouble.NONE)
    assert 0 < found.seconds < 10


def test_no_sftp_at_all_is_no_problem(login):
    found = login(subsystem=None)
    assert (found.problem, found.sftp) == ("", None)


def test_sftp_by_a_program_goes_through_the_start_up_files(login):
    """They print ahead of its greeting, which no client understands."""
    assert login(subsystem=_SFTP_SERVER).sftp is True
    found = login({".bashrc": "echo hello\n"}, subsystem=_SFTP_SERVER)
    assert found.sftp is False
    assert found.trouble is Trouble.NO_SFTP
    assert "'hello'" in found.problem


def test_an_sftp_server_that_is_not_there(login):
    found = login(subsystem="/no/such/server")
    assert (found.sftp, found.trouble) == (False, Trouble.NO_SFTP)


@pytest.mark.parametrize(
    ("files", "trouble"),
    [
        ({".bashrc": "exit 0\n"}, Trouble.NO_SHELL),
        ({".bashrc": "exec sleep 30\n"}, Trouble.NO_SHELL),
        ({".bashrc": "export PATH=\n"}, Trouble.LOST_PATH),
        ({".bashrc": "unset PATH\n"}, Trouble.LOST_PATH),
        ({".bashrc": "echo hello >&2\n"}, Trouble.NOISY),
        ({".bashrc": "case x in\n"}, Trouble.NOISY),
        ({".bashrc": "cat >/dev/null\n"}, Trouble.NO_SHELL),
        ({".bash_profile": "PATH=/nowhere\n"}, Trouble.LOGIN_SHELL),
        ({".bash_profile": "sleep 30\n"}, Trouble.LOGIN_SHELL),
        ({".bash_profile": "case x in\n"}, Trouble.NOISY),
        ({".bash_profile": "case $- in *i*) exit ;; esac\n"}, Trouble.LOGIN_SHELL),
        ({".bash_profile": "echo welcome\n"}, Trouble.NONE),
        ({".bashrc": '[ -z "$PS1" ] && return\necho hello\n'}, Trouble.NONE),
        ({".bash_profile": "case $- in *i*) exec dash ;; esac\n"}, Trouble.NONE),
        ({".bash_logout": "clear\n"}, Trouble.NONE),
    ],
)
def test_what_start_up_files_do_to_a_login(login, files, trouble):
    assert login(files).trouble is trouble


def test_endless_noise_is_not_read_for_ever(login):
    found = login({".bashrc": "yes\n"})
    assert found.trouble is Trouble.NO_SHELL
    assert len(found.problem) < 1000


def test_a_key_that_is_not_accepted_any_more(login, keys, key_file):
    found = login(key_files=(key_file(keys.stranger, "stranger"),))
    assert found.trouble is Trouble.NO_LOGIN
    assert "does not let user" in found.problem


def test_it_leaves_no_history_behind(login, tmp_path):
    files = {".bashrc": "HISTFILE=~/.history; PROMPT_COMMAND='history -a'\n", ".bash_profile": ". ~/.bashrc\n"}
    assert login(files).trouble is Trouble.NONE
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == sorted(files)
