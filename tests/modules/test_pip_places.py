"""Real pip against real indexes on loopback: which place is asked next, what is told, what the report says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

from packages import index, serving_folder, wheel

DEAD = "http://127.0.0.1:9/simple"
"""Nobody listens there (discard)."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with pip."""
    folder = tmp_path_factory.mktemp("pip") / "env"
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin/python"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder, and the URL under which it is served."""
    with serving_folder(tmp_path_factory.mktemp("served")) as made:
        yield made.folder, made.url


def run(python: Path, job: Path, *arguments: str, places: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the script as the runtime does: streams in files of a job folder."""
    job.mkdir(exist_ok=True)
    argv = script(
        "pip.sh", python=str(python), arguments=words(*arguments), stamp=str(job / "stamp"), spent="", requirements=""
    )
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(job), "PROVISION_JOB": str(job), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PROVISION_PLACES": "\n".join(places), "PIP_NO_CACHE_DIR": "1",
    }  # fmt: skip
    with (job / "err").open("w") as err:
        done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, stderr=err, text=True, check=False)
    return subprocess.CompletedProcess(argv, done.returncode, done.stdout, (job / "err").read_text())


def version(python: Path, name: str) -> str:
    """The version that the environment imports, or "" when there is none."""
    code = f"import {name}; print({name}.VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.real
def test_a_place_that_does_not_answer_or_lacks_the_package_is_followed_by_the_next(python, served, tmp_path):
    folder, url = served
    index(folder / "good", wheel(folder / "files", "alpha", "1.0"))
    (folder / "poor").mkdir(exist_ok=True)
    done = run(python, tmp_path, "install", "alpha==1.0", places=(DEAD, f"{url}/poor", f"{url}/good"))
    assert (done.returncode, version(python, "alpha")) == (0, "1.0"), done.stderr
    assert f"pip could not do it with {DEAD}" in done.stderr
    assert f"looking elsewhere: {url}/good" in done.stdout


@pytest.mark.real
def test_the_report_tells_where_each_package_came_from_and_its_hash(python, served, tmp_path):
    folder, url = served
    needed = wheel(folder / "files", "beta", "2.0")
    index(folder / "report", needed, wheel(folder / "files", "gamma", "1.0", needs="beta>=2"))
    assert run(python, tmp_path, "install", "gamma", places=(f"{url}/report",)).returncode == 0
    report = json.loads((tmp_path / "stamp.json").read_text())
    found = {entry["metadata"]["name"]: entry["download_info"] for entry in report["install"]}
    assert set(found) == {"beta", "gamma"}
    assert found["beta"]["url"] == f"{url}/files/beta-2.0-py3-none-any.whl"
    assert found["beta"]["archive_info"]["hashes"]["sha256"] == hashlib.sha256(needed.read_bytes()).hexdigest()


@pytest.mark.real
def test_a_flat_folder_is_all_there_is_unless_an_index_stands_beside_it(python, served, tmp_path):
    folder, url = served
    wheel(folder / "flat", "delta", "1.0", needs="epsilon")
    index(folder / "rest", wheel(folder / "files", "epsilon", "3.0"))
    (folder / "flat/index.html").write_text('<a href="delta-1.0-py3-none-any.whl">delta-1.0-py3-none-any.whl</a>')
    alone, beside = f"find-links:{url}/flat/", f"{url}/rest find-links:{url}/flat/"
    assert run(python, tmp_path, "install", "delta", places=(alone,)).returncode == 1
    done = run(python, tmp_path, "install", "delta", places=(alone, beside))
    assert (done.returncode, version(python, "epsilon")) == (0, "3.0"), done.stderr


@pytest.mark.real
def test_a_host_that_reaches_no_index_is_told_of_the_other_way(python, tmp_path):
    done = run(python, tmp_path, "install", "nowhere-to-be-found", places=(DEAD,))
    assert "packages can be brought to it" in done.stderr


@pytest.mark.real
def test_what_the_last_place_says_is_told_and_no_password(python, served, tmp_path):
    _, url = served
    places = (f"{url.replace('://', '://me:secret@')}/poor",)
    done = run(python, tmp_path, "install", "nowhere-to-be-found", places=places)
    assert done.returncode == 1
    assert "No matching distribution found for nowhere-to-be-found" in done.stderr
    assert "secret" not in done.stderr + done.stdout
    assert not (tmp_path / "stamp").exists()


@pytest.mark.real
def test_a_wrong_hash_is_refused_wherever_it_comes_from(python, served, tmp_path):
    folder, url = served
    index(folder / "hashes", wheel(folder / "files", "zeta", "1.0"))
    (tmp_path / "locked.txt").write_text(f"zeta==1.0 --hash=sha256:{'0' * 64}\n")
    arguments = ("install", "--require-hashes", "--no-deps", "--requirement", str(tmp_path / "locked.txt"))
    done = run(python, tmp_path, *arguments, places=(f"{url}/hashes", f"{url}/hashes"))
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert version(python, "zeta") == ""


@pytest.mark.real
def test_a_build_that_fails_is_not_tried_again_elsewhere(python, served, tmp_path):
    """It would fail there too, after minutes."""
    folder, url = served
    source = folder / "files/eta-1.0"
    source.mkdir(parents=True)
    backend = "raise SystemExit('no compiler here')\n"
    (source / "backend.py").write_text(backend)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: eta\nVersion: 1.0\n")
    archive = folder / "files/eta-1.0.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", source.parent, source.name], check=True)
    index(folder / "sources", archive)
    done = run(python, tmp_path, "install", "eta", places=(f"{url}/sources", f"{url}/sources"))
    assert done.returncode == 1
    assert "looking elsewhere" not in done.stdout


@pytest.mark.real
@pytest.mark.parametrize(("name", "told"), [("22.1.2", False), ("22.2", True), ("9.0.3", False), ("25.3.dev0", True)])
def test_an_old_pip_is_not_asked_for_a_report(tmp_path, name, told):
    python = tmp_path / "env/bin/python"
    python.parent.mkdir(parents=True)
    (tmp_path / f"env/lib/python3.8/site-packages/pip-{name}.dist-info").mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    done = run(python, tmp_path / "job", "install", "alpha")
    assert ("--report" in done.stdout) is told
    assert done.returncode == 0
