"""Vaults in YAML: what is opened, what stays closed, and what an error may show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import InputError
from scupi_provision.masking import mask
from scupi_provision.source import implicit, read_document, read_text
from scupi_provision.values import LockedText, Secret, SecretSource, SecretTemplate
from scupi_provision.vault.format import sealed
from scupi_provision.vault.keyring import Key, Keyring, using

PASSWORD = b"correct horse"
KEYS = Keyring((Key("default", Secret(PASSWORD.decode())),))


@pytest.fixture(autouse=True)
def _fresh_mask():
    mask().forget()
    yield
    mask().forget()


def inline(text: str, name: str = "token") -> str:
    lines = sealed(text.encode(), PASSWORD).decode().splitlines()
    return f"{name}: !vault |\n" + "".join(f"  {line}\n" for line in lines)


def test_a_value_is_opened_and_masked():
    with using(KEYS):
        value = implicit(read_text("plain: 1\n" + inline("hunter {{ 2 }}"), "v.yml"))["token"]
    assert value == "hunter {{ 2 }}"
    assert type(value) is SecretSource
    assert (value.position.line, value.position.column) == (2, 8)
    assert mask().hide("say hunter {{ 2 }}") == "say ***"


@pytest.mark.parametrize("keys", [Keyring(), Keyring((Key("default", Secret("another")),))])
def test_a_value_that_stays_closed_is_read_all_the_same(keys):
    with using(keys):
        value = implicit(read_text(inline("hunter22"), "v.yml"))["token"]
    assert isinstance(value, LockedText)
    assert value.cause.diagnostic.where.line == 1
    assert value.cause.diagnostic.excerpt == "token: !vault |"
    assert "--vault-id LABEL@FILE" in value.cause.diagnostic.hint


@pytest.mark.parametrize("text", ["a: !vault\n", "a: !vault x\n", "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  xy\n"])
def test_a_damaged_value_is_refused_at_once(text):
    with using(KEYS), pytest.raises(InputError, match="damaged vault"):
        read_text(text, "v.yml")


def test_only_texts_are_vaults():
    with pytest.raises(InputError, match="one text, not for a list"):
        read_text("a: !vault [x]\n", "v.yml")


def test_every_value_of_a_file_that_is_a_vault_is_secret(tmp_path):
    path = tmp_path / "v.yml"
    path.write_bytes(
        sealed(b"a: hunter22\nb: [deep-one, {c: '{{ a }}'}]\nstate: present\nport: 22\non: yes\n", PASSWORD)
    )
    with using(KEYS):
        values = implicit(read_document(path))
    assert type(values["a"]) is SecretTemplate
    assert (values["state"], values["port"], values["on"]) == ("present", 22, True)
    assert mask().hide("hunter22, deep-one: present at 22, {{ a }}") == "***, ***: present at 22, {{ a }}"


def test_a_file_without_its_password_is_refused_by_name(tmp_path):
    path = tmp_path / "v.yml"
    path.write_bytes(sealed(b"a: 1\n", PASSWORD, "prod"))
    with pytest.raises(InputError, match=r'v\.yml is in a vault with the id "prod"') as caught:
        read_document(path)
    assert "--ask-vault-pass" in caught.value.diagnostic.hint


@given(st.text(alphabet="abc: -[]{}\n'\"&*!|>\t#%@", max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_error_shows_a_line_of_a_vault(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("vaults") / "v.yml"
    path.write_bytes(sealed(f"{text}\nSECRETLINE: [\n".encode(), PASSWORD))
    with using(KEYS), pytest.raises(InputError) as caught:
        read_document(path)
    for found in caught.value.diagnostics:
        assert found.excerpt == ""
        assert "SECRETLINE" not in f"{found.summary}{found.detail}{found.hint}"
