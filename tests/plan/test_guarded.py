"""Which steps the lockout guard watches: known from the plan alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from plays import Plays
from scupi_provision.access.shell_files import ALL_NAMES
from scupi_provision.host.memory import HOME, Node
from scupi_provision.plan.guarded import guarded_paths, with_guards
from scupi_provision.plan.stream import stream_of
from scupi_provision.shell.actions import Extract, Fetch, Link, Mkdir, Remove, Run, SetMode, Touch, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.login import START_UP_FILES


def names(*actions: object) -> list[str]:
    return [one.path.removeprefix(f"{HOME}/") for one in guarded_paths(actions, None, HOME)]  # type: ignore[arg-type]


def test_what_a_rescue_would_repair_is_guarded():
    """Two rooms know such files, each with what it needs to know of them."""
    assert {name for name in ALL_NAMES if not name.startswith(".ssh/")} <= set(START_UP_FILES)


@pytest.mark.parametrize(
    "name", [*START_UP_FILES, ".ssh/authorized_keys", ".ssh/config", ".ssh/rc", ".ssh/environment"]
)
def test_every_file_that_decides_about_logins_is_guarded(name: str) -> None:
    assert names(WriteFile(f"{HOME}/{name}", b"", 0o600)) == [name]
    assert names(Remove(f"{HOME}/{name}"), Link(f"{HOME}/{name}", "x")) == [name]


def test_so_are_the_modes_of_the_home_and_of_its_ssh_folder() -> None:
    assert names(SetMode(HOME, 0o777), Mkdir(f"{HOME}/.ssh", 0o700)) == [HOME, ".ssh"]
    assert guarded_paths([Remove(f"{HOME}/.ssh", recursive=True)], None, HOME)[0].whole
    assert not guarded_paths([SetMode(HOME, 0o700)], None, HOME)[0].whole, "a home is never copied"


def test_so_is_what_new_shells_read_of_ours() -> None:
    assert names(Link(f"{HOME}/.provision/current", "gen/2")) == [".provision/current"]


@pytest.mark.parametrize(
    "name", [".bash_history", "bashrc", ".bashrc.d/x", "x/.bashrc", ".sshx", ".provision/gen/1/env.sh"]
)
def test_other_files_are_not(name: str) -> None:
    path = f"{HOME}/{name}"
    assert names(WriteFile(path, b"", 0o600), Fetch(("http://x/y",), path, 0o644)) == []


def test_a_touch_that_changes_nothing_but_times_is_not() -> None:
    there = Entry(Kind.FILE, 0o644, 1, "0" * 64)
    assert names(Touch(f"{HOME}/.bashrc", 0o644, there)) == []
    assert names(Touch(f"{HOME}/.bashrc", 0o600, there)) == [".bashrc"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo exit >>~/.bashrc", [".bashrc"]),
        ('sed -i s/a/b/ "$HOME/.zshrc" $HOME/.profile', [".zshrc", ".profile"]),
        ("ls /etc/profile; cat foo.bashrc .bashrc.d/x .bashrcs", []),
        ("conda init bash", list(START_UP_FILES)),
        ("conda install numpy; git init", []),
        (
            "ssh-keygen -f ~/.ssh/id_new",
            [".ssh", ".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/config", ".ssh/rc", ".ssh/environment"],
        ),
        ("make install", []),
    ],
)
def test_a_program_is_guarded_where_its_text_names_such_a_file(text: str, expected: list[str]) -> None:
    assert names(Run(("/bin/sh", "-c", text))) == expected
    assert names(Run(("/bin/sh",), stdin=text.encode())) == expected


def test_a_program_that_says_what_it_writes_is_taken_at_its_word() -> None:
    command = ("/bin/sh", "-c", "cat ~/.bashrc")
    assert names(Run(command, writes=(f"{HOME}/tools",))) == []
    assert names(Run(command, writes=(f"{HOME}/.ssh",)))[0] == ".ssh"
    assert ".bashrc" in names(Run(command, writes=(HOME,)))
    assert ".bashrc" in names(Extract(f"{HOME}/x.tar", HOME))


def test_a_file_behind_a_link_of_such_a_name_is_guarded(tmp_path: Path) -> None:
    """As those have it who keep their dotfiles in a repository."""
    plays = Plays(tmp_path)
    plays.memory.put(f"{HOME}/dotfiles/bashrc", b"mine=1\n")
    plays.memory.nodes[f"{HOME}/.bashrc"] = Node(Kind.LINK, target="dotfiles/bashrc")
    plan = plays.check("- lineinfile: {path: ~/.bashrc, line: x}\n- copy: {dest: ~/other, content: x}\n")
    stream = with_guards(stream_of(plan.steps), plan.steps, HOME, 7)
    assert [turn.guarded[0].path if turn.guarded else None for turn in stream] == [f"{HOME}/dotfiles/bashrc", None]
    assert stream[0].guard_s == 7


def test_a_guarded_program_is_waited_for(tmp_path: Path) -> None:
    """What it has written must be known before anything else is done."""
    long = Run(("/bin/sh", "-c", "x"), durable_key="k", writes=(f"{HOME}/.ssh/x", f"{HOME}/.ssh"))
    (turn,) = with_guards([Turn(0, (long,), aside=True)], [], HOME, 90)
    assert turn.guarded
    assert not turn.aside
