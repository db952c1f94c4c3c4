"""Commands on the lab's nodes run as sshd would run them."""

import asyncio
import hashlib
import random
import subprocess
import time

import pytest
from scupi_provision.lab.commands import ssh_command

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_five_megabytes_of_any_bytes_come_back_unchanged(lab, host, run):
    data = random.Random(1).randbytes(5_000_000)
    assert run(lab, "cat", host, stdin=data).stdout == data


def test_standard_output_and_error_stay_apart(lab, run):
    result = run(lab, "printf out; printf err >&2")
    assert (result.stdout, result.stderr) == (b"out", b"err")


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_the_exit_status_is_reported(lab, status, run):
    assert run(lab, f"exit {status}").exit_status == status


def test_death_by_a_signal_is_reported_as_such(lab, run):
    assert run(lab, "kill -TERM $$").exit_signal[0] == "TERM"


def test_the_end_of_input_reaches_the_command(lab, run):
    digest = hashlib.sha256(b"abc").hexdigest()
    assert run(lab, "sha256sum", stdin=b"abc").stdout.decode().split()[0] == digest


def test_bashrc_is_read_before_a_command(lab, text):
    """As under a real sshd: bash notices that ssh started it."""
    bashrc = lab.home / ".bashrc"
    original = bashrc.read_text()
    try:
        bashrc.write_text(original + "echo noise from bashrc\n")
        assert text(lab, "echo command") == "noise from bashrc\ncommand\n"
    finally:
        bashrc.write_text(original)


def test_the_environment_is_fresh(lab, run):
    """Nothing of the person's environment leaks in; the client's own requests are ignored but for the language."""
    seen = run(lab, "env", env={"LC_TIME": "C", "EVIL": "1"}).stdout.decode()
    variables = dict(line.split("=", 1) for line in seen.splitlines())
    assert variables["HOME"] == str(lab.home)
    assert variables["USER"] == variables["LOGNAME"] == lab.user
    assert variables["LANG"] == "C.UTF-8"
    assert variables["LC_TIME"] == "C"
    assert "EVIL" not in variables
    assert "VIRTUAL_ENV" not in variables
    assert variables["SHLVL"] in {"0", "1"}  # 0 when bash replaces itself by the only command


def test_a_command_has_a_session_of_its_own(lab, text):
    pid, session = text(lab, "echo $$ $(ps -o sid= -p $$)").split()
    assert pid == session


def test_both_nodes_share_the_home(lab, run, text):
    run(lab, "echo written on admin1 > shared", "admin1")
    assert text(lab, "cat shared", "gpu2") == "written on admin1\n"


def test_each_node_answers_with_its_own_name(lab, text):
    for host in ("admin1", "gpu2"):
        assert text(lab, "hostname; uname -n; echo $HOSTNAME", host).split() == [host] * 3


@pytest.mark.parametrize("login", ["", "bash -lc "])
def test_the_gpu_node_has_no_developer_tools(lab, login, text):
    """Neither in a plain command nor in a login shell, though /etc/profile of this machine may reset PATH."""
    tools = "for t in python python3 pip3 git make gcc cc; do command -v $t; done; echo end"
    assert text(lab, f"{login}'{tools}'" if login else tools, "gpu2") == "end\n"


def test_the_gpu_node_has_the_basic_tools(lab, text):
    tools = ["sh", "sed", "awk", "sha256sum", "tar", "mv", "stat", "readlink"]
    script = "for t in " + " ".join(tools) + "; do command -v $t > /dev/null && echo $t; done"
    assert text(lab, script, "gpu2").split() == tools


def test_python_on_the_login_node_makes_venvs_that_work_on_both(lab, run, text):
    made = run(lab, "python3 -m venv --without-pip env && env/bin/python -c 'import json; print(json.dumps(1))'")
    assert (made.exit_status, made.stdout) == (0, b"1\n"), made.stderr
    assert text(lab, "env/bin/python -c 'import ssl, sys; print(sys.prefix)'", "gpu2") == f"{lab.home}/env\n"


def test_a_terminal_is_given_on_request(lab, connected):
    async def session():
        async with connected(lab) as connection:
            process = await connection.create_process(
                "tty; stty size; echo $TERM", term_type="xterm", term_size=(91, 33)
            )
            return (await process.wait()).stdout

    terminal, size, term = asyncio.run(asyncio.wait_for(session(), 30)).split("\r\n")[:3]
    assert terminal.startswith("/dev/")
    assert (size, term) == ("33 91", "xterm")


def test_a_login_shell_reads_commands(lab, run):
    result = run(lab, None, stdin=b"shopt -q login_shell && echo login; exit 3\n")
    assert result.stdout == b"login\n"
    assert result.exit_status == 3


def test_a_signal_from_the_client_reaches_the_command(lab, connected):
    async def session():
        async with connected(lab) as connection:
            process = await connection.create_process(
                "trap 'echo got it; exit 7' USR1; echo ready; while :; do sleep 0.05; done"
            )
            await process.stdout.readline()
            process.send_signal("USR1")
            return await process.wait()

    result = asyncio.run(asyncio.wait_for(session(), 30))
    assert (result.exit_status, result.stdout) == (7, "got it\n")


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_losing_the_connection_ends_the_input_and_kills_nothing(lab, connected, host):
    """As under a real sshd without a terminal: the command sees EOF, and decides itself."""
    mark = lab.home / f"after-eof-{host}"

    async def session():
        async with connected(lab, host) as connection:
            process = await connection.create_process("echo ready; cat > /dev/null; echo > after-eof-$HOSTNAME")
            await process.stdout.readline()
            connection.abort()

    asyncio.run(asyncio.wait_for(session(), 30))
    assert eventually(mark.exists)


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_losing_the_connection_hangs_up_a_terminal(lab, connected, host):
    mark = lab.home / f"after-hup-{host}"

    async def session():
        async with connected(lab, host) as connection:
            process = await connection.create_process(
                "trap 'echo > after-hup-$HOSTNAME; exit' HUP; echo ready; while :; do sleep 0.05; done",
                term_type="vt100",
            )
            await process.stdout.readline()
            connection.abort()

    asyncio.run(asyncio.wait_for(session(), 30))
    assert eventually(mark.exists)


def test_many_commands_run_at_the_same_time_on_one_connection(lab, connected):
    async def session():
        async with connected(lab, "gpu2") as connection:
            return await asyncio.gather(*(connection.run(f"sleep 0.2; echo {n}") for n in range(20)))

    started = time.monotonic()
    results = asyncio.run(asyncio.wait_for(session(), 30))
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(20)]
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_the_openssh_client_gets_in(lab, host):
    done = subprocess.run(
        [*ssh_command(lab, host), "hostname; exit 5"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.returncode) == (f"{host}\n", 5), done.stderr


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()
