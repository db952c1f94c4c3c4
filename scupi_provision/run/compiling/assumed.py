"""The account that a script is made for when nobody has looked at it: an old cluster, an empty home."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.models import Host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import setting
from scupi_provision.source import diagnostic, suggestion

VARIABLE = "provision_assumed"
"""The inventory's variable with what is known of a host that cannot be reached."""
_HOMES = "/public/home"
"""Where the homes of SCUPI's cluster are, as its users' tutorial shows them."""
_TOOLS = ("curl", "wget", "tar", "gzip", "bzip2", "xz", "unzip", "make", "cc", "gcc", "perl", "git", "setsid", "base64")
_OLD_CLUSTER: Mapping[str, Any] = {
    "shell": "/bin/bash", "umask": "022", "architecture": "x86_64", "glibc": "2.17", "os": "centos 7", "cpus": 8,
    "tools": list(_TOOLS), "compiler": "gcc 4.8.5", "headers": [], "libcurl": "", "openssl": "", "driver": "",
    "cuda": "", "gpus": [],
}  # fmt: skip
"""CentOS 7 as it is installed: git 1.8, glibc 2.17, gcc 4.8.5."""


def assumed_facts(host: Host, request: RunRequest) -> dict[str, str]:
    """The facts of `host` as `facts.sh` would tell them, from `provision_assumed` and what an old cluster has.

    Raises:
        InputError: The variable is no mapping, or names something that is no such fact.
    """
    given = setting(host, request, VARIABLE, {})
    user = str(setting(host, request, "ansible_user", host.account or ""))
    if not isinstance(given, Mapping):
        raise InputError.of([diagnostic(f"{VARIABLE} is a mapping, such as {{home: /home/me}}", host.where)])
    for name in given:
        if name not in {*_OLD_CLUSTER, "home", "user"}:
            hint = suggestion(str(name), [*_OLD_CLUSTER, "home"]) or f"it knows home, {', '.join(_OLD_CLUSTER)}"
            raise InputError.of([diagnostic(f"{VARIABLE} has {name!r}, which is no fact", host.where, hint=hint)])
    wanted = {"home": f"{_HOMES}/{user}", "user": user, **_OLD_CLUSTER, **given}
    told = {name: tell(wanted) for name, tell in _RAW.items()}
    return {name: text for name, text in told.items() if text} | _gpus(wanted)


def _words(value: Any) -> str:
    return " ".join(str(item) for item in value)


_RAW: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "home": lambda known: str(known["home"]).rstrip("/"),
    "user": lambda known: str(known["user"]),
    "shell": lambda known: str(known["shell"]),
    "umask": lambda known: str(known["umask"]),
    "path": lambda _: "/usr/local/bin:/usr/bin:/bin",
    "nodename": lambda known: str(known.get("nodename", "")),
    "system": lambda _: "Linux",
    "architecture": lambda known: str(known["architecture"]),
    "cpus": lambda known: str(known["cpus"]),
    "libc": lambda known: f"glibc {known['glibc']}",
    "os_id": lambda known: str(known["os"]).partition(" ")[0],
    "os_version": lambda known: str(known["os"]).partition(" ")[2],
    "tools": lambda known: _words(f"{name}=/usr/bin/{name}" for name in known["tools"]),
    "build_cc": lambda known: str(known["compiler"]),
    "build_libcurl": lambda known: str(known["libcurl"]),
    "build_openssl": lambda known: str(known["openssl"]),
    "build_headers": lambda known: _words(known["headers"]),
    "nvidia_driver_text": lambda known: str(known["driver"]),
    "nvidia_header": lambda known: f"CUDA Version: {known['cuda']}" if known["cuda"] else "",
}


def _gpus(known: Mapping[str, Any]) -> dict[str, str]:
    """Lines as nvidia-smi gives them; what is not known is left empty."""
    return {
        f"gpu_{number}": f"{number}, , {name}, , {known['driver']}, , " for number, name in enumerate(known["gpus"])
    }


def is_in(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def is_told(path: str, home: str) -> bool:
    """Whether an assumption says what is at `path`: in the home, and the folders above it."""
    return is_in(path, home) or is_in(home, path)


def first_untold(paths: Iterable[str], home: str) -> str | None:
    """The first of these paths about which nothing is assumed."""
    return next((path for path in paths if not is_told(posixpath.normpath(path), home)), None)
