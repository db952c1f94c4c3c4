"""The first process of a node. Started in new namespaces, it makes the node's file system and becomes its sshd.

    unshare … python -m scupi_provision.lab.real.node     with a NodeSpec as JSON on standard input

As process 1 of its namespace it takes every process of the node with it when it ends, also those that left their
sessions.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.real.node_root import SSHD_CONFIG, NodeSpec, build_root

_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> NoReturn:
    """Wait for the spec, build the node, and run sshd in it for as long as the node lives."""
    text = sys.stdin.readline()
    if not text:
        sys.exit("whoever started this node gave up")
    spec = NodeSpec.from_json(text)
    try:
        build_root(spec)
    except (ProvisionError, OSError) as error:
        sys.exit(f"{spec.name}: {error}")
    socket.sethostname(spec.name)
    # A new network inherits the machine's forwarding; admin1 is a login node, not a router.
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0\n", encoding="ascii")
    _become_sshd(spec)


def _become_sshd(spec: NodeSpec) -> NoReturn:
    os.chroot(spec.root)
    os.chdir("/")
    os.umask(0o022)
    for command in spec.daemons:
        subprocess.run(command, stdin=subprocess.DEVNULL, env={"PATH": _SYSTEM_PATH}, check=True)
    # By its absolute path, as it demands: it starts itself anew for each connection.
    sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin") or "sshd"
    os.execve(sshd, [sshd, "-D", "-e", "-f", SSHD_CONFIG], {"PATH": os.defpath})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
