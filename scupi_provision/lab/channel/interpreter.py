"""The conda package `python`: the interpreter under ours, made to run from wherever it is linked.

Building it from the source tarball would be purer and take three minutes of a newcomer's first command. What counts for
the lab is that it is a whole CPython in a real package, with its own prefix and its own site-packages.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.channel.archive import Package, pack
from scupi_provision.lab.channel.bytecode import compile_below
from scupi_provision.lab.controller import run_here

_LEFT_OUT = ("test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "EXTERNALLY-MANAGED")
_OWN_RUN_PATH = b"$ORIGIN/../lib"
_SYSTEM_PREFIXES = ("/usr", "/usr/local")


@dataclass(frozen=True)
class Interpreter:
    """Where the parts of the interpreter under ours are.

    Attributes:
        executable: The program itself, no link.
        prefix: Where it was installed.
        library: The standard library.
        headers: Python.h and the others; may be absent.
        shared: libpython, where the program is linked against one.
    """

    executable: Path
    prefix: Path
    library: Path
    headers: Path
    shared: Path | None

    @property
    def name(self) -> str:
        """For example "python3.11"."""
        return f"python{sys.version_info.major}.{sys.version_info.minor}"


def this_interpreter() -> Interpreter:
    """The interpreter under the environment that we run in."""
    prefix = Path(sys.base_prefix)
    shared = None
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        found = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME"))
        shared = found if found.is_file() else None  # absent where the distribution's program does not use it
    return Interpreter(
        executable=Path(getattr(sys, "_base_executable", sys.executable)).resolve(),
        prefix=prefix,
        library=Path(sysconfig.get_path("stdlib")),
        headers=Path(sysconfig.get_config_var("INCLUDEPY") or prefix / "include"),
        shared=shared,
    )


def pack_interpreter(channel: Path, workspace: Path, subdir: str, tarball: Path | None) -> Path:
    """Write the package `python` into `channel`; returns the file.

    Args:
        channel: The channel's folder.
        workspace: An existing folder for the tree.
        subdir: The platform's folder of the channel.
        tarball: CPython's source, for the files that a distribution has changed; None where there is none.

    Raises:
        ProvisionError: This interpreter cannot be moved, or upstream's own files are needed and not at hand.
    """
    interpreter = this_interpreter()
    root = workspace / "python"
    _copy(interpreter, root)
    if _is_changed_by_distribution():
        _restore_upstream(root, interpreter.name, tarball)
    compile_below(root / "lib" / interpreter.name)
    placeholders = _placeholders(interpreter, root)
    _prove(interpreter, root)
    package = Package(
        name="python",
        version=platform.python_version(),
        build=f"lab_0_cp{sys.version_info.major}{sys.version_info.minor}",
        subdir=subdir,
        depends=_depends(),
        license="PSF-2.0",
        summary="The interpreter that the lab's controller runs on",
        home="https://www.python.org/",
        placeholders=placeholders,
    )
    return pack(package, root, channel)


def _copy(interpreter: Interpreter, root: Path) -> None:
    programs = root / "bin"
    programs.mkdir(parents=True)
    _copy_binary(interpreter, interpreter.executable, programs / interpreter.name)
    for link in ("python3", "python"):
        (programs / link).symlink_to(interpreter.name)
    library = root / "lib" / interpreter.name
    shutil.copytree(interpreter.library, library, symlinks=False, ignore=_left_out)
    (library / "site-packages").mkdir()
    (library / "site-packages" / "README.txt").write_text("Third-party modules go here.\n", encoding="utf-8")
    if interpreter.headers.is_dir():
        shutil.copytree(interpreter.headers, root / "include" / interpreter.headers.name, symlinks=False)
    if interpreter.shared:
        _copy_binary(interpreter, interpreter.shared, root / "lib" / interpreter.shared.name)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What nobody runs: tests, other people's packages, bytecode with foreign paths, static libraries."""
    return {
        name
        for name in names
        if name in _LEFT_OUT or name.endswith((".a", ".o")) or not os.access(Path(folder, name), os.R_OK)
    }


