"""An inventory in INI: what it means, and where it goes wrong."""

from pathlib import Path

import pytest
from scupi_provision.errors import InputError
from scupi_provision.inventory.levels import Level
from scupi_provision.inventory.load import load_inventory


def read(tmp_path: Path, text: str):
    path = tmp_path / "hosts"
    path.write_text(text, encoding="utf-8")
    return load_inventory(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [str(diagnostic).replace(str(tmp_path) + "/", "") for diagnostic in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("-7", -7),
        ("1.5", 1.5),
        ("0644", "0644"),
        ("True", True),
        ("true", "true"),
        ("None", None),
        ("['a', 1]", ["a", 1]),
        ("{'k': (1, 2)}", {"k": [1, 2]}),
        ("a=b", "a=b"),
        ("'5'", "5"),
        ("two words", "two words"),
    ],
)
def test_values_are_literals_of_python_or_texts(tmp_path, written, value):
    host = read(tmp_path, f"[web]\nweb1\n[web:vars]\nx = {written}\n").host("web1")
    assert host.variables.merged()["x"] == value


def test_numbers_keep_the_digits_that_were_written(tmp_path):
    assert str(read(tmp_path, "web1 version=3.10\n").host("web1").variables.merged()["version"]) == "3.10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web:varz]\n", 'hosts:1:2: unknown kind of section "varz"'),
        ("[a:children]\nb\n", 'hosts:2:1: "b" is not declared as a group'),
        ("[web:vars]\na=1\n", "hosts:1:2: [web:vars] is about a group that is not declared"),
        ("[web group]\n", "hosts:1:1: [web group] is not the head of a section"),
        ("web1 a='x\n", "hosts:1:8: a quote is opened here and never closed"),
        ("web1 a=1 b\n", 'hosts:1:10: "b" is not a variable'),
        ("  web1 ansible_port=x\n", 'hosts:1:21: ansible_port: "x" is not a port'),
        ("web[1-3]\n", 'hosts:1:1: host "web[1-3]": [1-3] is not a range'),
        ("web1 ansible_password=x\n", 'hosts:1:6: "ansible_password" is not accepted'),
        ("[a:children]\nb\n[b:children]\na\n", "is its own child"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, text, expected):
    found = problems(tmp_path, text)
    assert any(expected in problem for problem in found), found


def test_each_level_of_variables_knows_its_place(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "web.yml").write_text("a: 1\nx: file\n")
    variables = read(tmp_path, "[web]\nweb1 x=host\n[web:vars]\nx=group\n").host("web1").variables
    said = [(level.level, str(level.place("x"))) for level in variables.levels if "x" in level.variables]
    here = str(tmp_path)
    assert said == [
        (Level.GROUP, f"{here}/hosts:4:1"),
        (Level.GROUP_FILE, f"{here}/group_vars/web.yml:2:1"),
        (Level.HOST, f"{here}/hosts:2:6"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("inventory.py", "#!/usr/bin/env python\n", "is a script"), ("hosts.toml", "[web]\n", "TOML")],
)
def test_what_would_have_to_be_run_is_refused_by_name(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        load_inventory(tmp_path / name)
    assert "ansible-inventory" in caught.value.diagnostic.hint


def test_what_a_script_prints_can_be_read(tmp_path):
    (tmp_path / "hosts.json").write_text(
        '{"web": {"hosts": ["web1"], "vars": {"a": 1}}, "db": ["db1"], "_meta": {"hostvars": {"web1": {"b": 2}}}}'
    )
    inventory = load_inventory(tmp_path / "hosts.json")
    assert inventory.groups == {"all": ["web1", "db1"], "ungrouped": [], "web": ["web1"], "db": ["db1"]}
    assert {str(k): int(v) for k, v in inventory.host("web1").variables.merged().items()} == {"a": 1, "b": 2}


def test_an_empty_limit_file_is_refused(tmp_path):
    """It would mean everybody."""
    (tmp_path / "limit").write_text("\n")
    with pytest.raises(InputError, match="names no hosts"):
        read(tmp_path, "web1\n").select("all", f"@{tmp_path}/limit")
