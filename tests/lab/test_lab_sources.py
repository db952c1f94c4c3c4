"""Where the mirror's files come from, as far as that can be tested without a network."""

import shutil

import pytest
from scupi_provision.errors import ProvisionError
from scupi_provision.lab.apt_source import source_lines, source_stanzas
from scupi_provision.lab.cluster import Activity
from scupi_provision.lab.controller import run_here
from scupi_provision.lab.toolchain import BuildNeed, require_build_tools


def test_one_line_sources_become_source_package_sources():
    text = "# a comment\ndeb [signed-by=/k arch=amd64] http://a b main\ndeb-src http://a b main\n\n#deb http://c d e\n"
    assert source_lines(text) == [
        "deb-src [signed-by=/k arch=amd64] http://a b main",
        "deb-src http://a b main",
    ]


def test_deb822_sources_keep_their_keys():
    text = "Types: deb\nURIs: http://a\nSigned-By: /k\n\ntypes: deb deb-src\nSigned-By:\n -----BEGIN\n .\n"
    changed = source_stanzas(text)
    assert changed.count("Types: deb-src") == 2
    assert "Signed-By: /k" in changed
    assert " -----BEGIN\n .\n" in changed


def test_a_missing_tool_is_named_with_the_package_that_brings_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    needs = (
        BuildNeed("make", "make", "make", lambda: False),
        BuildNeed("xz", "xz-utils", "xz", lambda: True),
        BuildNeed("zlib.h", "zlib1g-dev", "zlib-devel", lambda: False),
    )
    with pytest.raises(ProvisionError, match=r"lacks make, zlib\.h") as refused:
        require_build_tools(needs)
    assert refused.value.diagnostic.hint == "sudo apt-get install make zlib1g-dev"


def test_a_command_of_the_controller_reports_status_and_both_outputs(tmp_path):
    ran = run_here(["sh", "-c", "pwd; echo oops >&2; cat; exit 3"], directory=tmp_path, timeout_s=20)
    assert (ran.status, ran.output) == (3, f"{tmp_path}\noops\n")


def test_a_missing_command_is_status_127(tmp_path):
    assert run_here(["no-such-program"], directory=tmp_path, timeout_s=20).status == 127


def test_a_command_that_hangs_is_stopped(tmp_path):
    assert run_here(["sleep", "60"], directory=tmp_path, timeout_s=1).status == 124


def test_idleness_counts_from_the_last_disconnect():
    now = [100.0]
    activity = Activity(lambda: now[0])
    now[0] = 130.0
    assert activity.idle_s == 30.0
    activity.opened()
    now[0] = 500.0
    assert activity.idle_s == 0.0
    activity.closed()
    now[0] = 501.0
    assert activity.idle_s == 1.0
