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
        program = program.replace("</proc/", f"<{tmp_path}/proc/").replace("</etc/", f"<{tmp_path}/etc/")
        program = program.replace("/run/systemd/system", f"{tmp_path}/none")
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


_ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
ib-0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
ib-0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""
_IP = """\
#!/bin/sh
cat <<'END'
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
4: ib-0    inet 192.0.2.2/24 brd 192.0.2.255 scope global ib-0\\       valid_lft forever preferred_lft forever
4: ib-0    inet6 fd00::2/64 scope global nodad \\       valid_lft forever preferred_lft forever
END
"""


def _link(name: str, state: str, mtu: int, kind: int, mac: str) -> dict[str, str]:
    told = {"operstate": state, "mtu": mtu, "type": kind, "address": mac}
    return {f"sys/class/net/{name}/{key}": f"{value}\n" for key, value in told.items()}


def test_the_network_is_told_by_interfaces_addresses_and_routes(machine, tmp_path):
    program = tmp_path / "bin/ip"
    program.parent.mkdir()
    program.write_text(_IP)
    program.chmod(0o755)
    files = {
        "proc/net/route": _ROUTES,
        **_link("lo", "unknown", 65536, 772, "00:00"),
        **_link("ib-0", "up", 1400, 32, "02:fc"),
    }
    told = machine(files, PATH=f"{program.parent}:/usr/bin:/bin")
    assert sorted(told["interfaces"]) == ["ib-0", "lo"]
    assert (told["all_ipv4_addresses"], told["all_ipv6_addresses"]) == (["192.0.2.2"], ["fd00::2"])
    assert told["default_ipv4"] == {
        "address": "192.0.2.2", "alias": "ib-0", "broadcast": "192.0.2.255", "gateway": "192.0.2.1",
        "interface": "ib-0", "macaddress": "02:fc", "mtu": 1400, "netmask": "255.255.255.0", "network": "192.0.2.0",
        "prefix": "24", "type": "infiniband",
    }  # fmt: skip
    assert told["default_ipv6"] == {}, "there is no route"
    assert told["lo"]["ipv4"]["network"] == "127.0.0.0"
    assert (told["ib_0"]["active"], told["ib_0"]["ipv6"][0]["prefix"]) == (True, "64")


@pytest.mark.parametrize(
    ("raw", "version", "minor"),
    [
        ({"os_id": "debian", "os_version": "12", "debian_version": "12.11"}, "12.11", "11"),
        ({"os_id": "debian", "debian_version": "trixie/sid"}, "", None),
        ({"os_id": "ubuntu", "os_version": "22.04", "debian_version": "bookworm/sid"}, "22.04", "04"),
        ({"os_id": "centos", "os_version": "7", "redhat_release": "CentOS Linux release 7.9.2009 (Core)"}, "7.9", "9"),
        ({"os_text": "CentOS release 6.10 (Final)", "redhat_release": "CentOS release 6.10 (Final)"}, "6.10", "10"),
        ({"os_id": "rocky", "os_version": "8.5", "redhat_release": "Rocky Linux release 8.5 (x)"}, "8.5", "5"),
    ],
)
def test_a_release_has_its_minor_number(raw, version, minor):
    told = Facts(raw).variables()
    assert (told["distribution_version"], told.get("distribution_minor_version")) == (version, minor)


def test_lsb_is_told_by_its_file(machine):
    told = machine({"etc/lsb-release": 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nOTHER="x"\n'})
    assert told["lsb"] == {"id": "Ubuntu", "release": "22.04", "major_release": "22", "codename": "jammy"}
