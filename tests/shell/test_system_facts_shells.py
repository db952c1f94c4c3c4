"""The facts of machine, clock and account, read in every shell and told by Ansible's names."""

from __future__ import annotations

import os
import subprocess

import pytest
from scupi_provision.host.facts import Facts
from scupi_provision.shell.program import prelude

_ASK = 'p_put() { printf %s "$1"; }\nP_PATH=$PATH P_LANG=C P_UMASK=022\nexec 3>&1\n'
_CPUINFO = """\
processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model name\t: A, Processor: @ 2.00GHz
physical id\t: {socket}
siblings\t: 4
cpu cores\t: 2
flags\t\t: fpu vme
"""
_MEMINFO = """\
MemTotal:        8388608 kB
MemFree:         1048576 kB
MemAvailable:    7340032 kB
Buffers:           10240 kB
Cached:          1024000 kB
SwapCached:         2048 kB
SwapTotal:       2097152 kB
SwapFree:        1048576 kB
"""


@pytest.fixture(params=[("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)], ids=lambda shell: shell[0])
def machine(request, tmp_path):
    """`machine(files)`: the facts of a host whose files of /proc and /sys are these and no others."""

    def read(files, **environment):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        program = prelude("NONCE", "run")
        for folder in ("proc", "sys", "etc", "run/systemd"):
            program = program.replace(f" /{folder}/", f" {tmp_path}/{folder}/")
        program = program.replace("</proc/", f"<{tmp_path}/proc/").replace("/run/systemd/system", f"{tmp_path}/none")
        done = subprocess.run(
            [*request.param, "-c", f"{_ASK}{program}p_fact_system\n"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == b""
        lines = [line.split(" ", 4) for line in done.stdout.decode().splitlines()]
        return Facts({name: value for _, _, _, name, value in lines}).variables()

    return read


def test_two_sockets_are_counted_with_their_cores_and_threads(machine):
    text = "\n".join(_CPUINFO.format(number=number, socket=number // 4) for number in range(8))
    told = machine({"proc/cpuinfo": text})
    assert (told["processor_count"], told["processor_cores"], told["processor_threads_per_core"]) == (2, 2, 2)
    assert told["processor_vcpus"] == 8
    one = ["GenuineIntel", "A, Processor: @ 2.00GHz"]
    assert told["processor"] == [text for number in "01234567" for text in (number, *one)]


def test_memory_and_swap_are_in_mebibytes(machine):
    told = machine({"proc/meminfo": _MEMINFO})
    assert told["memory_mb"] == {
        "real": {"total": 8192, "free": 1024, "used": 7168},
        "swap": {"total": 2048, "free": 1024, "used": 1024, "cached": 2},
        "nocache": {"free": 2034, "used": 6158},
    }
    assert (told["memfree_mb"], told["swaptotal_mb"], told["swapfree_mb"]) == (1024, 2048, 1024)


def test_what_a_host_does_not_tell_is_not_there(machine):
    told = machine({})
    missing = {"memory_mb", "processor", "processor_count", "loadavg", "uptime_seconds", "machine_id", "service_mgr"}
    assert not missing & told.keys()


@pytest.mark.parametrize(("first", "named"), [("systemd", "systemd"), ("runit-init", "runit"), ("init", None)])
def test_the_first_process_names_what_manages_services(machine, first, named):
    assert machine({"proc/1/comm": f"{first}\n"}).get("service_mgr") == named


def test_selinux_is_told_by_the_kernel(machine):
    told = machine({"sys/fs/selinux/enforce": "0", "sys/fs/selinux/policyvers": "33\n"})
    assert told["selinux"] == {"status": "enabled", "mode": "permissive", "policyvers": 33}


def test_the_clock_is_in_the_time_zone_of_the_account_and_in_universal_time(machine):
    told = machine({}, TZ="XYZ-5:30")["date_time"]
    assert (told["tz"], told["tz_offset"]) == ("XYZ", "+0530")
    assert told["iso8601"].endswith("Z")
    assert told["iso8601_basic_short"] == f"{told['date']}T{told['time']}".replace("-", "").replace(":", "")


def test_folders_of_the_account_are_in_its_environment(machine):
    told = machine({}, XDG_CONFIG_HOME="/somewhere/config", SECRET_TOKEN="not for facts")["env"]
    assert told["XDG_CONFIG_HOME"] == "/somewhere/config"
    assert "SECRET_TOKEN" not in told
