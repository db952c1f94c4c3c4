"""Whoever sits at the terminal is asked there, and only there."""

import os
import pty
import subprocess
import sys
import termios

import pytest

PROGRAM = """
import sys
from scupi_provision.cli.person import terminal_person
from scupi_provision.errors import ProvisionError
from scupi_provision.transport.base import Hop
person = terminal_person({options})
try:
    answer = person.{call}
except ProvisionError as error:
    answer = error
print("answer:", repr(str(answer)))
"""
SECRET = 'secret(Hop("admin1", "a"), {question!r}, echo={echo})'


def _program(call, options=""):
    return [sys.executable, "-c", PROGRAM.format(call=call, options=options)]


def at_terminal(call, typed, options=""):
    """What is on the screen in the end."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, _program(call, options))
    said = b""
    try:
        while typed is not None and b"asks:" not in said and b"(yes/no)?" not in said:
            said += os.read(terminal, 4096)
        if typed is not None:
            while termios.tcgetattr(terminal)[3] & termios.ECHO and "echo=False" in call:
                pass  # the question is there a moment before the echo is off
            os.write(terminal, typed)
        while piece := os.read(terminal, 4096):
            said += piece
    except OSError:
        pass  # Linux says so when the other end of the terminal is closed
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return said.decode().replace("\r\n", "\n")


def without_terminal(call, options=""):
    done = subprocess.run(
        _program(call, options), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout, done.stderr


def test_a_secret_is_not_shown_while_it_is_typed():
    screen = at_terminal(SECRET.format(question="Verification code: ", echo=False), b"123456\n")
    assert screen.startswith("admin1 asks: Verification code: ")
    assert screen.count("123456") == 1
    assert "answer: '123456'" in screen


def test_what_may_be_seen_is_seen():
    screen = at_terminal(SECRET.format(question="Name of your pet:", echo=True), b"Rex\n")
    assert screen.startswith("admin1 asks: Name of your pet: Rex\n")
    assert "answer: 'Rex'" in screen


@pytest.mark.parametrize("echo", [True, False])
def test_an_end_of_input_is_no_answer(echo):
    screen = at_terminal(SECRET.format(question="Code:", echo=echo), b"\x04")
    assert "admin1 asked, and there was no answer" in screen


def test_a_host_cannot_control_the_terminal():
    question = "\x1b]52;c;aGk=\x07\x1b[2J\u202eCode\r\nnext line " + "x" * 9999
    screen = at_terminal(SECRET.format(question=question, echo=False), b"1\n")
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert "\nnext line" in screen
    assert len(screen) < 1000


def test_without_a_terminal_nobody_is_asked():
    out, _ = without_terminal(SECRET.format(question="Code:", echo=False))
    assert "asks for something that only you know" in out
    out, err = without_terminal('trusts(Hop("admin1", "a"), "SHA256:x (ssh-ed25519)")')
    assert (out, err) == ("answer: 'False'\n", "")


def test_a_key_is_shown_before_it_is_asked_about():
    screen = at_terminal('trusts(Hop("admin1", "192.0.2.1", 7092), "SHA256:x (ssh-ed25519)")', b"yes\n")
    assert "admin1 (192.0.2.1, port 7092) is not known yet" in screen
    assert screen.index("SHA256:x (ssh-ed25519)") < screen.index("(yes/no)?")
    assert "answer: 'True'" in screen


def test_who_has_said_yes_beforehand_is_still_shown_the_key():
    call = 'trusts(Hop("admin1", "a"), "SHA256:x (ssh-ed25519)")'
    out, err = without_terminal(call, "assume_yes=True")
    assert out == "answer: 'True'\n"
    assert "SHA256:x (ssh-ed25519)" in err
