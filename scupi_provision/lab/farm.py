"""The directories that make one machine look like two: which programs each node has."""

from __future__ import annotations

import fnmatch
import os
import shlex
import shutil
import sys
from pathlib import Path

from scupi_provision.lab.layout import ADMIN, GPU, NODES, LabLayout

_SYSTEM_DIRECTORIES = ("/usr/bin", "/bin")

# A compute node without developer tools: what a verification finds there, the apply has put into the home.
_ABSENT_ON_GPU = (
    *("python*", "pypy*", "py3*", "pydoc*", "pdb*", "idle*", "2to3*", "pip", "pip[0-9]*", "pipx", "uv", "uvx"),
    *("conda*", "mamba*", "micromamba*", "pyenv*", "virtualenv*"),
    *("git", "git-*", "gitk", "scalar"),
    *("cc", "gcc*", "g++*", "c++*", "c89*", "c99*", "cpp*", "clang*", "tcc", "*-linux-gnu-*"),
    *("make", "gmake", "cmake*", "ninja", "meson", "autoconf*", "automake*", "autoreconf*"),
)

_HOSTNAME = """\
#!/bin/sh
# Both nodes of the lab are one machine; this is the name of the node.
case ${1-} in
'' | -s | --short | -f | --fqdn | --long | -A | --all-fqdns) echo %(node)s ;;
-i | --ip-address | -I | --all-ip-addresses) echo 127.0.0.1 ;;
-d | --domain) echo ;;
*) echo "hostname: the lab's nodes cannot be renamed" >&2; exit 1 ;;
esac
"""

_UNAME = """\
#!/bin/sh
# Both nodes of the lab are one machine; only the node's name differs.
case $* in
-n | --nodename) echo %(node)s ;;
*) exec %(uname)s "$@" ;;
esac
"""


def build_farms(layout: LabLayout) -> None:
    """Make `bin/admin1` and `bin/gpu2` anew. Each appears complete, by a rename."""
    for node in NODES:
        final = layout.bin(node)
        fresh = final.with_name(f".{node}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        if node == GPU:
            _link_system_programs(fresh)
        _write_node_names(fresh, node)
        if node == ADMIN:
            _write_python(fresh)
        if final.exists():
            shutil.rmtree(final)
        fresh.rename(final)


def _link_system_programs(farm: Path) -> None:
    for directory in _SYSTEM_DIRECTORIES:
        for entry in os.scandir(directory):
            link = farm / entry.name
            if present_on_gpu(entry.name) and not link.exists() and os.access(entry.path, os.X_OK):
                link.symlink_to(entry.path)
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi and not (farm / "nvidia-smi").exists():
        (farm / "nvidia-smi").symlink_to(nvidia_smi)


def present_on_gpu(name: str) -> bool:
    """Whether the GPU node has a program of this name."""
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in _ABSENT_ON_GPU)


def _write_node_names(farm: Path, node: str) -> None:
    uname = shutil.which("uname", path=":".join(_SYSTEM_DIRECTORIES)) or "/bin/uname"
    for name, text in (("hostname", _HOSTNAME), ("uname", _UNAME)):
        _write_script(farm / name, text % {"node": node, "uname": uname})


def _write_python(farm: Path) -> None:
    """The login node's python3 is the interpreter under ours, so the mirror's wheels fit it.

    A script, not a link: an interpreter started through a link outside its installation would name that link as the
    home of every venv it makes, and the venv would die with the lab's next start.
    """
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for name in ("python3", f"python{sys.version_info.major}.{sys.version_info.minor}"):
        _write_script(farm / name, f'#!/bin/sh\nexec {shlex.quote(str(interpreter))} "$@"\n')


def _write_script(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
