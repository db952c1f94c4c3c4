"""What an inventory file means: hosts crossed with accounts, layers, patterns, routes."""

from pathlib import Path

import pytest
from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory

CLUSTER = """\
all:
  vars:
    site: scupi
  children:
    cluster:
      hosts:
        admin1:
          ansible_host: 121.48.227.161
          ansible_port: 7092
      children:
        gpu:
          hosts:
            gpu2:
              via: admin1
          vars:
            site: gpu
accounts:
  - id: 0123456
    key: ~/.ssh/a
    name: Zheng Bowen
    groups: [class_2021]
    vars: {cuda: 11.6}
  - id: 2021141520001
    key: ~/.ssh/b
    hosts: [gpu2]
"""


def read(tmp_path: Path, text: str) -> Inventory:
    path = tmp_path / "inventory.yaml"
    path.write_text(text, encoding="utf-8")
    return load_inventory(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [str(diagnostic).replace(str(tmp_path) + "/", "") for diagnostic in caught.value.diagnostics]


def test_hosts_are_crossed_with_accounts(tmp_path):
    inventory = read(tmp_path, CLUSTER)
    assert [host.name for host in inventory.hosts] == ["0123456@admin1", "0123456@gpu2", "2021141520001@gpu2"]
    first = inventory.hosts[0]
    assert (first.base, first.account, first.label) == ("admin1", "0123456", "0123456@admin1")
    assert first.groups == ("0123456", "admin1", "class_2021", "cluster")


def test_an_id_with_a_leading_zero_stays_as_written(tmp_path):
    variables = read(tmp_path, CLUSTER).hosts[0].variables.merged()
    assert variables["ansible_user"] == "0123456"
    assert variables["account_id"] == "0123456"
    assert variables["ansible_port"] == 7092
    assert type(variables["ansible_port"]) is int
    assert str(variables["cuda"]) == "11.6"


def test_variables_are_kept_by_layer(tmp_path):
    layers = read(tmp_path, CLUSTER).hosts[1].variables
    assert layers.all == {"site": "scupi"}
    assert layers.groups == {"site": "gpu"}
    assert layers.host["via"] == "admin1"


def test_without_accounts_hosts_stay_as_they_are(tmp_path):
    inventory = read(tmp_path, "all:\n  hosts:\n    admin1:\n    node[01:03]:\n")
    assert [host.name for host in inventory.hosts] == ["admin1", "node01", "node02", "node03"]
    assert inventory.hosts[0].label == "admin1"
    assert inventory.hosts[0].groups == ("ungrouped",)
    with pytest.raises(InputError, match="has no accounts"):
        inventory.require_accounts()


def test_one_account_shows_hosts_by_their_base_name(tmp_path):
    inventory = read(tmp_path, "all: {hosts: {admin1: }}\naccounts: [{id: x1, key: k}]\n")
    assert (inventory.hosts[0].name, inventory.hosts[0].label) == ("x1@admin1", "admin1")
    inventory.require_accounts()


def test_a_route_is_dialled_from_the_outside_in(tmp_path):
    inventory = read(tmp_path, CLUSTER)
    gpu2 = inventory.host("2021141520001@gpu2")
    assert [host.name for host in inventory.route_hosts(gpu2)] == ["2021141520001@admin1", "2021141520001@gpu2"]
    assert inventory.peer(inventory.host("0123456@admin1"), "gpu2").name == "0123456@gpu2"
    with pytest.raises(InputError, match='unknown host "gpu3"'):
        inventory.peer(gpu2, "gpu3")


@pytest.mark.parametrize(
    ("pattern", "limit", "expected"),
    [
        ("all", None, ["0123456@admin1", "0123456@gpu2", "2021141520001@gpu2"]),
        ("*", "admin1", ["0123456@admin1"]),
        ("gpu2", None, ["0123456@gpu2", "2021141520001@gpu2"]),
        ("0123456", None, ["0123456@admin1", "0123456@gpu2"]),
        ("0123456@gpu2", None, ["0123456@gpu2"]),
        ("cluster:!gpu", None, ["0123456@admin1"]),
        ("all,&class_2021,!admin1", None, ["0123456@gpu2"]),
        ("!gpu2", None, ["0123456@admin1"]),
        ("gpu*", None, ["0123456@gpu2", "2021141520001@gpu2"]),
        ("~admin\\d", None, ["0123456@admin1"]),
        ("gpu2[1]", None, ["2021141520001@gpu2"]),
        ("all[0:1]", None, ["0123456@admin1", "0123456@gpu2"]),
    ],
)
def test_patterns_mean_what_they_mean_in_ansible(tmp_path, pattern, limit, expected):
    assert [host.name for host in read(tmp_path, CLUSTER).select(pattern, limit)] == expected


@pytest.mark.parametrize("pattern", ["amdin1", "all:gpu9", "all:!nobody", "~(", "", ","])
def test_a_pattern_with_an_unknown_name_is_refused(tmp_path, pattern):
    with pytest.raises(InputError) as caught:
        read(tmp_path, CLUSTER).select(pattern)
    assert caught.value.exit_code == 2


def test_a_pattern_suggests_the_name_that_was_meant(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, CLUSTER).select("amdin1")
    assert "admin1" in caught.value.diagnostic.hint


def test_files_beside_the_inventory_win_over_its_text_in_ansible_order(tmp_path):
    (tmp_path / "group_vars" / "gpu").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("site: from_all\nextra: 1\n")
    (tmp_path / "group_vars" / "gpu" / "x.yml").write_text("gpus: 4\n")
    (tmp_path / "host_vars" / "gpu2.yaml").write_text("extra: 2\n")
    variables = read(tmp_path, CLUSTER).hosts[1].variables.merged()
    assert (variables["site"], variables["gpus"], variables["extra"]) == ("from_all", 4, 2)


def test_deeper_groups_win_and_equals_go_by_name(tmp_path):
    text = """\
all: {hosts: {n: }}
b: {hosts: {n: }, vars: {x: b, y: b}}
a: {hosts: {n: }, vars: {x: a}, children: {deep: {hosts: {n: }, vars: {y: deep}}}}
"""
    assert read(tmp_path, text).hosts[0].variables.groups == {"x": "b", "y": "deep"}


def test_variables_beside_the_playbook_are_read_too(tmp_path):
    (tmp_path / "play" / "group_vars").mkdir(parents=True)
    (tmp_path / "play" / "group_vars" / "all.yml").write_text("here: yes\n")
    path = tmp_path / "inventory.yaml"
    path.write_text(CLUSTER)
    assert load_inventory(path, tmp_path / "play").hosts[0].variables.all["here"] is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all:\n  host:\n    a:\n", 'inventory.yaml:2:3: unknown key "host" in group "all"'),
        ("a: {children: {b: }}\nb: {children: {a: }}\n", 'inventory.yaml:2:16: group "a" is its own child'),
        ("all: {hosts: {-oProxyCommand: }}\n", 'inventory.yaml:1:15: host name "-oProxyCommand" begins with "-"'),
        ("all:\n  hosts:\n    'a b':\n", 'inventory.yaml:3:5: host name "a b" may only have'),
        ("all:\n  hosts:\n    'a;b':\n", 'inventory.yaml:3:5: host name "a;b" may only have'),
        ("all:\n  hosts:\n    аdmin1:\n", 'inventory.yaml:3:5: host name "аdmin1" contains U+0430 CYRILLIC'),
        ("all: {hosts: {a: {ansible_port: 70920}}}\n", 'inventory.yaml:1:33: ansible_port: "70920" is not a port'),
        ("all: {hosts: {a: {ansible_host: '-x'}}}\n", 'inventory.yaml:1:33: ansible_host: "-x" begins with "-"'),
        ("all: {hosts: {a: {via: b}, bb: }}\n", 'inventory.yaml:1:24: a: via an unknown host "b"'),
        ("all: {hosts: {a: {via: a}}}\n", "inventory.yaml:1:24: a is reached via itself"),
        ("all: {hosts: {a: {ansible_password: x}}}\n", 'inventory.yaml:1:19: "ansible_password" is not accepted'),
        ("all: {hosts: {a: {ansible_ssh_common_args: -J x}}}\n", 'inventory.yaml:1:19: "ansible_ssh_common_args"'),
        ("all: {hosts: {a: {ansible_connection: shh}}}\n", 'inventory.yaml:1:39: connection "shh" is not supported'),
        ("all: {hosts: [a]}\n", "inventory.yaml:1:14: hosts must be a mapping"),
        ("all: {hosts: {'n[3:1]': }}\n", 'inventory.yaml:1:15: host "n[3:1]": [3:1] does not count up'),
        ("all: {hosts: {'n[1:99999]': }}\n", 'inventory.yaml:1:15: host "n[1:99999]": [1:99999] stands for more'),
        ("hosts: {a: }\n", 'inventory.yaml:1:1: "hosts" stands outside of any group'),
        ("accounts:\n  - {id: x, key: k}\n  - {id: x, key: k}\n", "inventory.yaml:3:10: account x is declared twice"),
        ("accounts:\n  - {id: x, key: k, password: p}\n", 'inventory.yaml:2:21: "password" does not belong'),
        ("accounts:\n  - {id: x, keyy: k}\n", 'inventory.yaml:2:13: unknown key "keyy" in an account'),
        ("accounts:\n  - {id: x}\n", 'inventory.yaml:2:5: an account needs "key"'),
        ("accounts: {id: x}\n", "inventory.yaml:1:11: accounts must be a list"),
        ("all: {hosts: {a: }}\na: {hosts: {b: }}\n", '"a" is the name of both a group and a host'),
        ("- all\n", "inventory.yaml:1:1: an inventory must be a mapping"),
    ],
)
def test_bad_inventories_are_refused_with_their_place(tmp_path, text, expected):
    found = problems(tmp_path, text)
    assert any(expected in problem for problem in found), found


def test_everything_wrong_is_reported_together(tmp_path):
    text = "all:\n  hosts:\n    a: {ansible_port: x}\n  chlidren: {}\naccounts:\n  - {id: x, pasword: p}\n"
    found = problems(tmp_path, text)
    assert len(found) == 4
    assert "children" in found[1]


def test_a_thousand_groups_in_a_chain_are_read(tmp_path):
    text = "".join(f"g{i}: {{children: {{g{i + 1}: }}}}\n" for i in range(1000)) + "g1000: {hosts: {n: }}\n"
    assert len(read(tmp_path, text).hosts[0].groups) == 1001


def test_the_same_inventory_may_be_ini(tmp_path):
    inventory = read(tmp_path, "# mine\nadmin1 ansible_port=7092\n[gpu]\ngpu2 via=admin1\n[gpu:vars]\nsite=gpu\n")
    assert [host.base for host in inventory.select("all")] == ["admin1", "gpu2"]
    assert inventory.host("gpu2").variables.merged() == {"site": "gpu", "via": "admin1"}


def test_a_missing_inventory_says_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        load_inventory(tmp_path / "nowhere.yaml")
    assert caught.value.diagnostic.hint
