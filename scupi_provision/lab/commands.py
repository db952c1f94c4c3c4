"""The lab's front door: what `provision lab …` and `--lab` call."""

from __future__ import annotations

import shlex

from scupi_provision.errors import InputError
from scupi_provision.lab.control import down, reset, status, up
from scupi_provision.lab.layout import ADMIN, GPU, NODES
from scupi_provision.lab.real.state import RealLab
from scupi_provision.lab.state import Lab, LabStatus

__all__ = ["Lab", "LabStatus", "down", "reset", "ssh_command", "status", "up"]


def ssh_command(lab: Lab | RealLab, host: str = ADMIN) -> list[str]:
    """The OpenSSH client's argument list for a login on `host` of the lab; a remote command may be appended.

    Raises:
        InputError: The lab has no such host.
    """
    if host not in NODES:
        raise InputError(f"the lab has no host {host!r}", hint=f"its hosts are {' and '.join(NODES)}")
    admin = ["-p", str(lab.admin_port), f"{lab.user}@{lab.admin_address}"]
    if host == ADMIN:
        return ["ssh", *_options(lab), *admin]
    jump = shlex.join(["ssh", *_options(lab), "-W", f"{GPU}:22", *admin])
    # ssh expands % in the proxy command once more.
    return ["ssh", *_options(lab), "-o", f"ProxyCommand={jump.replace('%', '%%')}", f"{lab.user}@{GPU}"]


def _options(lab: Lab | RealLab) -> list[str]:
    settings = {
        "IdentityFile": _quoted(str(lab.key_file)),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": _quoted(str(lab.known_hosts)),
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "LogLevel": "ERROR",
    }
    # The person's own ssh configuration must neither help nor hinder.
    options = ["-F", "none"]
    for name, value in settings.items():
        options += ["-o", f"{name}={value}"]
    return options


def _quoted(path: str) -> str:
    """A path as an option's value: quoted against spaces, percent signs doubled against token expansion."""
    return '"' + path.replace("%", "%%") + '"'
