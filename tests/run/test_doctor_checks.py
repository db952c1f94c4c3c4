"""What a node tells, judged: for each check an answer that is well, the ones that are not, and what is advised."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scupi_provision.host.facts import Facts
from scupi_provision.host.finding import Finding, Remedy, State
from scupi_provision.report.doctor import FindingsPrinter
from scupi_provision.report.visible import visible
from scupi_provision.run.doctor import exit_code
from scupi_provision.run.doctoring import between, home, logins, machine
from scupi_provision.run.doctoring.node import Node
from scupi_provision.run.fresh_login import FreshLogin, Trouble

GIB = 1024**3
BLOCK = 4096


def space(free=100 * GIB, free_inodes=10**7, inodes=10**8, kind="ext2/ext3"):
    """The fact `space` of a file system."""
    return f"{BLOCK} {200 * GIB // BLOCK} {free // BLOCK} {inodes} {free_inodes} {kind}"


HEALTHY = {
    "home": "/public/home/ada", "user": "ada", "uid": "1000", "shell": "/bin/bash", "libc": "glibc 2.36",
    "kernel": "6.1.0-18-amd64", "architecture": "x86_64", "build_cc": "gcc (GCC) 12.2.0", "cpus": "8",
    "mode_home": "700 1000", "mode_ssh": "700 1000", "mode_keys": "600 1000", "authorized_0": "yes", "space": space(),
    "quota": "/dev/sda1 1000 2000000 2500000 70 100000 200000", "runs": "0 0", "reach_0": "yes",
    "path_line_0": '.bashrc 3 export PATH="$HOME/bin:$PATH"',
}  # fmt: skip


def node(computes=False, reason="", **facts):
    """A healthy node, but for `facts`; None takes one away."""
    raw = {name: value for name, value in {**HEALTHY, **facts}.items() if value is not None}
    return Node("gpu2", Facts(raw), computes, reason, ("AAAA",), ("https://mirror.example/x",))


CHECKS = (*machine.CHECKS, *home.CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_healthy_node(check):
    found = check(node())
    assert found.state is State.OK
    assert not found.fix


OTHERWISE = [
    # check, facts, state, a part of what is said, a part of the fix
    (home.permissions, {"mode_home": "775 1000"}, State.PROBLEM, "~ has mode 775: the group may", "chmod go-w ~"),
    (home.permissions, {"mode_ssh": "770 1000"}, State.PROBLEM, "~/.ssh has mode 770", "chmod 700 ~/.ssh"),
    (home.permissions, {"mode_keys": "666 1000"}, State.PROBLEM, "666: everybody", "chmod 600 ~/.ssh/authorized_keys"),
    (home.permissions, {"mode_home": "755 0"}, State.PROBLEM, "another account (uid 0)", "administrator of gpu2"),
    (home.authorized, {"authorized_0": "no"}, State.NOTE, "does not have the key", "own_key: true"),
    (home.file_system, {"space": space(kind="nfs")}, State.NOTE, "nfs, of another machine", "CONDA_PKGS_DIRS=/tmp/"),
    (home.file_system, {"space": space(kind="lustre")}, State.NOTE, "lustre", "CONDA_PKGS_DIRS=/tmp/"),
    (home.file_system, {"space": None}, State.UNSEEN, "does not tell", "df -k ~"),
    (home.free_space, {"space": space(free=5 * GIB)}, State.WARNING, "5.0 GiB free of 200.0 GiB", "conda clean"),
    (home.free_space, {"space": space(free=GIB // 10)}, State.PROBLEM, "102 MiB free", "conda clean"),
    (home.free_space, {"space": "nonsense"}, State.UNSEEN, "does not tell", "df -k ~"),
    (home.inodes, {"space": space(free_inodes=50_000)}, State.WARNING, "only 50,000 more", "conda clean"),
    (home.inodes, {"space": space(free_inodes=7)}, State.PROBLEM, "only 7 more", "conda clean"),
    (home.quota, {"quota": "/dev/sda1 2400000 2000000 2500000 6days 7 1 20"}, State.WARNING, "KiB", "larger quota"),
    (home.quota, {"quota": "/dev/sda1 2500000* 2000000 2500000 6days 7 1 20"}, State.PROBLEM, "2,500,000 of", "quota"),
    (home.quota, {"quota": "nas:/home 10 20 25 199999 200000 200000"}, State.WARNING, "199,999 of 200,000", "quota"),
    (home.quota, {"quota": None, "lfs_quota": "/lustre 99* 50 99 - 3 0 0 -"}, State.PROBLEM, "99 of 99 KiB", "quota"),
    (home.startup_files, {"bashrc_syntax": ".bashrc: line 9: syntax"}, State.PROBLEM, "line 9", "provision rescue ada"),
    (home.startup_files, {"path_line_1": ".bashrc 9 export PATH=/opt/x/bin:/usr/bin:/bin"}, State.WARNING,
        "~/.bashrc:9 freezes PATH", "in line 9 of ~/.bashrc"),
    (home.startup_files, {"path_line_1": ".bash_profile 2 PATH=/opt/x/bin"}, State.PROBLEM,
        "~/.bash_profile:2 sets a PATH without /usr/bin", "provision rescue ada"),
    (home.generation, {"current": "gen/3"}, State.PROBLEM, "gen/3, where no env.sh can be read", "provision rollback"),
    (home.lock, {"lock": "dead admin1 b00t 4711 me@laptop (provision apply, run 1)"}, State.WARNING,
        "a run that is no more: me@laptop (provision apply, run 1)", "run provision apply again"),
    (home.leftovers, {"runs": "80 77"}, State.WARNING, "77 of old runs", "rm -r ~/.provision/runs/*"),
    (machine.login_shell, {"shell": "/bin/tcsh"}, State.NOTE, "/bin/tcsh", "chsh -s /bin/bash"),
    (machine.agent, {"agent": "/tmp/agent.1"}, State.NOTE, "/tmp/agent.1", "~/.bashrc"),
    (machine.c_library, {"libc": "glibc 2.17"}, State.NOTE, "torch from 2.7 on", "provision vscode"),
    (machine.c_library, {"libc": "glibc 2.12"}, State.PROBLEM, "older than any", "another node"),
    (machine.c_library, {"libc": None}, State.WARNING, "made for glibc", "another node"),
    (machine.compiler, {"build_cc": None}, State.NOTE, "nothing can be built", "module load gcc"),
    (machine.internet, {"reach_0": "no"}, State.NOTE, "none answers (mirror.example)", "provision_fetch_via"),
    (machine.internet, {"reach_0": "tls"}, State.WARNING, "not over TLS", "curl -vI https://mirror.example/"),
    (machine.gpus, {"nvidia_smi": "/usr/bin/nvidia-smi"}, State.PROBLEM, "does not answer within 20 s", "dmesg"),
    (machine.gpus, {"nvidia_smi": "/bin/nvidia-smi", "gpu_0": "0, GPU-1, Tesla T4"}, State.PROBLEM, "hang", "dmesg"),
    (machine.gpus, {"nvidia_smi": "/x", "nvidia_said": "No devices were found"}, State.PROBLEM, "No devices", "no GPU"),
    (machine.gpus, {"nvidia_driver_text": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  510.47.03  Mon Jan 24"},
        State.PROBLEM, "the driver 510.47.03 lists no GPU", "write to the administrator"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "facts", "state", "what", "fix"), OTHERWISE)
def test_what_is_not_well(check, facts, state, what, fix):
    found = check(node(**facts))
    assert (found.hop, found.state) == ("gpu2", state)
    assert what in found.what
    assert fix in found.fix
    assert "\n" not in found.what + found.fix


def test_every_check_has_a_case_in_which_it_is_not_well():
    always_well = {machine.system, machine.scheduler}  # they only tell
    assert {case[0] for case in OTHERWISE} == set(CHECKS) - always_well


@pytest.mark.parametrize(
    "line",
    [
        "export PATH=/opt/x/bin:$PATH",
        'PATH="/opt/x/bin${PATH:+:$PATH}"',
        "# export PATH=/opt/x/bin",
        "export LD_LIBRARY_PATH=/opt/x/lib",
        "MANPATH=/x",
        "PATH=$(getconf PATH)",
    ],
)
def test_lines_that_do_not_freeze_path(line):
    assert home.startup_files(node(path_line_0=f".bashrc 1 {line}")).state is State.OK


@pytest.mark.parametrize(
    "line", ["export PATH='/usr/bin:/bin'", "[ -n x ] && PATH=/bin", "a=1; export PATH=/usr/bin # x"]
)
def test_lines_that_freeze_it(line):
    assert home.startup_files(node(path_line_0=f".bashrc 1 {line}")).state is State.WARNING


@pytest.mark.parametrize(
    ("state", "told"), [("alive", "a run is at work here: me (x)"), ("elsewhere", "held by a run on admin1, where")]
)
def test_a_lock_that_is_held(state, told):
    found = home.lock(node(lock=f"{state} admin1 b00t 4711 me (x)"))
    assert found.state is State.OK
    assert found.what.startswith(told)


# --- GPUs ------------------------------------------------------------------------------------------------------------


def test_gpus_that_are_there():
    line = "{0}, GPU-{0}, NVIDIA A100-PCIE-40GB, 40536, 510.47.03, [N/A], 8.0"
    header = "| NVIDIA-SMI 510.47.03   Driver Version: 510.47.03   CUDA Version: 11.6     |"
    found = machine.gpus(
        node(
            computes=True,
            nvidia_smi="/usr/bin/nvidia-smi",
            nvidia_header=header,
            gpu_0=line.format(0),
            gpu_1=line.format(1),
        )
    )
    assert found.state is State.OK
    assert found.what == "2 × NVIDIA A100-PCIE-40GB, driver 510.47.03, CUDA 11.6"


def test_no_gpu_where_none_is_expected():
    assert machine.gpus(node()).what == "none here, and none is expected on a login node"


def test_no_gpu_where_programs_run():
    found = machine.gpus(node(computes=True))
    assert found.state is State.WARNING
    assert "write to the administrator: on gpu2" in found.fix


def test_no_gpu_in_a_lab_is_a_stand_in():
    found = machine.gpus(node(computes=True, reason="no GPU in the lab"))
    assert (found.state, found.what) == (State.NOTE, "none, as a stand-in: no GPU in the lab")


def test_a_gpu_node_needs_no_compiler_and_no_internet():
    lonely = node(computes=True, build_cc=None, reach_0="no")
    assert {machine.compiler(lonely).state, machine.internet(lonely).state} == {State.OK}


# --- two machines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "state"), [(1000, State.OK), (1055, State.OK), (1100, State.WARNING), (0, State.WARNING)]
)
def test_a_clock_that_is_off(remote, state):
    found = between.clock("gpu2", between.Clock.read(999.9, remote, 1000.4))
    assert found.state is state
    assert ("NTP" in found.fix) is (state is State.WARNING)


def test_a_clock_is_told_as_far_as_it_is_known():
    assert between.clock("gpu2", between.Clock.read(1000, 1300, 1010)).what.startswith("290 s ahead of this computer")
    assert between.clock("gpu2", between.Clock.read(1000, 700, 1010)).what.startswith("299 s behind this computer")
    assert between.clock("gpu2", None).state is State.UNSEEN


def test_clocks_of_two_nodes():
    apart = list(between.clocks([("admin1", between.Clock(-1, 0)), ("gpu2", between.Clock(8, 9))]))
    assert [(found.hop, found.state) for found in apart] == [("admin1 and gpu2", State.WARNING)]
    assert apart[0].what.startswith("8 s apart")
    assert "NTP on both" in apart[0].fix
    (same,) = between.clocks([("admin1", between.Clock(-1, 0)), ("gpu2", between.Clock(0, 1))])
    assert same.state is State.OK


@given(st.floats(0, 2e9), st.floats(0, 100), st.floats(-1e6, 1e6))
@settings(deadline=None)
def test_a_clock_is_never_called_off_that_may_be_right(begin, took, ahead):
    """Whatever the line's delay and the whole seconds of `date` hide is not blamed on the node."""
    moment = begin + took / 2
    read = between.Clock.read(begin, int((moment + ahead) // 1), begin + took)
    assert read.least - 1e-3 <= ahead <= read.most + 1e-3
    assert abs(read.off) <= abs(ahead) + 1e-3


def test_homes_that_differ():
    one, other = node(), node(home="/home/ada")
    found = between.shared_home(one, other, "-")
    assert found.state is State.PROBLEM
    assert "/public/home/ada, /home/ada" in found.what
    assert "write to the administrator" in found.fix
    assert between.shared_home(one, one, None).state is State.PROBLEM
    assert between.shared_home(one, one, "7").what == "both have the same, seen after 7 s (NFS keeps old listings)"


def test_only_network_file_systems_are_waited_for():
    assert between.wait_for(node(), node()) == 0
    assert between.wait_for(node(), node(space=space(kind="nfs"))) == between.NETWORK_WAIT_S


@pytest.mark.parametrize(
    ("one", "other", "state"), [("2.17", "2.17", State.OK), ("2.17", "2.28", State.OK), ("2.28", "2.17", State.WARNING)]
)
def test_c_libraries_of_two_nodes(one, other, state):
    found = between.c_libraries(node(libc=f"glibc {one}"), node(libc=f"glibc {other}"))
    assert found.state is state
    assert bool(found.fix) is (state is State.WARNING)


# --- fresh logins ----------------------------------------------------------------------------------------------------

LOGINS = [
    (FreshLogin(1.0, sftp=True), {}, ""),
    (FreshLogin(1.0, "hello", True, "prints", Trouble.NOISY), {"silence": State.WARNING}, "case $- in *i*)"),
    (FreshLogin(1.0, sftp=False, problem="x", trouble=Trouble.NO_SFTP), {"SFTP": State.WARNING}, "Subsystem sftp"),
    (FreshLogin(1.0), {"SFTP": State.WARNING}, "Subsystem sftp"),
    (FreshLogin(20.0, sftp=True), {"time to log in": State.WARNING}, "bash -xic exit"),
    (FreshLogin(1.0, sftp=True, trouble=Trouble.LOGIN_SHELL), {"fresh login": State.PROBLEM}, "provision rescue ada"),
]  # fmt: skip


@pytest.mark.parametrize(("login", "states", "fix"), LOGINS)
def test_a_fresh_login(login, states, fix):
    found = {one.check: one for one in logins.told("gpu2", login, "ada")}
    assert tuple(found) == logins.CHECKS
    assert {check: one.state for check, one in found.items() if one.state is not State.OK} == states
    assert [one.fix for one in found.values() if one.fix] == [
        one.fix for one in found.values() if fix and fix in one.fix
    ]


def test_a_fresh_login_that_fails_hides_the_rest():
    login = FreshLogin(9.0, problem="the login shell on gpu2 ends", trouble=Trouble.NO_SHELL)
    first, *rest = logins.told("gpu2", login, "ada")
    assert (first.state, first.what) == (State.PROBLEM, "the login shell on gpu2 ends")
    assert {one.state for one in rest} == {State.UNSEEN}


def test_a_login_that_would_cost_a_code_is_not_made():
    found = list(logins.told("gpu2", "another code from you", "ada"))
    assert [one.check for one in found] == list(logins.CHECKS)
    assert {one.what for one in found} == {"not looked at: another login would take another code from you"}


# --- told ------------------------------------------------------------------------------------------------------------


def finding(check="clock", state=State.OK, fix=""):
    return Finding("gpu2", check, state, "so it is", fix)


def test_exit_codes():
    assert exit_code([finding(), finding(state=State.NOTE), finding(state=State.WARNING)]) == 0
    assert exit_code([finding(), finding(state=State.PROBLEM)]) == 1
    assert exit_code([finding(state=State.PROBLEM), finding("login", State.UNSEEN)]) == 3
    assert exit_code([finding("login", State.PROBLEM)]) == 3


def printed(*told):
    stream = io.StringIO()
    printer = FindingsPrinter(
        Console(file=stream, width=80, color_system=None, markup=False, emoji=False, highlight=False)
    )
    for one in told:
        printer.show(one)
    printer.end()
    return stream.getvalue()


def test_findings_as_people_read_them():
    remedy = Remedy("to paste", ("one", "two"))
    assert printed(
        finding(), finding("name", State.WARNING, "do it"), Finding("a", "b", State.NOTE, "c", "d"), remedy
    ) == (
        "gpu2\n"
        "  ok        clock            so it is\n"
        "  warning   name             so it is\n"
        "            fix: do it\n"
        "\na\n"
        "  note      b                c\n"
        "            fix: d\n"
        "\nto paste\n    one\n    two\n"
        "\n3 checks: 1 warning, 1 note\n"
    )
    assert printed(finding()).endswith("\n1 check: all is well\n")
    assert printed() == ""


facts = st.dictionaries(
    st.sampled_from(sorted([*HEALTHY, "lock", "current", "agent", "gpu_0", "nvidia_said"])), st.text()
)


@given(facts, st.booleans())
@settings(deadline=None)
def test_nothing_that_a_host_says_is_an_error_or_reaches_the_terminal(told, computes):
    """Whatever a node answers, each check says something about it, on one printable line."""
    strange = node(computes=computes, **told)
    for check in CHECKS:
        lines = printed(check(strange)).split("\n")
        assert all(visible(line) == line for line in lines)
