"""The installer and the channel that the lab makes of this machine's Python: installed, used, moved, refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conda_channels import served
from scupi_provision.lab.conda_source import conda_source
from scupi_provision.lab.layout import lab_layout
from scupi_provision.lab.python_source import python_source

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"
WHOLE = "import bz2, ctypes, hashlib, lzma, sqlite3, ssl, sys, zlib; print(sys.prefix)"


@pytest.fixture(scope="module")
def made():
    """The folder in the cache with the installer and the channels."""
    cache = lab_layout().cache
    python = python_source(cache / "python", lambda _: None)
    tarball = cache / "python" / SERIES / python.file if python else None
    source = conda_source(cache / "conda", lambda _: None, python=tarball, closed=True)
    assert not isinstance(source, str), source
    return cache / "conda" / source.folder, source.installer


@pytest.fixture(scope="module")
def installer(made):
    folder, name = made
    return folder / name


@pytest.fixture(scope="module")
def channel(made):
    with served(made[0]) as url:
        yield f"{url}/conda/conda-forge"


def _run(*arguments, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONDA", "PYTHON"))}
    return subprocess.run(
        [*map(str, arguments)], env=kept | variables, text=True, capture_output=True, check=False, timeout=200
    )


@pytest.fixture(scope="module")
def base(installer, tmp_path_factory):
    """An installation."""
    place = tmp_path_factory.mktemp("home")
    done = _run("sh", installer, "-b", "-p", place / "miniforge3", HOME=str(place))
    assert done.returncode == 0, done.stderr
    return place / "miniforge3"


def test_what_is_installed_is_whole_and_says_what_it_is(base):
    assert _run(base / "bin/conda", "--version").stdout.startswith("conda 26.3.2 (stand-in")
    assert _run(base / "condabin/conda", "--version").stdout.startswith("conda 26.3.2 (stand-in")
    assert _run(base / "bin/python", "-I", "-c", WHOLE).stdout == f"{base}\n"
    assert (base / "etc/profile.d/conda.sh").is_file()
    assert (base / "conda-meta/history").read_text().startswith("==> ")
    assert not (base / "pkgs").exists()


def test_an_environment_has_its_own_python_and_its_own_packages(base, channel, tmp_path):
    prefix = tmp_path / "env"
    conda = (base / "bin/conda", "create", "-y", "-q", "-p", prefix, "--override-channels", "-c", channel)
    done = _run(*conda, f"python={SERIES}", "pip", "numpy", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert _run(prefix / "bin/python", "-I", "-c", WHOLE).stdout == f"{prefix}\n"
    product = "import numpy; print(numpy.ones((3, 3)).dot(numpy.ones(3)), numpy.__file__)"
    assert _run(prefix / "bin/python", "-I", "-c", product).stdout == (
        f"[3. 3. 3.] {prefix}/lib/python{SERIES}/site-packages/numpy/__init__.py\n"
    )
    where = _run(prefix / "bin/pip", "--version").stdout
    assert f"{prefix}/lib/python{SERIES}/site-packages/pip" in where
    listed = _run(prefix / "bin/pip", "list", "--format", "freeze").stdout
    assert "numpy==" in listed


def test_pip_installs_into_the_environment(base, channel, made, tmp_path):
    """Also where the interpreter is Debian's, which would put packages elsewhere."""
    prefix = tmp_path / "env"
    _run(base / "bin/conda", "create", "-y", "-p", prefix, "-c", channel, "pip", HOME=str(tmp_path))
    wheels = next(made[0].parent.glob("wheels-*"))
    done = _run(prefix / "bin/pip", "install", "--no-index", "--find-links", wheels, "wheel", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list((prefix / f"lib/python{SERIES}/site-packages").glob("wheel-*.dist-info"))
    assert _run(prefix / "bin/python", "-I", "-c", "import wheel").returncode == 0


def test_the_python_needs_nothing_of_the_one_it_was_made_from(base):
    maps = "import ssl, ctypes, sqlite3; print(open('/proc/self/maps').read())"
    loaded = _run(base / "bin/python", "-I", "-c", maps).stdout
    original = Path(sys.base_prefix)
    if str(original) != "/usr":
        assert f"{original}/" not in loaded
    assert f"{base}/bin/python{SERIES}" in loaded


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox ash", "mksh"])
def test_every_shell_can_run_the_installer(installer, tmp_path, shell):
    assert shutil.which(shell.split()[0])
    done = _run(*shell.split(), installer, "-b", "-p", tmp_path / "conda", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert _run(tmp_path / "conda/bin/conda", "--version").returncode == 0


def _refused(*arguments, **variables):
    done = _run(*arguments, **variables)
    assert done.returncode == 1
    return done.stderr


def test_an_existing_prefix_is_refused_in_constructors_words(installer, tmp_path):
    (tmp_path / "there").mkdir()
    said = _refused("sh", installer, "-b", "-p", tmp_path / "there")
    assert f"ERROR: File or directory already exists: '{tmp_path}/there'" in said
    assert "use the -u option" in said
    assert list((tmp_path / "there").iterdir()) == []


def test_a_prefix_with_a_space_is_refused(installer, tmp_path):
    assert "ERROR: Cannot install into directories with spaces" in _refused(
        "sh", installer, "-b", "-p", tmp_path / "a b"
    )


def test_an_older_c_library_is_refused_before_anything_is_made(installer, tmp_path):
    said = _refused("sh", installer, "-b", "-p", tmp_path / "conda", CONDA_OVERRIDE_GLIBC="2.5")
    assert "Installer requires GLIBC >=" in said
    assert "but system has 2.5." in said
    assert not (tmp_path / "conda").exists()


def test_the_header_tells_its_c_library_as_constructors_do(installer):
    header = installer.read_bytes()[:65536].partition(b"\n@@END_HEADER@@\n")[0].decode()
    (line,) = (line for line in header.splitlines() if line.startswith("min_glibc_version="))
    assert line.startswith('min_glibc_version="2.')


def test_a_payload_that_was_damaged_is_noticed(installer, tmp_path):
    damaged = tmp_path / "damaged.sh"
    content = bytearray(installer.read_bytes())
    content[-1000] ^= 1
    damaged.write_bytes(content)
    done = _run("sh", damaged, "-b", "-p", tmp_path / "conda", HOME=str(tmp_path))
    assert "WARNING: md5sum mismatch of tar archive" in done.stderr
