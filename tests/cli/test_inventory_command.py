"""`provision inventory` as a person types it, without any host: what is written, what is refused, what is shown."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest
import typer
import yaml
from scupi_provision.cli.main import app
from typer.testing import CliRunner

INVENTORY = """\
# The cluster.
all:
  children:
    cluster:
      hosts:
        admin1:   # from outside
          ansible_host: 121.48.227.161
          ansible_port: 7092
        gpu2: {via: admin1}
  vars:
    site: "{{ 'scupi' }}"
"""
KEYS = [asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh") for _ in range(3)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with an inventory and a downloaded key, and an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    for number, content in enumerate(KEYS):
        path = tmp_path / f"id{number}"
        path.write_bytes(content)
        path.chmod(0o644)
    return SimpleNamespace(folder=tmp_path, inventory=tmp_path / "inventory.yaml", ssh=home / ".ssh")


@pytest.fixture
def provision(place):
    """`provision(*words)`: exit status, stdout and stderr of `provision inventory`."""

    def run(*words):
        done = CliRunner().invoke(app, ["inventory", *map(str, words)])
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def adds(provision):
    """`adds(id, *options)`: with the first key, and without a login."""

    def run(identifier, *options):
        keys = () if "--key" in options or "--from" in options else ("--key", "id0")
        return provision("add", *([identifier] if identifier else []), *keys, "--no-connect", *options)

    return run


# --- adding -----------------------------------------------------------------------------------------------------------


def test_one_command_writes_the_entry_and_keeps_the_key(place, adds):
    done = adds("0123456", "--group", "cs", "--name", "张三")
    assert done.code == 0, done
    assert place.inventory.read_text() == INVENTORY + (
        '\naccounts:\n  - id: "0123456"\n    key: ~/.ssh/scupi_0123456\n    name: 张三\n    groups: [cs]\n'
    )
    kept = place.ssh / "scupi_0123456"
    assert kept.read_bytes() == KEYS[0]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kept, place.ssh)] == [0o600, 0o700]
    assert [line.split("#")[0].strip() for line in done.out.splitlines()[-3:]] == [
        "provision ssh gpu2",
        "provision apply site.yaml",
        "provision ssh-config --write",
    ]


def test_the_next_steps_say_which_account_and_inventory(place, adds):
    place.inventory.rename(place.folder / "my cluster.yaml")
    adds("1", "-i", "my cluster.yaml")
    done = adds("2", "--key", "id1", "-i", "my cluster.yaml")
    assert "provision ssh gpu2 -a 2 -i 'my cluster.yaml'" in done.out
    assert "--limit 2 " in done.out


def test_the_same_account_again_changes_nothing(place, adds):
    adds("1")
    before = place.inventory.read_bytes()
    done = adds("1", "--group", "other")
    assert (done.code, "already" in done.out) == (0, True)
    assert place.inventory.read_bytes() == before


def test_another_key_is_refused_and_replaces_when_told_so(place, adds):
    adds("1", "--name", "A")
    before = place.inventory.read_bytes()
    refused = adds("1", "--key", "id1")
    assert (refused.code, "--replace" in refused.err) == (2, True)
    assert (place.inventory.read_bytes(), (place.ssh / "scupi_1").read_bytes()) == (before, KEYS[0])
    done = adds("1", "--key", "id1", "--replace")
    assert (done.code, "scupi_1.replaced" in done.out) == (0, True)
    assert (place.inventory.read_bytes(), (place.ssh / "scupi_1").read_bytes()) == (before, KEYS[1])
    assert (place.ssh / "scupi_1.replaced").read_bytes() == KEYS[0]


def test_a_key_that_is_in_its_place_already_is_used_there(place, adds):
    place.ssh.mkdir()
    kept = place.ssh / "scupi_1"
    kept.write_bytes(KEYS[0])
    done = adds("1", "--key", "~/.ssh/scupi_1")
    assert done.code == 0, done
    assert kept.read_bytes() == KEYS[0]


def test_repairs_are_told_and_the_source_stays(place, adds):
    source = place.folder / "id0"
    source.write_bytes(b"\xef\xbb\xbf" + KEYS[0].replace(b"\n", b"\r\n"))
    before = source.read_bytes()
    done = adds("1")
    assert "byte order mark taken off" in done.out
    assert "Windows line ends" in done.out
    assert ((place.ssh / "scupi_1").read_bytes(), source.read_bytes()) == (KEYS[0], before)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["my id", "--key", "id0"], "may only have"),
        (["~/Downloads/id_rsa", "--key", "id0"], "this is a path"),
        (["2.02114E+12", "--key", "id0"], "a spreadsheet"),
        (["-x", "--key", "id0"], "option"),
        (["admin1", "--key", "id0"], "name of a host"),
        (["1", "--key", "nowhere"], "does not exist"),
        (["1", "--key", "."], "is not a file"),
        (["1", "--key", "inventory.yaml"], "is not a private key"),
        (["1", "--key", "id0", "--group", "a b"], "may only have"),
        (["1", "--key", "id0", "--group", "gpu2", "--name", "a\x1bb"], "cannot be seen"),
        (["1"], "an id and a key"),
        ([], "an id and a key"),
        (["1", "--key", "id0", "--fingerprint", "SHA256:x"], "does not say whose"),
        (["1", "--key", "id0", "--fingerprint", "gpu=SHA256:x"], "gpu2"),
        (["1", "--key", "id0", "--fingerprint", "gpu2=MD5:x"], "no fingerprint"),
        (["1", "--key", "id0", "--from", "x.csv"], "leave out ID"),
        (["1", "--key", "id0", "--own-key", "--no-connect"], "--no-connect"),
    ],
    ids=range(17),
)
def test_bad_input_is_refused_before_anything_is_written(place, provision, words, told):
    done = provision("add", *words)
    assert done.code == 2, done
    assert told in done.err
    assert place.inventory.read_text() == INVENTORY
    assert not place.ssh.exists()


@pytest.mark.parametrize(
    "text",
    [
        "all:\n\thosts: {}\n",
        "all: [\n",
        "- a\n",
        "accounts: {a: 1}\n",
        "all: {hosts: {a: {via: b}}}\n",
        "",
        "[all]\nadmin1\n",
    ],
    ids=range(7),
)
def test_an_inventory_that_is_not_valid_is_refused(place, adds, text):
    place.inventory.write_text(text)
    done = adds("1")
    assert done.code == 2, done
    assert done.err.startswith("error: ")
    assert place.inventory.read_text() == text
    assert not place.ssh.exists()


def test_there_has_to_be_an_inventory(place, adds):
    place.inventory.unlink()
    done = adds("1")
    assert (done.code, "inventory.yaml" in done.err) == (2, True)


def test_a_read_only_inventory_is_left_alone(place, adds):
    place.inventory.chmod(0o444)
    done = adds("1")
    assert (done.code, "cannot be written" in done.err) == (2, True)
    assert not place.ssh.exists()


def test_a_link_to_the_inventory_stays_one(place, adds):
    real = place.folder / "elsewhere.yaml"
    place.inventory.rename(real)
    place.inventory.symlink_to("elsewhere.yaml")
    real.chmod(0o640)
    assert adds("1").code == 0
    assert place.inventory.is_symlink()
    assert "id: 1\n" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_the_login_comes_before_anything_is_written(place, provision):
    """Nothing listens there: no entry, no key."""
    place.inventory.write_text("all: {hosts: {admin1: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n")
    before = place.inventory.read_bytes()
    done = provision("add", "1", "--key", "id0", "--yes")
    assert (done.code, "1 was not added" in done.err) == (3, True)
    assert "--no-connect" in done.err
    assert place.inventory.read_bytes() == before
    assert list(place.ssh.iterdir()) == []


def test_json_tells_the_same(adds):
    (told,) = json.loads(adds("1", "--json").out)
    assert (told["id"], told["standing"], told["error"]) == ("1", "added", None)
    assert told["fingerprint"].startswith("SHA256:")


# --- many at once -----------------------------------------------------------------------------------------------------


def _roster(place, text, encoding="utf-8"):
    path = place.folder / "students.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_way_in_which_a_spreadsheet_saves_is_read(place, adds, encoding, delimiter, line_end):
    rows = [["id", "key", "name", "groups"], ["007", "id{id}", "张三", "cs ai"], ["2", "id1", '"王, 五; 六"', ""], []]
    (place.folder / "id007").write_bytes(KEYS[2])
    done = adds(None, "--from", _roster(place, line_end.join(map(delimiter.join, rows)), encoding), "-g", "class")
    assert done.code == 0, done
    accounts = yaml.safe_load(place.inventory.read_text())["accounts"]
    assert accounts == [
        {"id": "007", "key": "~/.ssh/scupi_007", "name": "张三", "groups": ["class", "cs", "ai"]},
        {"id": 2, "key": "~/.ssh/scupi_2", "name": "王, 五; 六", "groups": ["class"]},
    ]
    assert done.out.splitlines()[-1] == "2 accounts: 2 added"


def test_every_bad_line_is_reported_and_nothing_is_written(place, adds):
    """First the lines that cannot be read; and when all can, the people who cannot be added."""
    unreadable = "id,key,name\n1,id0,A\n,id0,D\n5,,F\n6,id0,G,too much\n"
    impossible = "id,key,name\n1,id0,A\n2 2,id0,B\n3,nowhere,C\n1,id0,E\n"
    for text, bad in ((unreadable, {3, 4, 5}), (impossible, {3, 4, 5})):
        done = adds(None, "--from", _roster(place, text))
        assert done.code == 2, done
        assert {number for number in range(1, 7) if f"students.csv:{number}:" in done.err} == bad
    assert place.inventory.read_text() == INVENTORY
    assert not place.ssh.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,id0\n2,id1\n", "heading"),
        ("id,keys\n1,id0\n", "key"),
        ("id,name\n1,A\n", "--key"),
        ("id,key\n", "names nobody"),
        ("", "names nobody"),
        ("id,key,id\n", "twice"),
        ("PK\x03\x04rest", "spreadsheet"),
    ],
    ids=range(7),
)
def test_a_list_that_is_none_is_refused(place, adds, text, told):
    done = adds(None, "--from", _roster(place, text))
    assert (done.code, told in done.err) == (2, True), done
    assert not place.ssh.exists()


def test_keys_may_be_named_by_a_pattern(place, provision):
    roster = _roster(place, "id\n0\n1\n")
    done = provision("add", "--from", roster, "--key", "id{id}", "--no-connect")
    assert done.code == 0, done
    assert (place.ssh / "scupi_1").read_bytes() == KEYS[1]


def test_three_hundred_students_take_seconds(place, adds):
    rows = "".join(f"{2021141520000 + number},id0\n" for number in range(300))
    started = time.monotonic()
    done = adds(None, "--from", _roster(place, f"id,key\n{rows}"))
    assert (done.code, time.monotonic() - started < 30) == (0, True)
    assert len(yaml.safe_load(place.inventory.read_text())["accounts"]) == 300
    again = adds(None, "--from", place.folder / "students.csv")
    assert again.out.splitlines()[-1] == "300 accounts: 300 there already"


# --- looking ----------------------------------------------------------------------------------------------------------


def test_the_list_tells_of_every_key(place, adds, provision):
    adds("1", "--name", "张三", "--group", "cs")
    adds("2")
    (place.ssh / "scupi_2").chmod(0o644)
    adds("3")
    (place.ssh / "scupi_3").unlink()
    done = provision("list")
    assert done.code == 0, done
    assert done.out.splitlines()[1].split() == ["1", "张三", "cs", "admin1,", "gpu2", "~/.ssh/scupi_1", "ok"]
    assert "chmod 600" in done.out
    assert "does not exist" in done.out
    assert [row["key_state"] == "ok" for row in json.loads(provision("list", "--json").out)] == [True, False, False]


def test_an_empty_list_says_how_to_begin(provision):
    assert "provision inventory add" in provision("list").out


def test_show_tells_layers_and_the_way(adds, provision):
    adds("007")
    done = provision("show", "gpu2")
    assert "admin1: 007@121.48.227.161 port 7092, key ~/.ssh/scupi_007" in done.out
    assert "of all" in done.out
    (host,) = json.loads(provision("show", "gpu2", "--json").out)
    assert host["layers"]["host"]["ansible_user"] == "007"
    assert host["layers"]["all"] == {"site": "{{ 'scupi' }}"}
    assert [hop["host"] for hop in host["way"]] == ["admin1", "gpu2"]
    assert [host["name"] for host in json.loads(provision("show", "007", "--json").out)] == ["007@admin1", "007@gpu2"]
    missing = provision("show", "gpu3")
    assert (missing.code, "gpu2" in missing.err) == (2, True)
    adds("2", "--key", "id1")
    assert provision("show", "gpu2").code == 2
    assert provision("show", "gpu2", "-a", "2").out.startswith("2@gpu2")


def test_the_graph_is_drawn_as_ansible_draws_it(adds, provision):
    adds("007", "--group", "cs")
    assert provision("graph").out.splitlines() == [
        "@all:",
        "  |--@cluster:",
        "  |  |--admin1",
        "  |  |--gpu2",
        "  |--@ungrouped:",
        "  |--@cs:",
        "  |  |--account 007",
    ]
    assert json.loads(provision("graph", "--json").out)["children"][0]["hosts"] == ["admin1", "gpu2"]


def test_the_export_for_ansible_is_an_inventory(place, adds, provision):
    """YAML 1.1, as Ansible reads it, gives back ids as text, every host with its login, and the groups."""
    adds("007", "--group", "cs")
    adds("2", "--key", "id1")
    done = provision("export", "--format", "ansible", "-o", "out.yaml")
    assert (done.code, done.out) == (0, "wrote out.yaml\n")
    told = yaml.safe_load((place.folder / "out.yaml").read_text())["all"]
    assert list(told["hosts"]) == ["007@admin1", "007@gpu2", "2@admin1", "2@gpu2"]
    gpu = told["hosts"]["007@gpu2"]
    assert (gpu["ansible_host"], gpu["ansible_user"], gpu["site"]) == ("gpu2", "007", "{{ 'scupi' }}")
    assert gpu["ansible_ssh_private_key_file"] == str(place.ssh / "scupi_007")
    assert "ProxyCommand=ssh -p 7092" in gpu["ansible_ssh_common_args"]
    assert "via" not in gpu
    groups = {name: list(group["hosts"] or {}) for name, group in told["children"].items()}
    assert groups["cs"] == groups["007"] == ["007@admin1", "007@gpu2"]
    assert groups["cluster"] == list(told["hosts"])
    only = yaml.safe_load(provision("export", "-f", "ansible", "-a", "2").out)["all"]
    assert list(only["hosts"]) == ["2@admin1", "2@gpu2"]


def test_the_export_for_ssh_has_a_section_for_every_host(adds, provision):
    adds("007")
    done = provision("export", "--format", "ssh")
    assert [line for line in done.out.splitlines() if line.startswith("Host ")] == [
        "Host scupi-admin1",
        "Host scupi-gpu2",
    ]


# --- removing ---------------------------------------------------------------------------------------------------------


def test_removing_leaves_every_other_byte_and_the_key(place, adds, provision):
    adds("1", "--name", "A")
    before = place.inventory.read_bytes()
    adds("007", "--key", "id1")
    done = provision("remove", "007")
    assert (done.code, str(place.ssh / "scupi_007") in done.out) == (0, True)
    assert place.inventory.read_bytes() == before
    assert (place.ssh / "scupi_007").exists()


def test_the_key_is_deleted_only_when_that_is_said(place, adds, provision):
    adds("1")
    assert provision("remove", "1", "--delete-key").code == 0
    assert list(place.ssh.iterdir()) == []


def test_a_key_of_two_accounts_is_not_deleted(place, adds, provision):
    adds("1")
    with place.inventory.open("a") as file:
        file.write("  - {id: 2, key: ~/.ssh/scupi_1}\n")
    before = place.inventory.read_bytes()
    done = provision("remove", "1", "--delete-key")
    assert (done.code, "another account" in done.err) == (2, True)
    assert place.inventory.read_bytes() == before
    assert (place.ssh / "scupi_1").exists()


def test_who_is_not_there_cannot_be_removed(place, adds, provision):
    adds("2021")
    done = provision("remove", "2022")
    assert (done.code, "2022" in done.err) == (2, True)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_help_does_not_load_what_it_does_not_need():
    """`provision inventory --help` is as fast as `provision --help`."""
    import subprocess
    import sys

    program = (
        "import sys; from scupi_provision.cli.main import main\n"
        "try: main(['inventory', '--help'])\n"
        "except SystemExit: print(sorted({'ruamel', 'paramiko', 'cryptography', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_option_of_add_is_documented():
    """Those that other commands have as well are told of with them."""
    page = (Path(__file__).parents[2] / "docs/accounts.md").read_text(encoding="utf-8")
    command = typer.main.get_command(app).commands["inventory"].commands["add"]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    elsewhere = {"--inventory", "--limit", "--connect", *(option for option in options if "vault" in option)}
    assert [option for option in options - elsewhere if f"`{option}" not in page] == []
