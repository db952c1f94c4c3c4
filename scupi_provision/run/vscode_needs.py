"""What VS Code's server needs of a node, as data and checks; and the ways out where it is not there.

Sources: VS Code's documentation, "Remote Development with Linux" and the remote FAQ (docs/remote/linux.md, faq.md). The
floors are hard since release 1.99 of April 2025 (microsoft/vscode-remote-release#10861, #10911).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scupi_provision.host.finding import Finding, Remedy, State
from scupi_provision.run.doctoring import home, logins
from scupi_provision.run.doctoring.machine import version_of
from scupi_provision.run.doctoring.node import Node, numbered

DOWNLOADS = ("https://update.code.visualstudio.com/", "https://marketplace.visualstudio.com/")
"""Where the server and its extensions come from, when the node fetches them itself (FAQ, "offline")."""
LAST_CLIENT = "1.98.2"
"""The last client that only warns of an old system instead of refusing it."""

_MIB = 1024**2
_LEAST_FREE, _SMALL_FREE = 500 * _MIB, 2048 * _MIB
"""Bytes. A server takes some 300 MiB, and each release of the client brings another one; extensions come on top."""
_TOO_OLD = "too old for VS Code's server"


@dataclass(frozen=True)
class Floor:
    """The oldest version that will do.

    Attributes:
        check: What it is about.
        least: The version.
        first: What has it, for people.
    """

    check: str
    least: str
    first: str


KERNEL = Floor("kernel", "4.18", "RHEL 8, Ubuntu 18.10, Debian 10")
C_LIBRARY = Floor("glibc", "2.28", "RHEL 8, Ubuntu 18.10, Debian 10")
CXX_LIBRARY = Floor("libstdc++", "3.4.25", "GCC 8")
ARCHITECTURES = ("x86_64", "aarch64", "armv7l", "armv8l")

_OLD_FIX = "choose one of the ways below"


def architecture(node: Node) -> Finding:
    """For which there is a server at all."""
    seen = node.raw.get("architecture", "?")
    if seen in ARCHITECTURES:
        return node.ok("architecture", seen)
    what = f"{seen}: there are servers for {', '.join(ARCHITECTURES)} only"
    return node.found("architecture", State.PROBLEM, what, f"provision jupyter --node {node.name}")


def kernel(node: Node) -> Finding:
    """What `uname -r` says, up to the first thing that is no number."""
    return _compared(node, KERNEL, node.raw.get("kernel", "").split("-")[0])


def c_library(node: Node) -> Finding:
    """glibc, or musl, for which there is a server of its own."""
    if node.facts.glibc is None and "musl" in node.raw:
        return node.ok(C_LIBRARY.check, f"musl ({node.raw['musl']}), for which there is a server of its own")
    return _compared(node, C_LIBRARY, node.facts.glibc or "")


def cxx_library(node: Node) -> Finding:
    """The newest `GLIBCXX_` name in libstdc++.so.6."""
    versions = sorted(node.raw.get("libstdcxx", "").split(), key=version_of)
    return _compared(node, CXX_LIBRARY, versions[-1] if versions else "")


def _compared(node: Node, floor: Floor, version: str) -> Finding:
    if not version:
        what = f"not found; {floor.least} is needed"
        return node.found(floor.check, State.PROBLEM, what, _OLD_FIX)
    if version_of(version) >= version_of(floor.least):
        return node.ok(floor.check, f"{version} ({floor.least} is needed)")
    what = f"{version} is {_TOO_OLD}, which needs {floor.least} ({floor.first})"
    return node.found(floor.check, State.PROBLEM, what, _OLD_FIX)


def programs(node: Node) -> Finding:
    """With which the client installs the server."""
    missing = [name for name in ("bash", "tar") if f"has_{name}" not in node.raw]
    if missing:
        fix = f"ask the administrator of {node.name} to install {' and '.join(missing)}"
        return node.found("programs", State.PROBLEM, f"no {' and no '.join(missing)}", fix)
    loaders = [name for name in ("curl", "wget") if f"has_{name}" in node.raw]
    if loaders:
        return node.ok("programs", f"bash, tar, {' and '.join(loaders)}")
    return node.found("programs", State.NOTE, "bash and tar, but neither curl nor wget", _setting_fix(_LOCAL_DOWNLOAD))


def download(node: Node) -> Finding:
    """Whether the node can fetch the server by itself."""
    answers = list(numbered(node.raw, "reach"))
    if answers and all(answer == "yes" for answer in answers):
        return node.ok("download", "the node can fetch the server by itself")
    what = "the node does not reach VS Code's servers: the client has to bring what it needs"
    return node.found("download", State.NOTE, what, _setting_fix(_LOCAL_DOWNLOAD))


def locks(node: Node) -> Finding:
    """The server locks files in the home, which many network file systems refuse ("No locks available")."""
    space = home.space_of(node)
    if space is None or not space.is_remote:
        return node.ok("home", f"on {space.kind if space else 'an unknown file system'}")
    what = f"on {space.kind}: the server's locks may fail there or hang"
    return node.found("home", State.NOTE, what, _setting_fix(*_NETWORK_HOME))


def room(node: Node) -> Finding:
    """~/.vscode-server."""
    space = home.space_of(node)
    if space is None or space.free >= _SMALL_FREE:
        return node.ok("space", f"{home.gib(space.free)} free" if space else "the node does not tell")
    state = State.PROBLEM if space.free < _LEAST_FREE else State.WARNING
    elsewhere = f'"remote.SSH.serverInstallPath": {{"scupi-{node.name}": "/a/folder/with/room"}}'
    fix = f"make room, or {_setting_fix(elsewhere)}"
    return node.found("space", state, f"only {home.gib(space.free)} free; each release takes 300 MiB", fix)


CHECKS = (architecture, kernel, c_library, cxx_library, programs, download, locks, room, home.quota)
"""In the order in which they are told."""


# --- what to do ------------------------------------------------------------------------------------------------------

_LOCAL_DOWNLOAD = '"remote.SSH.localServerDownload": "always"'
_NETWORK_HOME = ('"remote.SSH.useFlock": false', '"remote.SSH.lockfilesInTmp": true')
_PATIENCE = '"remote.SSH.connectTimeout": 60'


def _setting_fix(*settings: str) -> str:
    return f"in VS Code's settings.json: {', '.join(settings)}"


def remedies(findings: Sequence[Finding]) -> Iterator[Remedy]:
    """What to paste and which ways there are, for all nodes together."""
    wanted = {
        _LOCAL_DOWNLOAD: any(one.check in {"programs", "download"} and one.state is State.NOTE for one in findings),
        **dict.fromkeys(_NETWORK_HOME, any(one.check == "home" and one.state is State.NOTE for one in findings)),
        _PATIENCE: any(one.check == logins.CHECKS[3] and one.state is State.WARNING for one in findings),
    }
    settings = tuple(f"{line}," for line, is_wanted in wanted.items() if is_wanted)
    if settings:
        yield Remedy('for VS Code\'s settings.json (F1, "Preferences: Open User Settings (JSON)")', settings)
    floors = {KERNEL.check, C_LIBRARY.check, CXX_LIBRARY.check}
    old = [one for one in findings if one.state is State.PROBLEM and one.check in floors]
    if old:
        yield from _ways_out(old)


def _ways_out(old: Sequence[Finding]) -> Iterator[Remedy]:
    names = " or ".join(dict.fromkeys(one.hop for one in old))
    node = old[0].hop
    yield Remedy(
        f"1. without VS Code on {names}: notebooks in the browser, which need nothing of this",
        (f"provision jupyter --node {node}",),
    )
    yield Remedy(
        f"2. the last VS Code that does not refuse old systems, {LAST_CLIENT}, with updates off",
        (
            f"https://update.code.visualstudio.com/{LAST_CLIENT}/win32-x64-user/stable",
            "    (on other systems darwin-universal or linux-x64 in place of win32-x64-user)",
            '"update.mode": "none", "extensions.autoUpdate": false,',
        ),
    )
    if all(one.check != KERNEL.check for one in old):
        yield Remedy(
            '3. a newer C library for the server alone (VS Code\'s FAQ, "older Linux distributions"; not proved here)',
            _SYSROOT,
        )


_PREFIX = "$HOME/vscode-libc"
_ROOT = f"{_PREFIX}/x86_64-conda-linux-gnu/sysroot"
_SYSROOT = (
    f"conda create -y -p {_PREFIX} -c conda-forge sysroot_linux-64=2.28 libstdcxx-ng patchelf",
    f"export VSCODE_SERVER_CUSTOM_GLIBC_LINKER={_ROOT}/lib64/ld-linux-x86-64.so.2",
    f"export VSCODE_SERVER_CUSTOM_GLIBC_PATH={_PREFIX}/lib:{_ROOT}/lib64",
    f"export VSCODE_SERVER_PATCHELF_PATH={_PREFIX}/bin/patchelf",
    "the three exports go to the top of ~/.bashrc on the node; then remove ~/.vscode-server and connect again",
)
"""The names of the variables and what they are for: VS Code's FAQ, which asks for patchelf 0.18 or later."""
