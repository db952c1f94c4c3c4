"""Ansible's facts of the machine, its clock and its account, from what `facts.sh` reads; the unknown is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

NAMES = frozenset(
    {
        "distribution_minor_version", "domain", "effective_group_id", "effective_user_id", "kernel_version",
        "loadavg", "lsb", "machine", "machine_id", "memfree_mb", "memory_mb", "pkg_mgr", "processor",
        "processor_cores", "processor_count", "processor_threads_per_core", "python", "python_version",
        "real_group_id", "real_user_id", "selinux", "service_mgr", "swapfree_mb", "swaptotal_mb",
        "uptime_seconds", "user_gecos", "userspace_architecture", "userspace_bits",
    }
)  # fmt: skip
"""Every fact that `system_facts` may tell."""

_PACKAGE_TOOLS = {"Debian": "apt", "Suse": "zypper", "Archlinux": "pacman", "Alpine": "apk"}
"""By family, as the values of `ansible_pkg_mgr` are."""
_FIRST_PROCESSES = {"procd": "openwrt_init", "runit-init": "runit", "svscan": "svc", "openrc-init": "openrc"}
"""What runs as process 1, where Ansible calls it otherwise."""
_BITS_OF_MACHINES = {"x86_64": ("x86_64", "i386")}
"""Architecture of programs by that of the kernel: with 64 bits, with 32."""


def system_facts(raw: Mapping[str, str], family: str) -> dict[str, Any]:
    """Facts by Ansible's names, without the prefix.

    Args:
        raw: As `facts.sh` reads them.
        family: The fact `os_family`.
    """
    told: dict[str, Any] = {
        "distribution_minor_version": distribution_version(raw).partition(".")[2].partition(".")[0] or None,
        "lsb": _lsb(raw.get("lsb", "")),
        "machine": raw.get("architecture"),
        "kernel_version": raw.get("kernel_version"),
        "machine_id": raw.get("machine_id"),
        "user_gecos": raw.get("gecos"),
        "uptime_seconds": int(float(raw["uptime"].split()[0])) if "uptime" in raw else None,
        "pkg_mgr": _package_tool(raw, family),
        "service_mgr": _service_manager(raw),
    }
    for name, source in (("user", "uid"), ("group", "gid")):
        told[f"real_{name}_id"] = told[f"effective_{name}_id"] = int(raw[source]) if source in raw else None
    if "nodename" in raw:
        told["domain"] = raw["nodename"].partition(".")[2]
    known = {name: value for name, value in told.items() if value is not None}
    return {**known, **_load(raw), **_memory(raw), **_processors(raw), **_python(raw), **_bits(raw), **_selinux(raw)}


def distribution_version(raw: Mapping[str, str]) -> str:
    """The release with its minor number, where os-release keeps that to itself: Debian's, and CentOS's."""
    version = raw.get("os_version", "")
    exact = raw.get("debian_version", "")
    if raw.get("os_id") == "debian" and re.fullmatch(r"\d+\.\d+", exact):
        return exact
    named = re.search(r" release (\d+\.\d+)", raw.get("redhat_release", ""))
    return named[1] if named and raw.get("os_id", "centos") == "centos" else version


def date_time(raw: Mapping[str, str]) -> dict[str, str]:
    """The fact `date_time`: the host's clock, in its own time zone except for `iso8601`."""
    words = raw.get("clock", "").split()
    if len(words) != 8:  # not the fields that `facts.sh` asks `date` for
        date, _, time = raw.get("date", "").rstrip("Z").partition("T")
        return {"date": date, "time": time, "iso8601": raw.get("date", "")}
    epoch, date, time, weekday, number, week, zone, offset = words
    year, month, day = date.split("-")
    hour, minute, second = time.split(":")
    return {
        "year": year, "month": month, "day": day, "hour": hour, "minute": minute, "second": second,
        "date": date, "time": time, "epoch": epoch, "epoch_int": epoch,
        "weekday": weekday, "weekday_number": number, "weeknumber": week, "tz": zone, "tz_offset": offset,
        "iso8601": datetime.fromtimestamp(int(epoch), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "iso8601_basic_short": f"{year}{month}{day}T{hour}{minute}{second}",
    }  # fmt: skip


def environment(raw: Mapping[str, str]) -> dict[str, str]:
    """Variables of the account's environment: where programs keep their files."""
    return {name[len("env_") :]: value for name, value in raw.items() if name.startswith("env_")}


def _lsb(text: str) -> dict[str, str] | None:
    """`/etc/lsb-release`; `lsb_release` itself is a program in Python on many systems."""
    said = dict(word.partition("=")[::2] for word in text.split(";") if word)
    names = {"DISTRIB_ID": "id", "DISTRIB_RELEASE": "release", "DISTRIB_DESCRIPTION": "description"}
    told = {
        name: said[key].strip("\"'") for key, name in {**names, "DISTRIB_CODENAME": "codename"}.items() if key in said
    }
    if "release" in told:
        told["major_release"] = told["release"].partition(".")[0]
    return told or None


def _package_tool(raw: Mapping[str, str], family: str) -> str | None:
    """Of Red Hat's family, releases before 8 have yum, the ones after it dnf; Fedora has dnf5 since 41."""
    if family != "RedHat":
        return _PACKAGE_TOOLS.get(family)
    major = raw.get("os_version", "").partition(".")[0]
    if not major.isdecimal():
        return None
    if raw.get("os_id") == "fedora":
        return "dnf5" if int(major) > 40 else "dnf"
    return "yum" if int(major) < 8 else "dnf"


def _service_manager(raw: Mapping[str, str]) -> str | None:
    """Process 1 by its name; what is called init, or is a shell, does not tell."""
    first = raw.get("first_process", "")
    if first and first != "init" and not first.endswith("sh"):
        return _FIRST_PROCESSES.get(first, first)
    return "systemd" if "systemd" in raw else None


def _load(raw: Mapping[str, str]) -> dict[str, Any]:
    words = raw.get("loadavg", "").split()[:3]
    return {"loadavg": dict(zip(("1m", "5m", "15m"), map(float, words), strict=False))} if words else {}


def _memory(raw: Mapping[str, str]) -> dict[str, Any]:
    """In MiB; `facts.sh` tells KiB."""
    pairs = (word.partition("=") for word in raw.get("meminfo", "").split())
    mib = {name: int(kib) // 1024 for name, _, kib in pairs if kib.isdecimal()}
    if not {"MemTotal", "MemFree", "SwapTotal", "SwapFree"} <= mib.keys():
        return {}
    total, free = mib["MemTotal"], mib["MemFree"]
    swap, swap_free = mib["SwapTotal"], mib["SwapFree"]
    told: dict[str, Any] = {"real": {"total": total, "free": free, "used": total - free}}
    told["swap"] = {
        "total": swap, "free": swap_free, "used": swap - swap_free, "cached": mib.get("SwapCached", 0)
    }  # fmt: skip
    if {"Cached", "Buffers"} <= mib.keys():
        usable = free + mib["Cached"] + mib["Buffers"]
        told["nocache"] = {"free": usable, "used": total - usable}
    return {"memory_mb": told, "memfree_mb": free, "swaptotal_mb": swap, "swapfree_mb": swap_free}


def _processors(raw: Mapping[str, str]) -> dict[str, Any]:
    """Where /proc/cpuinfo tells sockets and cores; on other machines and in some containers it does not."""
    words = raw.get("processors", "").split(",", 5)
    if len(words) != 6 or not all(word.isdecimal() for word in words[:4]):
        return {}
    count, sockets, cores, siblings = map(int, words[:4])
    threads = siblings // cores if cores else 0
    return {
        "processor": [text for number in range(count) for text in (str(number), *words[4:])],
        "processor_count": sockets,
        "processor_cores": cores,
        "processor_threads_per_core": threads,
        "processor_vcpus": sockets * cores * threads,
    }


def _python(raw: Mapping[str, str]) -> dict[str, Any]:
    """The python3 (else python) on the account's PATH, as far as the name of its program tells; it is not started."""
    match = re.search(r"/python(\d+)\.(\d+)$", raw.get("python_program", ""))
    if not match or "python" not in raw:
        return {}
    version = dict(zip(("major", "minor"), map(int, match.groups()), strict=True))
    return {
        "python": {"executable": raw["python"], "version": version},
        "python_version": ".".join(match.groups()),
    }


def _bits(raw: Mapping[str, str]) -> dict[str, str]:
    bits = raw.get("word_bits")
    if bits not in {"32", "64"}:
        return {}
    machine = raw.get("architecture", "")
    wide, narrow = _BITS_OF_MACHINES.get(machine, (None, None))
    programs = wide if bits == "64" else narrow
    return {"userspace_bits": bits, **({"userspace_architecture": programs} if programs else {})}


def _selinux(raw: Mapping[str, str]) -> dict[str, Any]:
    if "clock" not in raw:  # nobody has looked
        return {}
    if "selinux" not in raw:
        return {"selinux": {"status": "disabled"}}
    told: dict[str, Any] = {"status": "enabled", "mode": "enforcing" if raw["selinux"] == "1" else "permissive"}
    if raw.get("selinux_policy", "").isdecimal():
        told["policyvers"] = int(raw["selinux_policy"])
    return {"selinux": told}
