"""Whether VS Code's server can run, judged from what nodes have told; and what is advised."""

from __future__ import annotations

import pytest
from scupi_provision.host.facts import Facts
from scupi_provision.host.finding import Finding, State
from scupi_provision.run.doctoring.node import Node
from scupi_provision.run.vscode_needs import C_LIBRARY, CHECKS, CXX_LIBRARY, KERNEL, remedies

SPACE = "4096 1000000 900000 100000 90000"
DEBIAN_12 = {
    "architecture": "x86_64", "kernel": "6.1.0-18-amd64", "libc": "glibc 2.36", "libstdcxx": "3.4 3.4.9 3.4.25 3.4.30",
    "has_bash": "yes", "has_tar": "yes", "has_curl": "yes", "reach_0": "yes", "reach_1": "yes", "space": f"{SPACE} xfs",
}  # fmt: skip
CENTOS_7 = {
    **DEBIAN_12, "kernel": "3.10.0-1160.el7.x86_64", "libc": "glibc 2.17", "libstdcxx": "3.4 3.4.9 3.4.18 3.4.19",
}  # fmt: skip
UBUNTU_18 = {**DEBIAN_12, "kernel": "5.4.0-150-generic", "libc": "glibc 2.27"}
ALPINE = {**DEBIAN_12, "libc": "", "musl": "/lib/ld-musl-x86_64.so.1"}


def judged(facts, **changes):
    """The findings by check."""
    raw = {name: value for name, value in {**facts, **changes}.items() if value}
    found = [check(Node("gpu2", Facts(raw))) for check in CHECKS]
    return {one.check: one for one in found}


def not_well(found):
    """The states that are not ok, by check."""
    return {check: one.state for check, one in found.items() if one.state is not State.OK}


def advised(found):
    """The remedies, as text."""
    return "\n".join("\n".join((one.title, *one.lines)) for one in remedies(list(found.values())))


@pytest.mark.parametrize("facts", [DEBIAN_12, ALPINE])
def test_where_it_can_run(facts):
    found = judged(facts)
    assert not_well(found) == {}
    assert advised(found) == ""


def test_centos_7_is_too_old_in_three_ways():
    found = judged(CENTOS_7)
    assert not_well(found) == dict.fromkeys(("kernel", "glibc", "libstdc++"), State.PROBLEM)
    assert found["glibc"].what == (
        "2.17 is too old for VS Code's server, which needs 2.28 (RHEL 8, Ubuntu 18.10, Debian 10)"
    )
    assert found["kernel"].what.startswith("3.10.0 is too old")
    assert found["libstdc++"].what.startswith("3.4.19 is too old")
    text = advised(found)
    assert "provision jupyter --node gpu2" in text
    assert "1.98.2" in text
    assert '"update.mode": "none"' in text
    assert "sysroot" not in text  # no library makes a kernel newer


def test_an_old_library_on_a_new_kernel_can_be_given_a_newer_one():
    text = advised(judged(UBUNTU_18))
    assert "provision jupyter --node gpu2" in text
    assert "sysroot_linux-64=2.28" in text
    for name in ("GLIBC_LINKER", "GLIBC_PATH"):
        assert f"export VSCODE_SERVER_CUSTOM_{name}=" in text
    assert "export VSCODE_SERVER_PATCHELF_PATH=" in text


@pytest.mark.parametrize(
    ("changes", "check", "state", "what", "fix"),
    [
        ({"architecture": "ppc64le"}, "architecture", State.PROBLEM, "ppc64le", "provision jupyter"),
        ({"libc": ""}, "glibc", State.PROBLEM, "not found; 2.28", "below"),
        ({"libstdcxx": ""}, "libstdc++", State.PROBLEM, "not found; 3.4.25", "below"),
        ({"has_tar": ""}, "programs", State.PROBLEM, "no tar", "install tar"),
        (
            {"has_curl": ""},
            "programs",
            State.NOTE,
            "neither curl nor wget",
            '"remote.SSH.localServerDownload": "always"',
        ),
        ({"reach_1": "no"}, "download", State.NOTE, "does not reach", '"remote.SSH.localServerDownload": "always"'),
        ({"reach_0": "", "reach_1": ""}, "download", State.NOTE, "does not reach", "localServerDownload"),
        ({"space": f"{SPACE} nfs"}, "home", State.NOTE, "on nfs", '"remote.SSH.useFlock": false'),
        ({"space": "4096 1000000 300000 1 1 xfs"}, "space", State.WARNING, "1.1 GiB free", "serverInstallPath"),
        ({"space": "4096 1000000 100 1 1 xfs"}, "space", State.PROBLEM, "0 MiB free", "make room"),
        ({"quota": "nas:/home 99 90 99 - 3 0 0"}, "quota", State.PROBLEM, "99 of 99 KiB", "quota"),
    ],
)
def test_what_is_not_well(changes, check, state, what, fix):
    found = judged(DEBIAN_12, **changes)
    assert not_well(found) == {check: state}
    assert what in found[check].what
    assert fix in found[check].fix


def test_settings_to_paste_are_gathered():
    found = judged(DEBIAN_12, reach_0="no", space=f"{SPACE} nfs")
    found["time to log in"] = Finding("gpu2", "time to log in", State.WARNING, "20 s", "x")
    assert advised(found).splitlines()[1:] == [
        '"remote.SSH.localServerDownload": "always",',
        '"remote.SSH.useFlock": false,',
        '"remote.SSH.lockfilesInTmp": true,',
        '"remote.SSH.connectTimeout": 60,',
    ]


@pytest.mark.parametrize(("floor", "fact"), [(KERNEL, "kernel"), (C_LIBRARY, "libc"), (CXX_LIBRARY, "libstdcxx")])
def test_exactly_the_floor_will_do(floor, fact):
    value = f"glibc {floor.least}" if fact == "libc" else floor.least
    assert judged(DEBIAN_12, **{fact: value})[floor.check].state is State.OK
