"""The role `sources` on a real home: the lists that it gives, and what it leaves alone in the account's own files."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
import yaml
from scupi_provision.errors import InputError
from scupi_provision.events import RunFinished, TaskFinished
from scupi_provision.run.apply import apply
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

REPOSITORY = Path(__file__).parents[2]
TUNA = "https://pypi.tuna.tsinghua.edu.cn/simple"
INVENTORY = """
all:
  vars: {ansible_connection: local, ansible_user: me}
  hosts: {here: {}, there: {}}
"""
SITE = """
- hosts: here
  verify: there
  roles: [sources]
  tasks:
    - debug: var=sources_git
    - debug: var=sources_pip
    - debug: var=sources_torch
"""


def site(account: Path, **extra: object) -> list[object]:
    folder = account.parent
    (folder / "inventory.yaml").write_text(INVENTORY)
    (folder / "site.yaml").write_text(SITE)
    if not (folder / "roles").exists():
        (folder / "roles").symlink_to(REPOSITORY / "roles")
    return list(apply(load_site(RunRequest(folder / "site.yaml", folder / "inventory.yaml", extra=dict(extra)))))


def changed(events: list[object]) -> list[str]:
    return [str(e.task) for e in events if isinstance(e, TaskFinished) and e.outcome.value == "changed"]


def told(events: list[object]) -> str:
    return "\n".join(e.message for e in events if isinstance(e, TaskFinished))


def code(events: list[object]) -> int:
    return next(e.exit_code for e in events if isinstance(e, RunFinished))


def index(account: Path) -> str:
    parser = configparser.RawConfigParser()  # strict: what pip refuses is refused here
    parser.read_string((account / ".config/pip/pip.conf").read_text())
    return parser.get("global", "index-url")


def test_upstream_is_the_default_and_nothing_is_written(account):
    events = site(account)
    assert code(events) == 0
    assert "https://www.kernel.org/pub/software/scm/git" in told(events)
    assert "mirror" not in told(events).replace("mirrors.edge.kernel.org", "")
    assert not (account / ".condarc").exists()


def test_mirrors_come_first_and_upstream_last(account):
    said = told(site(account, mirror="cn"))
    assert said.index("mirrors.ustc.edu.cn") < said.index("www.kernel.org")
    assert said.index(TUNA) < said.index("https://pypi.org/simple")
    assert said.index("mirror.nju.edu.cn") < said.index("https://download.pytorch.org/whl")


def test_a_list_of_one_s_own_replaces_ours(account):
    assert "mirrors.ustc" not in told(site(account, mirror="cn", sources_git=["https://intranet.example/git"]))


@pytest.mark.parametrize("mirror", ["us", "CN"])
def test_an_unknown_set_of_mirrors_is_refused_with_those_that_there_are(account, mirror):
    try:
        events = site(account, mirror=mirror)
    except InputError as error:
        assert "cn" in str(error)  # noqa: PT017 - either way of refusing will do
    else:
        assert code(events) == 1


def test_the_account_s_files_get_marked_blocks_once_and_lose_them_again(account):
    (account / ".condarc").write_text("auto_activate_base: false\n")
    events = site(account, mirror="cn", sources_write_config=True)
    assert code(events) == 0
    assert index(account) == TUNA
    conda = yaml.safe_load((account / ".condarc").read_text())
    assert conda["auto_activate_base"] is False
    assert conda["custom_channels"] == {"conda-forge": "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud"}
    assert changed(site(account, mirror="cn", sources_write_config=True)) == []
    assert code(site(account, sources_write_config=True)) == 0
    assert (account / ".condarc").read_text() == "auto_activate_base: false\n"
    assert (account / ".config/pip/pip.conf").read_text() == ""


def test_a_flat_folder_beside_the_index_is_no_part_of_the_account_s_index(account):
    places = ["find-links:https://flat.example/wheels", f"{TUNA} find-links:https://flat.example/wheels"]
    site(account, sources_pip=places, sources_write_config=True)
    assert index(account) == TUNA


def test_an_index_goes_below_the_account_s_own_section(account):
    """A second `[global]` would make pip refuse the file."""
    conf = account / ".config/pip/pip.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text("[global]\ntimeout = 60\n[install]\nno-compile = yes")
    site(account, mirror="cn", sources_write_config=True)
    assert index(account) == TUNA
    assert "timeout = 60" in conf.read_text()
    assert changed(site(account, mirror="cn", sources_write_config=True)) == []


def test_a_section_that_the_account_makes_later_takes_the_index(account):
    site(account, mirror="cn", sources_write_config=True)
    conf = account / ".config/pip/pip.conf"
    conf.write_text(conf.read_text() + "[global]\ntimeout = 60\n")
    assert code(site(account, mirror="cn", sources_write_config=True)) == 0
    assert index(account) == TUNA


@pytest.mark.parametrize("place", [".pip/pip.conf", ".config/pip/pip.conf"])
def test_an_index_of_the_account_s_own_is_left_alone_and_told(account, place):
    conf = account / place
    conf.parent.mkdir(parents=True)
    conf.write_text("[global]\nindex-url = https://intranet.example/simple\n")
    events = site(account, mirror="cn", sources_write_config=True)
    assert "an index of the account's own" in told(events)
    assert conf.read_text() == "[global]\nindex-url = https://intranet.example/simple\n"
    assert code(events) == 0


@pytest.mark.parametrize("text", ["channel_alias: https://intranet.example\n", "{channels: [conda-forge]}\n"])
def test_channels_of_the_account_s_own_are_left_alone_and_told(account, text):
    (account / ".condarc").write_text(text)
    events = site(account, mirror="cn", sources_write_config=True)
    assert "where channels are" in told(events)
    assert (account / ".condarc").read_text() == text


def test_miniforge_is_looked_for_in_the_folder_that_each_source_has_for_a_release(account):
    play = account.parent / "site.yaml"
    site(account)
    play.write_text("- hosts: here\n  roles: [{role: conda, when: false}]\n  tasks: [{debug: {var: conda_urls}}]\n")
    request = RunRequest(play, account.parent / "inventory.yaml", extra={"mirror": "cn", "conda_version": "26.3.2-3"})
    said = told(list(apply(load_site(request))))
    name = "Miniforge3-26.3.2-3-Linux-x86_64.sh"
    assert f"/miniforge/Release%2026.3.2-3/{name}" in said
    assert f"https://github.com/conda-forge/miniforge/releases/download/26.3.2-3/{name}" in said
