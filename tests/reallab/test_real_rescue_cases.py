"""`provision rescue` where more is in the way than one line of ~/.bashrc, over a real sshd."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # whatever pytest's import mode
sys.path.insert(1, str(Path(__file__).parents[1] / "transport"))

from hostile_logins import MINE, PROFILE
from login_farm import farming, installed, write
from newcomer import Newcomer

GUARD = "case $- in\n  *i*) ;;\n  *) return ;;\nesac\n"
"""What Debian's ~/.bashrc begins with: below it only shells for a person read on."""

_FILES: dict[str, dict[str, str]] = {
    "healthy": {".bashrc": MINE, ".profile": PROFILE.decode(), ".bash_logout": "clear\n"},
    "sourced": {
        ".bashrc": MINE + "if [ -f ~/.aliases ]; then\n  . ~/.aliases\nfi\n",
        ".aliases": "alias a=b\nexit 1\n",
    },
    "several": {".bashrc": f"echo hi\n{MINE}export PATH=\ncat\nexit\n"},
    "linked": {"dotfiles/bashrc": f"{MINE}exit\n"},
    "profile": {".bashrc": MINE, ".bash_profile": f"{MINE}exit 7\n", ".profile": "exit 8\n"},
    "person": {".bashrc": f"{MINE}{GUARD}export PATH=/opt/git/bin\n"},
    "own-shell": {".bashrc": f"{MINE}{GUARD}exec zsh -f\n"},
    "ours": {
        ".bashrc": "# BEGIN provision: environment\nexit 5\n# END provision: environment\n" + MINE,
    },
    "looked-at": {".bashrc": f"{MINE}exit 3\n"},
    "restored": {".bashrc": f"{MINE}echo hi\n"},
    "not-asked": {".bashrc": f"{MINE}echo hi\n"},
    "aside": {".bashrc.aside-for-rescue": f"{MINE}exit 3\n"},
    "whole": {".bashrc": f"{MINE}if true; then\n  echo one\n  exit 2\nfi\n{MINE}"},
}


@pytest.fixture(scope="module")
def farm():
    """The accounts of `_FILES`."""
    with farming([(name, installed("bash")) for name in _FILES]) as farm:
        for name, files in _FILES.items():
            _make_folder(farm.home(name) / "dotfiles")
            for file, text in files.items():
                write(farm, name, file, text.encode())
        (farm.home("linked") / ".bashrc").symlink_to("dotfiles/bashrc")
        yield farm


def _make_folder(path):
    path.mkdir()
    os.chown(path, path.parent.stat().st_uid, path.parent.stat().st_gid)


@pytest.fixture
def rescue(tmp_path):
    """`rescue(farm, account, *options)`: the real command, its exit code and its lines."""
    home = tmp_path / "home"
    home.mkdir()
    person = Newcomer(home, tmp_path / "lab", tmp_path)

    def run(farm, account, *options):
        inventory = tmp_path / "inventory.yaml"
        inventory.write_text(farm.inventory([account], 4))
        return person.run("rescue", account, "-i", inventory, *options)

    return run


def _steps(ended, kind):
    return [step for step in map(json.loads, ended.stdout.splitlines()) if step["step"] == kind]


def test_nothing_is_wrong_with_a_healthy_account_and_nothing_is_written(farm, rescue):
    home = farm.home("healthy")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in home.rglob("*")}
    done = rescue(farm, "healthy", "--yes")
    assert done.code == 0, done.stdout + done.stderr
    assert "nothing is wrong" in done.stdout
    assert "a fresh login on admin1 over every hop" in done.stdout
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in home.rglob("*")} == before


