"""Keys are kept for their owner alone, whole or not at all, and none is ever overwritten unsaid."""

import os
import stat

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.access.authorized_keys import admits, with_line
from scupi_provision.access.kept_keys import as_written, keep_key, key_path, own_key_path
from scupi_provision.access.own_key import own_public_key
from scupi_provision.errors import InputError

ONE, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
CONTENT, CONTENT_OF_OTHER = (key.export_private_key("openssh") for key in (ONE, OTHER))
PUBLIC = " ".join(ONE.export_public_key().decode().split()[:2])


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def _modes(*paths):
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_a_new_key_is_its_owners_alone(home):
    old = os.umask(0)
    try:
        kept = keep_key(key_path("0123"), CONTENT)
    finally:
        os.umask(old)
    assert kept.path == home / ".ssh/scupi_0123"
    assert _modes(kept.path, kept.path.parent) == [0o600, 0o700]
    assert list(kept.path.parent.iterdir()) == [kept.path]
    kept.undo()
    assert list(kept.path.parent.iterdir()) == []


def test_the_same_key_again_changes_nothing_but_its_mode(home):
    path = keep_key(key_path("1"), CONTENT).path
    path.chmod(0o644)
    again = keep_key(path, ONE.export_private_key("pkcs8-pem"))
    assert (again.is_new, path.read_bytes(), _modes(path)) == (False, CONTENT, [0o600])
    again.undo()
    assert path.exists()


def test_another_key_is_refused_or_kept_beside(home):
    path = keep_key(key_path("1"), CONTENT).path
    with pytest.raises(InputError, match="another key") as refused:
        keep_key(path, CONTENT_OF_OTHER)
    assert "--replace" in refused.value.diagnostic.hint
    assert path.read_bytes() == CONTENT
    for number in ("", "1"):
        kept = keep_key(path, CONTENT_OF_OTHER, replace=True)
        assert kept.previous == path.with_name(f"scupi_1.replaced{number}")
        assert (kept.previous.read_bytes(), path.read_bytes()) == (CONTENT, CONTENT_OF_OTHER)
        kept.undo()
        assert path.read_bytes() == CONTENT
        path.with_name("scupi_1.replaced").write_bytes(b"of somebody")


def test_a_place_that_cannot_be_written_is_said(home):
    (home / ".ssh").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        keep_key(key_path("1"), CONTENT)


def test_the_inventory_names_keys_by_the_home(home):
    assert as_written(key_path("1")) == "~/.ssh/scupi_1"
    assert as_written(home.parent / "k") == str(home.parent / "k")


def test_a_key_of_ones_own_is_made_once(home):
    path = own_key_path("0123")
    public = own_public_key(path, "0123 (provision)")
    assert public.startswith("ssh-ed25519 ")
    assert public.endswith(" 0123 (provision)")
    assert path.with_name("scupi_0123_ed25519.pub").read_text() == f"{public}\n"
    assert _modes(path, path.parent) == [0o600, 0o700]
    before = path.read_bytes()
    assert own_public_key(path, "0123 (provision)") == public
    assert path.read_bytes() == before
    assert asyncssh.import_private_key(before).export_public_key().decode().split()[:2] == public.split()[:2]


def test_a_key_of_ones_own_that_was_encrypted_since_is_still_known(home):
    path = own_key_path("1")
    public = own_public_key(path, "c")
    path.write_bytes(asyncssh.read_private_key(path).export_private_key("openssh", "secret", rounds=50))
    assert own_public_key(path, "c") == public
    path.with_name(f"{path.name}.pub").unlink()
    with pytest.raises(InputError, match="public half"):
        own_public_key(path, "c")


@given(
    st.lists(st.sampled_from([b"ssh-rsa AAAA x", b"# c", b"", b'command="a b" ssh-rsa BBBB']), max_size=5),
    st.booleans(),
)
def test_a_line_more_leaves_the_others_as_they_are(lines, ended):
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    longer = with_line(content, PUBLIC)
    assert longer.startswith(content)
    assert longer.endswith(f"{PUBLIC}\n".encode())
    assert [line for line in longer.splitlines() if line] == [line for line in lines if line] + [PUBLIC.encode()]
    assert not admits(content, PUBLIC)
    assert admits(longer, PUBLIC)


def test_a_key_in_a_comment_is_not_let_in():
    assert not admits(f"# {PUBLIC}\n".encode(), PUBLIC)
    assert admits(f'from="10.0.0.1" {PUBLIC} me\r\n'.encode(), PUBLIC)