def _copy_binary(interpreter: Interpreter, source: Path, target: Path) -> None:
    """Copy, and let the loader look for libpython beside the copy instead of where the original was installed."""
    content = source.read_bytes()
    old = f"{interpreter.prefix}/lib".encode() + b"\0"
    if interpreter.shared and old in content and len(old) > len(_OWN_RUN_PATH):
        # In place, as the string table's length is fixed; the loader ends at the first zero.
        content = content.replace(old, _OWN_RUN_PATH.ljust(len(old), b"\0"))
    target.write_bytes(content)
    target.chmod(0o755)


def _is_changed_by_distribution() -> bool:
    """Whether pip would install into Debian's own place instead of site-packages."""
    return "posix_local" in sysconfig.get_scheme_names()


def _restore_upstream(root: Path, name: str, tarball: Path | None) -> None:
    """Debian changes where packages go and are looked for; an environment of conda needs upstream's ways.

    Where they go is sysconfig's business, of which upstream's text is taken. Where they are looked for is that of site,
    which is compiled into the program: a line in the one place that it looks at adds the right one.
    """
    top = f"Python-{platform.python_version()}/Lib/"
    if tarball is None or not tarball.name.startswith(f"Python-{platform.python_version()}.tar."):
        raise ProvisionError(
            "the distribution's python puts packages into a place of its own, and upstream's files are not at hand",
            hint="use a python that is not the distribution's, or connect to the internet once",
        )
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = member.name.removeprefix(top)
            if path in {"sysconfig.py", "sysconfig/__init__.py"} and (source := archive.extractfile(member)):
                (root / "lib" / name / path).write_bytes(source.read())
    searched = root / "lib/python3/dist-packages"
    searched.mkdir(parents=True)
    line = f'import site, sys; site.addsitedir(sys.prefix + "/lib/{name}/site-packages")\n'
    (searched / "site-packages.pth").write_text(line, encoding="utf-8")


def _placeholders(interpreter: Interpreter, root: Path) -> dict[str, str]:
    """The files that name the interpreter's prefix: what was configured, for those who build extensions."""
    if str(interpreter.prefix) in _SYSTEM_PREFIXES:
        return {}  # too short to be told from the system's own directories
    library = root / "lib" / interpreter.name
    found = {}
    for path in (*library.glob("_sysconfigdata*.py"), *library.glob("config-*/*"), *library.glob("config-*/Makefile")):
        if path.is_file() and str(interpreter.prefix).encode() in path.read_bytes():
            found[path.relative_to(root).as_posix()] = str(interpreter.prefix)
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
                compiled.unlink()  # it would keep the old prefix
    return found


def _depends() -> tuple[str, ...]:
    """The C library must be at least the one that this interpreter runs with; what it needs besides is the system's."""
    name, version = platform.libc_ver()
    return (f"__glibc >={version}",) if name == "glibc" and version else ()


_PROOF = """
import sys, sysconfig, ssl, ctypes, zlib
print(sys.prefix)
print(sysconfig.get_path("purelib") in sys.path and "finds its packages")
print(open("/proc/self/maps").read() if sys.platform == "linux" else "")
"""


def _prove(interpreter: Interpreter, root: Path) -> None:
    """Run it where it is: it must find its library there, and load nothing of the original installation.

    Raises:
        ProvisionError: It does not.
    """
    ran = run_here([str(root / "bin/python"), "-I", "-c", _PROOF], directory=root, timeout_s=60)
    seen = ran.output.splitlines()
    original = f"{interpreter.prefix}/"
    strayed = str(interpreter.prefix) not in _SYSTEM_PREFIXES and any(original in line for line in seen[2:])
    if ran.status != 0 or seen[:2] != [str(root.resolve()), "finds its packages"] or strayed:
        raise ProvisionError(
            f"the python under ours ({interpreter.executable}) does not run from another place", detail=ran.tail
        )