def test_the_guilty_line_is_found_in_the_file_that_is_sourced(farm, rescue):
    done = rescue(farm, "sourced", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    (found,) = _steps(done, "Finding")
    assert (found["path"], found["first"], found["text"]) == (str(farm.home("sourced") / ".aliases"), 2, "exit 1")
    assert (farm.home("sourced") / ".bashrc").read_text() == _FILES["sourced"][".bashrc"]


def test_everything_that_is_wrong_in_a_file_is_shown_at_once(farm, rescue):
    done = rescue(farm, "several", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    faults = {found["text"]: found["fault"] for found in _steps(done, "Finding")}
    assert faults == {"exit": "ends", "cat": "reads", "export PATH=": "path", "echo hi": "prints"}
    lines = (farm.home("several") / ".bashrc").read_text().splitlines(keepends=True)
    assert [line for line in lines if not line.startswith("# provision rescue ")] == MINE.splitlines(keepends=True)
    assert len(_steps(done, "Repaired")) == 1


def test_behind_a_link_the_file_itself_is_repaired(farm, rescue):
    done = rescue(farm, "linked", "--yes")
    assert done.code == 0, done.stdout + done.stderr
    home = farm.home("linked")
    assert (home / ".bashrc").is_symlink()
    assert (home / "dotfiles/bashrc.before-rescue-1").read_text() == f"{MINE}exit\n"


def test_a_file_that_only_logins_read_is_repaired_too_but_none_that_nobody_reads(farm, rescue):
    done = rescue(farm, "profile", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    (found,) = _steps(done, "Finding")
    assert (found["path"], found["occasion"]) == (str(farm.home("profile") / ".bash_profile"), "login")


def test_what_only_a_persons_shell_reads_is_repaired_too(farm, rescue):
    done = rescue(farm, "person", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    (found,) = _steps(done, "Finding")
    assert (found["text"], found["occasion"]) == ("export PATH=/opt/git/bin", "person")


def test_a_shell_that_a_person_has_chosen_is_left_alone(farm, rescue):
    done = rescue(farm, "own-shell", "--yes")
    assert "nothing is wrong" in done.stdout, done.stdout + done.stderr
    assert (farm.home("own-shell") / ".bashrc").read_text() == _FILES["own-shell"][".bashrc"]


def test_that_the_guilty_line_is_in_our_own_block_is_said(farm, rescue):
    done = rescue(farm, "ours", "--yes")
    assert done.code == 0, done.stdout + done.stderr
    assert "provision's own block" in done.stdout


def test_a_whole_compound_statement_is_taken_out(farm, rescue):
    done = rescue(farm, "whole", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    (found,) = _steps(done, "Finding")
    assert (found["first"], found["last"]) == (4, 7)


def test_a_file_that_somebody_has_moved_aside_is_repaired_and_put_back(farm, rescue):
    done = rescue(farm, "aside", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    home = farm.home("aside")
    assert (home / ".bashrc").read_text().startswith(f"{MINE}# provision rescue ")
    assert sorted(path.name for path in home.glob(".bashrc*")) == [".bashrc", ".bashrc.before-rescue-1"]


def test_a_dry_run_shows_what_is_wrong_and_changes_nothing(farm, rescue):
    done = rescue(farm, "looked-at", "--dry-run", "--yes", "--json")
    assert done.code == 1, done.stdout + done.stderr
    assert [found["text"] for found in _steps(done, "Finding")] == ["exit 3"]
    home = farm.home("looked-at")
    assert sorted(path.name for path in home.iterdir()) == [".bashrc", ".ssh", "dotfiles"]
    assert (home / ".bashrc").read_text() == _FILES["looked-at"][".bashrc"]


def test_without_consent_nothing_is_changed(farm, rescue):
    done = rescue(farm, "not-asked")
    assert done.code == 1, done.stdout + done.stderr
    assert (farm.home("not-asked") / ".bashrc").read_text() == _FILES["not-asked"][".bashrc"]


def test_a_rescue_can_be_taken_back(farm, rescue):
    path = farm.home("restored") / ".bashrc"
    assert rescue(farm, "restored", "--yes").code == 0
    repaired = path.read_text()
    assert repaired != _FILES["restored"][".bashrc"]
    assert rescue(farm, "restored", "--restore").code == 1  # it prints again, and the fresh login says so
    assert path.read_text() == _FILES["restored"][".bashrc"]
    assert Path(f"{path}.before-rescue-2").read_text() == repaired


@pytest.fixture(scope="module")
def strict():
    """A server as Debian configures it: SFTP by a program that the account's shell starts. It is lax about modes."""
    options = {"Subsystem": "sftp /usr/lib/openssh/sftp-server", "StrictModes": "no"}
    with farming([("lost", installed("bash")), ("open", installed("bash"))], **options) as farm:
        write(farm, "lost", ".bashrc", b"exit\n")
        write(farm, "lost", ".profile", PROFILE)
        write(farm, "open", ".bashrc", b"export A=1\n")
        farm.home("open").chmod(0o775)
        (farm.home("open") / ".ssh/authorized_keys").chmod(0o664)
        yield farm


def test_where_no_way_leads_in_the_lines_for_the_web_shell_are_shown(strict, rescue):
    done = rescue(strict, "lost", "--yes")
    assert done.code == 3, done.stdout + done.stderr
    assert done.stdout.count("not by") == 4
    assert "exec /bin/bash --noprofile --norc" in done.stderr
    assert (strict.home("lost") / ".bashrc").read_bytes() == b"exit\n"


def test_modes_that_sshd_does_not_accept_are_repaired(strict, rescue):
    done = rescue(strict, "open", "--yes", "--json")
    assert done.code == 0, done.stdout + done.stderr
    assert [(found["mode"], found["wanted"]) for found in _steps(done, "ModeFinding")] == [
        (0o775, 0o755),
        (0o664, 0o644),
    ]
    assert strict.home("open").stat().st_mode & 0o777 == 0o755


def test_between_two_real_nodes_with_one_home_gpu2_leads_in_as_well(lab, said, tmp_path):
    """Every hop's shell is broken; forwarding needs none, and one repair helps both."""
    said(lab, "admin1", "cp -p ~/.bashrc ~/.bashrc.test 2>/dev/null; echo 'exit 9' >>~/.bashrc", check=False)
    person = Newcomer(tmp_path, lab.directory, tmp_path)
    done = person.run("rescue", "-i", lab.inventory, "--node", "gpu2", "--yes")
    assert done.code == 0, done.stdout + done.stderr
    assert said(lab, "gpu2", "hostname") == "gpu2\n"
    said(lab, "admin1", "rm -f ~/.bashrc.before-rescue-1 ~/.bashrc; mv ~/.bashrc.test ~/.bashrc", check=False)
