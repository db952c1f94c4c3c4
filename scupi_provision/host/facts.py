"""What is known of a host before anything is planned, and how playbooks see it (Ansible's names)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.host import gpus, network_facts, system_facts

_RELEASE_FILE_FAMILIES = {
    "debian": "Debian", "ubuntu": "Debian", "linuxmint": "Debian", "raspbian": "Debian",
    "rhel": "RedHat", "centos": "RedHat", "fedora": "RedHat", "rocky": "RedHat", "almalinux": "RedHat", "ol": "RedHat",
    "opensuse-leap": "Suse", "sles": "Suse", "arch": "Archlinux", "alpine": "Alpine",
}  # fmt: skip
_DISTRIBUTION_NAMES = {
    "debian": "Debian", "ubuntu": "Ubuntu", "rhel": "RedHat", "centos": "CentOS", "fedora": "Fedora", "rocky": "Rocky",
    "almalinux": "AlmaLinux", "opensuse-leap": "openSUSE Leap", "sles": "SLES", "arch": "Archlinux", "alpine": "Alpine",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """Facts as `facts.sh` reads them. Text in `raw` comes from the host and is never a template."""

    raw: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The account's home directory, without a final slash (except for `/` itself)."""
        return self.raw.get("home", "/").rstrip("/") or "/"

    @property
    def umask(self) -> int:
        """The account's file mode creation mask."""
        return int(self.raw.get("umask", "022"), 8)

    @property
    def tools(self) -> dict[str, str]:
        """Programs found on the account's PATH: name to path."""
        pairs = (item.partition("=") for item in self.raw.get("tools", "").split())
        return {name: path for name, _, path in pairs}

    @property
    def glibc(self) -> str | None:
        """The C library's version, such as "2.17"; None where it is not glibc."""
        match = re.fullmatch(r"glibc ([0-9.]+)", self.raw.get("libc", ""))
        return match[1] if match else None

    @property
    def gpus(self) -> tuple[gpus.Gpu, ...]:
        """The GPUs that the NVIDIA driver lists."""
        return gpus.gpus(self.raw)

    @property
    def nvidia_driver(self) -> str | None:
        """The loaded NVIDIA kernel driver's version, such as "510.47.03"; None without one."""
        return gpus.driver(self.raw)

    @property
    def build(self) -> dict[str, Any]:
        """What a build on this host would find.

        `cc`: the compiler, such as "gcc 4.8.5". `libcurl`, `openssl`: the versions of their headers, such as "7.29.0"
        and "1.0.2k". `headers`: those that are there of the ones that `facts.sh` looks for, in the compiler's own
        folders. `cargo`: whether Rust can be compiled. What is not there is "" or false.
        """
        openssl = re.search(r"\d+\.\d+\.\d+[a-z]*", self.raw.get("build_openssl", ""))
        return {
            "cc": _compiler(self.raw.get("build_cc", "")),
            "libcurl": self.raw.get("build_libcurl", ""),
            "openssl": openssl[0] if openssl else "",
            "headers": self.raw.get("build_headers", "").split(),
            "cargo": "build_cargo" in self.raw,
        }

    def variables(self) -> dict[str, Any]:
        """`ansible_facts`: the facts by Ansible's names (without the prefix `ansible_`), and ours."""
        raw = self.raw
        os_id = raw.get("os_id", "")
        version = system_facts.distribution_version(raw)
        nodename = raw.get("nodename", "")
        family = _family(os_id, raw.get("os_like", ""), raw.get("os_text", ""))
        return {
            "architecture": raw.get("architecture", ""),
            "date_time": system_facts.date_time(raw),
            "distribution": _DISTRIBUTION_NAMES.get(os_id, os_id.capitalize() or "OtherLinux"),
            "distribution_major_version": version.split(".")[0],
            "distribution_release": raw.get("os_codename", ""),
            "distribution_version": version,
            "env": {
                "HOME": self.home,
                "PATH": raw.get("path", ""),
                "USER": raw.get("user", ""),
                "SHELL": raw.get("shell", ""),
                "LANG": raw.get("lang", ""),
                **system_facts.environment(raw),
            },
            "fqdn": nodename,
            "hostname": nodename.split(".")[0],
            "nodename": nodename,
            "kernel": raw.get("kernel", ""),
            "memtotal_mb": int(raw.get("memory_kib", "0")) // 1024,
            "os_family": family,
            "processor_vcpus": int(raw.get("cpus", "1")),
            "processor_nproc": int(raw.get("cpus", "1")),
            "system": raw.get("system", ""),
            "user_dir": self.home,
            "user_gid": int(raw.get("gid", "0")),
            "user_id": raw.get("user", ""),
            "user_shell": raw.get("shell", ""),
            "user_uid": int(raw.get("uid", "0")),
            **system_facts.system_facts(raw, family),
            **network_facts.network_facts(raw),
            # ours: what choosing builds for this cluster needs
            "build": self.build,
            "glibc": self.glibc or "",
            "gpus": gpus.plain(self.gpus),
            "gpu_count": len(self.gpus),
            "compute_caps": gpus.capabilities(self.gpus),
            "nvidia_driver": self.nvidia_driver or "",
            "cuda_driver": gpus.cuda_driver(self.raw),
            "tools": self.tools,
        }


def _compiler(text: str) -> str:
    """`cc (Debian 12.2.0-14) 12.2.0`, `Debian clang version 14.0.6` as "gcc 12.2.0", "clang 14.0.6"."""
    without_origin = re.sub(r"\([^)]*\)", "", text)
    version = re.search(r"\d+(?:\.\d+)+", without_origin)
    name = "clang" if "clang" in text else "gcc"
    return f"{name} {version[0]}" if version else ""


def _family(os_id: str, like: str, release_text: str) -> str:
    for name in (os_id, *like.split()):
        if name in _RELEASE_FILE_FAMILIES:
            return _RELEASE_FILE_FAMILIES[name]
    return "RedHat" if "release" in release_text else os_id.capitalize()


FACT_NAMES = frozenset(Facts().variables()) | system_facts.NAMES | network_facts.NAMES
"""Names that may be under `ansible_facts`; each is also offered as `ansible_<name>`."""
