"""Hosts as ssh reads them, and a block in a file of which every other byte is somebody else's."""

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.access.ssh_config import BEGIN, END, SshEntry, config_text, with_block, without_block
from scupi_provision.errors import InputError

SSH = shutil.which("ssh")
ENTRY = SshEntry("scupi-admin1", "admin1.example.edu", 7092, "0123", ("/k/id",), ("/k/known_hosts", "/k/more"))


def read_by_ssh(content, alias, folder, **environment):
    """The settings that ssh takes for `alias`: a list for each name."""
    file = folder / "config"
    file.write_bytes(content)
    done = subprocess.run(
        [SSH, "-F", file, "-G", alias],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    settings_ = {}
    for line in done.stdout.split("\n"):
        name, _, value = line.partition(" ")
        settings_.setdefault(name, []).append(value)
    return settings_


def test_ssh_takes_every_setting(tmp_path):
    taken = read_by_ssh(config_text([ENTRY]).encode(), "scupi-admin1", tmp_path)
    assert taken["hostname"] == ["admin1.example.edu"]
    assert taken["port"] == ["7092"]
    assert taken["user"] == ["0123"]
    assert taken["identityfile"] == ["/k/id"]
    assert taken["identitiesonly"] == ["yes"]
    assert taken["userknownhostsfile"] == ["/k/known_hosts /k/more"]
    assert taken["stricthostkeychecking"] == ["ask"]
    assert taken["forwardagent"] == ["no"]
    assert "proxyjump" not in taken


def test_a_host_behind_another_is_reached_by_its_alias(tmp_path):
    taken = read_by_ssh(config_text([SshEntry("a", "gpu2", 22, "u", jump="b-1")]).encode(), "a", tmp_path)
    assert taken["proxyjump"] == ["b-1"]


def test_pinned_keys_are_looked_for_under_the_alias(tmp_path):
    entry = SshEntry("scupi-gpu2", "gpu2", 22, "u", host_keys=("ssh-ed25519 AAAA",))
    assert read_by_ssh(config_text([entry]).encode(), "scupi-gpu2", tmp_path)["hostkeyalias"] == ["scupi-gpu2"]


def test_a_command_that_goes_on_arrives_as_it_is(tmp_path):
    entry = SshEntry("a", "admin1", 22, "u", remote_command="ssh -t 'gpu 2' 100%", remark="two\nlines")
    taken = read_by_ssh(config_text([entry]).encode(), "a", tmp_path)
    assert taken["remotecommand"] == ["ssh -t 'gpu 2' 100%"]
    assert taken["requesttty"] == ["true"]


PATHS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='\x7f"'), min_size=1, max_size=12
)


@given(name=PATHS)
@settings(max_examples=60, deadline=None)
def test_any_path_is_refused_or_reaches_ssh_exactly(tmp_path_factory, name):
    path = f"/keys/{name}/id"
    try:
        text = config_text([SshEntry("a", "h", 22, "u", (path,), (path, "/known"))])
    except InputError:
        return
    taken = read_by_ssh(text.encode(), "a", tmp_path_factory.mktemp("ssh"))
    assert [value.replace("%%", "%") for value in taken["identityfile"]] == [path]
    assert [value.replace("%%", "%") for value in taken["userknownhostsfile"]] == [f"{path} /known"]


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/a${HOME}b", "/a\\\\b", "/a\\'b", "/a\\"])
def test_what_no_quoting_carries_is_refused(path):
    with pytest.raises(InputError, match="cannot be written in an ssh configuration"):
        config_text([SshEntry("a", "h", 22, "u", (path,))])


WHAT_PEOPLE_HAVE = [
    b"",
    b"ServerAliveInterval 5\n",
    b"User global\n\nHost *\n  User star\n  Port 99\n",
    b"# mine\r\nHost x\r\n  User y\r\n",
    b"Host x\n\tUser y",
    b"\n\n\n",
    b"# caf\xe9, latin-1\nHost x\n",
]


@pytest.mark.parametrize("theirs", WHAT_PEOPLE_HAVE)
def test_the_block_comes_and_goes_and_leaves_no_trace(theirs):
    once = with_block(theirs, "Host a\n  Port 1\n")
    assert without_block(once) == theirs
    assert with_block(once, "Host a\n  Port 1\n") == once
    assert without_block(with_block(once, "Host b\n")) == theirs
    assert (b"\r\n" in once) == (b"\r\n" in theirs)
    assert b"\r\n" not in theirs or once.count(b"\n") == once.count(b"\r\n")


@given(st.binary(max_size=200).filter(lambda text: b"\0" not in text and b"provision" not in text))
def test_every_other_byte_is_kept(theirs):
    try:
        once = with_block(theirs, config_text([ENTRY]))
    except InputError:
        assert theirs[:2] in {b"\xef\xbb", b"\xff\xfe", b"\xfe\xff"}
        return
    assert once.endswith(theirs)
    assert without_block(once) == theirs


@given(st.lists(st.sampled_from(["Host q", "  User z", "# c", "", "Host *"]), max_size=5), st.booleans())
def test_a_block_that_was_moved_is_replaced_where_it_stands(lines, finished):
    above = "".join(f"{line}\n" for line in lines).encode()
    block = with_block(b"", "Host a\n")
    below = b"Host below\n" if finished else b"Host below"
    after = with_block(above + block + below, "Host b\n")
    assert after.startswith(above)
    assert after.endswith(below)
    assert without_block(after) == above + below


def test_what_stands_below_applies_to_every_host_as_before(tmp_path):
    theirs = b"ConnectTimeout 7\nHost *\n  User star\n  Port 99\n  ForwardAgent yes\n  IdentityFile /theirs\n"
    both = with_block(theirs, config_text([ENTRY]))
    for alias in ("elsewhere", "admin1.example.edu"):
        assert read_by_ssh(both, alias, tmp_path) == read_by_ssh(theirs, alias, tmp_path)
    ours = read_by_ssh(both, "scupi-admin1", tmp_path)
    assert (ours["user"], ours["port"], ours["forwardagent"]) == (["0123"], ["7092"], ["no"])
    assert ours["connecttimeout"] == ["7"]


@pytest.mark.parametrize(
    "torn",
    [BEGIN + "\nHost a\n", END + "\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n", f"{BEGIN}\n{END}\n{END}\n"],
)
def test_a_torn_block_is_refused_with_its_lines(torn):
    with pytest.raises(InputError, match="not whole") as caught:
        with_block(torn.encode(), "Host a\n")
    assert "lines" in caught.value.diagnostic.detail
    with pytest.raises(InputError, match="not whole"):
        without_block(torn.encode())


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfHost a\n", "Host a\n".encode("utf-16"), b"Host a\0\n"])
def test_a_file_that_ssh_cannot_read_is_refused(content):
    with pytest.raises(InputError, match="byte order mark or as UTF-16"):
        with_block(content, "Host a\n")
