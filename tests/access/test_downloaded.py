"""A downloaded key is repaired in a copy of it, and what cannot be repaired is named with what to do."""

import shutil
import subprocess
from types import SimpleNamespace

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.access.downloaded import is_same_key, read_downloaded
from scupi_provision.access.keys import check_private_key
from scupi_provision.errors import InputError

ED25519 = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
KEYS = {"ed25519": ED25519, "rsa": RSA, "ecdsa": ECDSA}
FORMATS = ("openssh", "pkcs1-pem", "pkcs8-pem")
WRITTEN = {
    f"{name} {form}": (key, key.export_private_key(form))
    for name, key in KEYS.items()
    for form in FORMATS
    if (name, form) != ("ed25519", "pkcs1-pem")  # there is no such thing
}
DAMAGES = {
    "none": lambda content: content,
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "windows line ends": lambda content: content.replace(b"\n", b"\r\n"),
    "old mac line ends": lambda content: content.replace(b"\n", b"\r"),
    "no last line break": lambda content: content.rstrip(),
    "text around": lambda content: b"here is your key\n\n" + content + b"best wishes\n",
    "utf-16": lambda content: content.decode().encode("utf-16"),
    "windows and mark": lambda content: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n").rstrip(),
}


@pytest.fixture
def save(tmp_path):
    """Saves a file as browsers do, readable for everybody."""

    def write(content, name="id_rsa"):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(0o644)
        return path

    return write


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("written", WRITTEN)
def test_every_repaired_copy_is_a_key_that_ssh_takes(save, tmp_path, written, damage):
    """The same key, in a form that our strict look accepts; and the source keeps every byte."""
    key, content = WRITTEN[written]
    source = save(DAMAGES[damage](content))
    before = source.read_bytes()
    found = read_downloaded(source)
    copy = tmp_path / "copy"
    copy.write_bytes(found.content)
    copy.chmod(0o600)
    assert not check_private_key(copy).needs_passphrase
    assert found.public == " ".join(key.export_public_key().decode().split()[:2])
    assert found.fingerprint == key.get_fingerprint()
    assert bool(found.repairs) == (damage != "none" or "pkcs8" in written)
    assert source.read_bytes() == before


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs OpenSSH's ssh-keygen")
@pytest.mark.parametrize("damage", DAMAGES)
def test_openssh_reads_the_repaired_copy(save, tmp_path, damage):
    copy = tmp_path / "copy"
    copy.write_bytes(read_downloaded(save(DAMAGES[damage](WRITTEN["rsa pkcs8-pem"][1]))).content)
    copy.chmod(0o600)
    done = subprocess.run(["ssh-keygen", "-y", "-f", copy], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == RSA.export_public_key().decode().split()[:2]


def test_a_good_key_is_copied_byte_for_byte(save):
    content = WRITTEN["rsa pkcs1-pem"][1]
    found = read_downloaded(save(content))
    assert (found.content, found.repairs) == (content, ())
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem", "pkcs1-pem"])
def test_an_encrypted_key_stays_encrypted(save, form):
    options = {"rounds": 50} if form == "openssh" else {}
    content = RSA.export_private_key(form, "secret", **options)
    found = read_downloaded(save(content.replace(b"\n", b"\r\n")))
    assert (found.needs_passphrase, found.public, found.fingerprint) == (True, "", "")
    assert found.content == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (RSA.export_public_key(), "is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\n", "PuTTY"),
        (WRITTEN["rsa openssh"][1][:300], "cut off"),
        (WRITTEN["rsa pkcs1-pem"][1].replace(b"\n", b" "), "lost its line breaks"),
        (b"<html>please log in</html>", "is not a private key"),
        (b"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n", "DSA"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "public key"),
        (b"", "is empty"),
    ],
    ids=range(8),
)
def test_what_cannot_be_repaired_is_refused_with_advice(save, content, words):
    with pytest.raises(InputError) as refused:
        read_downloaded(save(content))
    assert words in refused.value.diagnostic.summary
    assert refused.value.diagnostic.hint


def test_damage_inside_is_found_before_anybody_logs_in(save):
    """The armour is whole, and one character of the key is another one."""
    lines = WRITTEN["rsa pkcs1-pem"][1].split(b"\n")
    lines[1] = lines[1].swapcase()
    with pytest.raises(InputError, match="damaged"):
        read_downloaded(save(b"\n".join(lines)))


@pytest.mark.parametrize("kind", ["dsa", "x25519", "koblitz"])
def test_keys_of_types_that_ssh_does_not_use_are_refused(save, kind):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519

    make = SimpleNamespace(
        dsa=lambda: dsa.generate_private_key(1024),
        x25519=x25519.X25519PrivateKey.generate,
        koblitz=lambda: ec.generate_private_key(ec.SECP256K1()),
    )
    content = getattr(make, kind)().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(InputError, match="type that ssh does not use"):
        read_downloaded(save(content))


def test_the_same_key_is_known_in_every_format():
    for key, one in WRITTEN.values():
        for other_key, other in WRITTEN.values():
            assert is_same_key(one, other) is (key is other_key)
    assert not is_same_key(b"x", b"y")


@given(st.binary(max_size=400))
def test_no_content_is_a_crash(content):
    """Whatever somebody downloads: a key or an explanation."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        path.write_bytes(b"-----BEGIN RSA PRIVATE KEY-----\n" + content + b"\n-----END RSA PRIVATE KEY-----\n")
        with pytest.raises(InputError):
            read_downloaded(path)
