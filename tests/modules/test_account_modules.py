"""known_hosts, authorized_key, git_config: files that decide about logins and git, read and written as text."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.git_settings import normal_name, settings
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.entry import Kind

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIEvLAZH1ZrVhYKyZJGPxqgPwVSzBDFYjNYAqXQ4PUJ2x"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIFP8NyjD2c1q0z0zKqj4yQ9z8o3rWc6sC5yE7yqkS8Xv"


def host(**files):
    nodes = {f"{HOME}/{name}": Node(Kind.FILE, content=text.encode()) for name, text in files.items()}
    return MemoryHost({f"{HOME}/.ssh": Node(Kind.DIRECTORY, 0o700), **nodes})


def applied(memory, called, /, **args):
    module = MODULES[called]
    parsed = module.args.model_validate(args)
    plan, performed = apply_on(memory, lambda view: module.plan(parsed, view))
    assert performed.outcome == "done", performed.why
    return plan.result


def planned(memory, called, /, **args):
    module = MODULES[called]
    parsed = module.args.model_validate(args)
    return plan_on(memory, lambda view: module.plan(parsed, view))


def text(memory, name):
    return memory.nodes[f"{HOME}/{name}"].content.decode()


@pytest.mark.parametrize("hashed", [False, True])
def test_a_host_key_is_added_once_and_removed_by_name(hashed):
    memory = host()
    args = {"name": "H.example", "key": f"h.example ssh-ed25519 {KEY}", "hash_host": hashed}
    assert applied(memory, "known_hosts", **args).changed
    assert not applied(memory, "known_hosts", **args).changed
    assert text(memory, ".ssh/known_hosts").startswith("|1|" if hashed else "h.example ")
    assert applied(memory, "known_hosts", name="h.example", state="absent").changed
    assert text(memory, ".ssh/known_hosts") == ""


def test_the_hash_of_a_host_is_one_that_openssh_makes(tmp_path):
    """`ssh-keygen -F` finds the line that we hash."""
    memory = host()
    applied(memory, "known_hosts", name="h.example", key=f"h.example ssh-ed25519 {KEY}", hash_host=True)
    (tmp_path / "kh").write_text(text(memory, ".ssh/known_hosts"))
    found = subprocess.run(
        ["ssh-keygen", "-F", "h.example", "-f", tmp_path / "kh"], capture_output=True, text=True, check=True
    )
    assert KEY in found.stdout


def test_another_key_of_the_same_kind_is_replaced_and_other_lines_stay():
    memory = host(**{".ssh/known_hosts": f"# mine\nh.example ssh-ed25519 {OTHER}\nh.example ssh-rsa AAAA\nx ssh-rsa B"})
    applied(memory, "known_hosts", name="h.example", key=f"h.example ssh-ed25519 {KEY}")
    assert text(memory, ".ssh/known_hosts") == (
        f"# mine\nh.example ssh-rsa AAAA\nx ssh-rsa B\nh.example ssh-ed25519 {KEY}\n"
    )


def test_a_key_of_another_host_is_refused():
    with pytest.raises(ValidationError, match="must name the same host"):
        planned(host(), "known_hosts", name="a", key=f"b ssh-ed25519 {KEY}")


def test_a_login_key_keeps_other_lines_and_its_modes():
    memory = MemoryHost({f"{HOME}/.ssh": Node(Kind.DIRECTORY, 0o755)})
    memory.put(f"{HOME}/.ssh/authorized_keys", f"# mine\nssh-ed25519 {OTHER} old".encode())
    args = {"user": "student", "key": f"ssh-ed25519 {KEY} me", "key_options": 'no-pty,command="a b"'}
    assert applied(memory, "authorized_key", **args).changed
    assert text(memory, ".ssh/authorized_keys") == (
        f'# mine\nssh-ed25519 {OTHER} old\nno-pty,command="a b" ssh-ed25519 {KEY} me\n'
    )
    modes = [memory.nodes[f"{HOME}/{name}"].mode for name in (".ssh", ".ssh/authorized_keys")]
    assert modes == [0o700, 0o600]
    assert not applied(memory, "authorized_key", **args).changed
    assert applied(memory, "authorized_key", user="student", key=args["key"], state="absent").changed
    assert text(memory, ".ssh/authorized_keys") == f"# mine\nssh-ed25519 {OTHER} old\n"


def test_exclusive_keys_and_keys_of_a_file():
    memory = host(**{".ssh/authorized_keys": f"ssh-ed25519 {OTHER} old\n", "keys": f"ssh-ed25519 {KEY} a\n# x\n"})
    applied(memory, "authorized_key", user="student", key=f"file://{HOME}/keys", exclusive=True)
    assert text(memory, ".ssh/authorized_keys") == f"ssh-ed25519 {KEY} a\n"


def test_others_accounts_and_keys_from_afar_are_refused():
    with pytest.raises(TaskFailedError, match="only root's own to change"):
        planned(host(), "authorized_key", user="root", key=f"ssh-ed25519 {KEY}")
    with pytest.raises(ValidationError, match="whoever serves it"):
        planned(host(), "authorized_key", user="student", key="https://x.example/keys")


# --- git_config -----------------------------------------------------------------------------------------------------


def test_a_setting_that_is_so_runs_nothing():
    memory = host(
        **{".gitconfig": '[User]\n\tNAME = "A ; b" # c\n[url "https://X/"]\n insteadOf = x:\n[core]\n\tbare\n'}
    )
    assert planned(memory, "git_config", name="user.name", value="A ; b", scope="global").record.actions == []
    assert (
        planned(memory, "git_config", name="url.https://X/.insteadof", value="x:", scope="global").record.actions == []
    )
    assert planned(memory, "git_config", name="core.bare", value="true", scope="global").record.actions == []
    (run,) = planned(memory, "git_config", name="user.name", value="B", scope="global").record.actions
    assert run.argv[-3:] == ("--replace-all", "user.name", "B")


def test_settings_of_the_system_are_refused():
    with pytest.raises(ValidationError, match="need root"):
        planned(host(), "git_config", name="a.b", value="c")


@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=20), sub=st.booleans())
def test_what_git_has_written_is_read_back(tmp_path_factory, value, sub):
    """Whatever git writes into a file, we read it as git does."""
    file = tmp_path_factory.mktemp("git") / "config"
    name = 'branch.we "ird.remote' if sub else "user.Name"
    subprocess.run(["git", "config", "--file", file, name, value], check=True)
    assert list(settings(file.read_text())) == [(normal_name(name), value)]


@pytest.mark.parametrize("name", ["user", "user.", ".name", "user.na me", "us er.name"])
def test_what_is_no_name_of_a_setting(name):
    with pytest.raises(ValueError, match="no name of a setting"):
        normal_name(name)
