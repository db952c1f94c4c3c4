"""Trying start-up files out, by every shell that may be /bin/sh: what becomes of a bash that has read them."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from scupi_provision.shell import rescuing
from scupi_provision.shell.rescuing import Trial

BASH = shutil.which("bash") or "/bin/bash"


@pytest.fixture
def attempt(session):
    """`attempt(text)`: the trial of a text by bash."""

    def made(text: str, occasion: str = "command", dialect: str = "bash", shell: str = BASH, limit_s: int = 3) -> Trial:
        trial = rescuing.tried(session.ask(rescuing.trial(text.encode(), occasion, dialect, shell, limit_s)))
        assert trial is not None
        return trial

    return made


WELL = Trial(0, late=False, alive=True, finds=True, next_line="provision-1", speaks=True, printed=b"", said="")


def test_a_shell_that_comes_through_can_do_all_that_a_command_needs(attempt):
    assert attempt("export A=1\n") == WELL
    assert attempt("alias ls=false echo=false; cd /; umask 777; set -u; (sleep 30; echo late) &\n") == WELL


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("exit 3\n", {"status": 3, "alive": False}),
        ("exec /nonexistent/zsh\n", {"status": 127, "alive": False}),
        ("export PATH=/nonexistent\n", {"alive": True, "finds": False}),
        ("echo hi\n", {"alive": True, "printed": b"hi\n"}),
        ("read a\n", {"alive": True, "next_line": "provision-2"}),
        ("cat >/dev/null\n", {"alive": True, "next_line": None, "late": False}),
        ("exec <&-\n", {"alive": True, "next_line": None}),
        ("exec >/dev/null\n", {"alive": True, "speaks": False}),
        ("while :; do :; done\n", {"alive": False, "late": True}),
        ("kill -STOP $$\n", {"alive": False, "late": True}),
        ("echo broken >&2; exit 1\n", {"alive": False, "said": "broken"}),
    ],
)
def test_what_becomes_of_a_shell_is_seen(attempt, text, changes):
    trial = attempt(text)
    assert {name: getattr(trial, name) for name in changes} == changes


def test_a_shell_that_prints_without_end_is_ended(attempt):
    begin = time.monotonic()
    trial = attempt("yes\n")
    assert len(trial.printed) <= 4096
    assert trial.printed.startswith(b"y\ny\n")
    assert time.monotonic() - begin < 10


def test_a_file_of_the_server_may_exit(attempt):
    assert attempt("exit 1\n", "server", "sh", "/bin/sh") == WELL
    assert attempt("echo hi\n", "server", "sh", "/bin/sh").printed == b"hi\n"


def test_a_shell_for_a_person_reads_below_the_guard(attempt):
    text = "case $- in\n  *i*) ;;\n  *) return ;;\nesac\nexit 5\n"
    assert attempt(text) == WELL
    assert attempt(text, "person").status == 5


def test_a_trial_leaves_nothing_behind(attempt, home):
    scratch = Path(attempt('echo "$BASH_SOURCE"\n').printed.decode().strip()).parent
    assert scratch.name.startswith("provision-rescue.")
    assert not scratch.exists()
    assert list(home.iterdir()) == []


def test_a_text_is_cut_only_where_it_is_whole(session):
    text = b"export A=1\nif true; then\n  A=2\nfi\ncat <<E\nx\nE\nf() {\n:\n}\n"
    parsed = rescuing.parsed(session.ask(rescuing.parse(text, "bash", BASH, 10)))
    assert [number for number, whole in enumerate(parsed.cuts, 1) if whole] == [1, 4, 7, 10]
    assert parsed.complaint == ""


def test_what_the_parser_says_of_a_broken_text_comes_back(session):
    parsed = rescuing.parsed(session.ask(rescuing.parse(b"a=1\nexport P=/x (y)\n", "bash", BASH, 2)))
    assert parsed.cuts == (True, False)
    assert "line 2: syntax error" in parsed.complaint
