"""A fresh login's question, put to every kind of shell that an account may have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from scupi_provision.shell.login import LoginAnswer, login_body, login_command, read_answer

MARK = "provision-mark"
WELL = LoginAnswer(ran=True, finds=True, noise="", login=True, person=True, complaint="", ended=True)


@pytest.fixture(params=["dash", "bash", "mksh", "busybox", "zsh", "tcsh", "fish"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A shell, as the account's."""
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    if request.param == "busybox":
        (tmp_path / "ash").symlink_to(found)
        return str(tmp_path / "ash")
    return found


def ask(program: str, home: Path, **environment: str) -> LoginAnswer:
    """As sshd does it: the shell, `-c`, one command."""
    body = login_body(MARK, 3)
    done = subprocess.run(
        [program, "-c", login_command(MARK, body)],
        input=body,
        capture_output=True,
        cwd=home,
        env={"HOME": str(home), "SHELL": program, "PATH": os.defpath, **environment},
        start_new_session=True,
        check=False,
        timeout=30,
    )
    return read_answer(MARK, done.stdout.decode(), done.stderr.decode())


def test_every_shell_understands_the_question(program: str, home: Path) -> None:
    assert ask(program, home) == WELL


def test_every_shell_tells_of_a_spoilt_path(program: str, home: Path) -> None:
    """Given to it ready-made, as a start-up file leaves it."""
    answer = ask(program, home, PATH="/nowhere")
    assert answer.ran
    assert not answer.finds or Path(program).name == "ash"  # busybox has `sh` and `ls` in itself


@pytest.mark.parametrize(
    ("shell", "name", "text"),
    [
        ("zsh", ".zshenv", "export PATH=/nowhere"),
        ("zsh", ".zprofile", "exit"),
        ("tcsh", ".login", "setenv PATH /nowhere"),
        ("mksh", ".profile", "exit"),
        ("dash", ".profile", "PATH=/nowhere"),
        ("fish", ".config/fish/config.fish", "set -gx PATH /nowhere"),
    ],
)
def test_what_a_login_shell_reads_is_seen(home: Path, shell: str, name: str, text: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(text + "\n")
    answer = ask(program, home)
    assert not (answer.finds and answer.login and answer.person and answer.ran)


def test_a_mark_that_a_shell_only_repeats_is_no_answer(home: Path) -> None:
    """`set -v` has a shell print what it reads."""
    (home / ".bash_profile").write_text("set -v\nPATH=/nowhere\n")
    answer = ask("/bin/bash", home)
    assert not answer.login
    assert not answer.person
