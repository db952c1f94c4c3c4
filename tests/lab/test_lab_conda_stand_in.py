"""The stand-in for conda: conda's commands with a real solver, on real packages, over HTTP on loopback."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from importlib.resources import files

import pytest
from conda_channels import PLACEHOLDER, Conda, indexed, installed, packed, records, served
from hypothesis import given
from hypothesis import strategies as st
from rattler import BuildString, PackageRecord, RepoDataRecord
from scupi_provision.lab.conda_stand_in.solving import without


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    """The URL of a channel: one (1.0, 2.0) ← two ← three; four; and two that ask for what a machine has."""
    root = tmp_path_factory.mktemp("mirror")
    folder = root / "conda/conda-forge"
    for version in ("1.0", "2.0"):
        packed(folder, "one", version)
    packed(folder, "two", "1.0", "one")
    packed(folder, "three", "1.0", "two >=1")
    packed(folder, "four", "1.0", "one <2")
    packed(folder, "gpu", "1.0")
    packed(folder, "gpu", "2.0", "__cuda >=12")
    packed(folder, "modern", "1.0", "__glibc >=2.17")
    packed(folder, "modern", "2.0", "__glibc >=2.30")
    hook = f"export HOOKED={PLACEHOLDER}\n"
    packed(folder, "hooked", files={"etc/conda/activate.d/h.sh": hook, "etc/conda/deactivate.d/h.sh": "unset HOOKED\n"})
    indexed(folder)
    with served(root) as url:
        yield f"{url}/conda/conda-forge"


@pytest.fixture
def conda(tmp_path, channel):
    home = tmp_path / "home"
    home.mkdir()
    return Conda(home, channel)


@pytest.fixture
def prefix(tmp_path):
    return tmp_path / "envs/e"


def _history(prefix):
    return (prefix / "conda-meta/history").read_text()


def test_an_environment_is_created_with_what_its_packages_need(conda, prefix, channel):
    assert conda.change("create", prefix, "three").returncode == 0
    assert installed(prefix) == {"one": "2.0", "two": "1.0", "three": "1.0"}
    assert subprocess.check_output([prefix / "bin/one"], text=True) == f"{prefix} one 2.0\n"
    record = records(prefix)["two"]
    assert record["url"] == f"{channel}/noarch/two-1.0-0.conda"
    assert len(record["sha256"]) == 64
    assert {name: each["requested_spec"] for name, each in records(prefix).items()} == {
        "one": "None", "two": "None", "three": "three",
    }  # fmt: skip
    assert f"+{channel}/noarch::two-1.0-0\n" in _history(prefix)
    assert "# update specs: ['three']\n" in _history(prefix)
    assert str(prefix) in (conda.home / ".conda/environments.txt").read_text()


def test_specs_are_obeyed(conda, prefix):
    assert conda.change("create", prefix, "one<2").returncode == 0
    assert installed(prefix) == {"one": "1.0"}


def test_installing_more_keeps_what_was_asked_before(conda, prefix):
    conda.change("create", prefix, "one=1.0")
    assert conda.change("install", prefix, "two").returncode == 0
    assert installed(prefix) == {"one": "1.0", "two": "1.0"}
    assert conda.change("install", prefix, "one>=2").returncode == 0
    assert installed(prefix) == {"one": "2.0", "two": "1.0"}


def test_what_is_installed_is_preferred_to_what_is_newer(conda, prefix):
    conda.change("create", prefix, "four")
    conda("remove", "-y", "-p", prefix, "four")
    conda.change("create", prefix, "one=1", "four")
    assert conda.change("install", prefix, "modern").returncode == 0
    assert installed(prefix)["one"] == "1.0"


def test_removing_takes_what_needs_it_and_what_only_it_needed(conda, prefix):
    conda.change("create", prefix, "three", "gpu")
    assert conda("remove", "-y", "-p", prefix, "two").returncode == 0
    assert set(installed(prefix)) == {"gpu"}
    assert not (prefix / "bin/three").exists()
    assert "# remove specs: ['two', 'three']\n" in _history(prefix)
    assert conda.change("install", prefix, "one").returncode == 0
    assert set(installed(prefix)) == {"gpu", "one"}


def test_removing_what_is_not_there_is_an_error(conda, prefix):
    conda.change("create", prefix, "one")
    refused = conda("remove", "-y", "-p", prefix, "two", "one")
    assert refused.returncode == 1
    assert (
        "PackagesNotFoundError: The following packages are missing from the target environment:\n  - two"
        in refused.stderr
    )
    assert set(installed(prefix)) == {"one"}


@st.composite
def _environments(draw):
    """Names with what each needs (any earlier ones), those asked for, and those to remove."""
    needs: dict[str, list[str]] = {}
    for name in "abcdefg":
        needs[name] = draw(st.lists(st.sampled_from(sorted(needs)), unique=True)) if needs else []
    some = st.lists(st.sampled_from(sorted(needs)), unique=True, min_size=1)
    return needs, draw(some), draw(some)


@given(_environments())
def test_what_a_removal_leaves_is_whole_and_no_more_than_was_asked_for(environment):
    needs, wanted, gone = environment
    everything = [_record(name, needed) for name, needed in needs.items()]
    left, withdrawn = without(everything, gone, wanted)
    kept = {record.name.normalized for record in left}
    assert not kept & set(gone)
    assert all(set(needs[name]) <= kept for name in kept)
    assert set(wanted) - kept == set(withdrawn)
    assert all(_reaches(needs, name, set(gone)) for name in withdrawn)
    reachable = {name for root in set(wanted) - set(withdrawn) for name in _closure(needs, root)}
    assert kept == reachable


def _record(name, needed):
    record = PackageRecord(name, "1", BuildString("0"), 0, "noarch", depends=[f"{other} >=1" for other in needed])
    return RepoDataRecord(record, f"{name}-1-0.conda", f"file:///noarch/{name}-1-0.conda", "file:///")


def _closure(needs, name):
    return {name} | {below for needed in needs[name] for below in _closure(needs, needed)}


def _reaches(needs, name, targets):
    return bool(_closure(needs, name) & targets)


@pytest.mark.parametrize("hash_option", ["--sha256", "--md5"])
def test_an_explicit_list_makes_the_same_environment_elsewhere(conda, prefix, tmp_path, hash_option):
    conda.change("create", prefix, "three", "gpu=1")
    listed = conda("list", "-p", prefix, "--explicit", hash_option).stdout
    lock = tmp_path / "lock.txt"
    lock.write_text(listed)
    other = tmp_path / "other"
    assert conda("create", "-y", "-p", other, "--file", lock).returncode == 0
    assert conda("list", "-p", other, "--explicit", hash_option).stdout == listed
    assert records(other)["two"]["depends"] == ["one"]
    assert conda.change("install", other, "modern").returncode == 0
    assert set(installed(other)) == {*installed(prefix), "modern"}


def test_a_package_whose_hash_is_not_the_listed_one_is_refused(conda, prefix, tmp_path, channel):
    lock = tmp_path / "lock.txt"
    lock.write_text(f"@EXPLICIT\n{channel}/noarch/one-1.0-0.conda#{'0' * 64}\n")
    refused = conda("create", "-y", "-p", prefix, "--file", lock)
    assert refused.returncode == 1
    assert "hash mismatch" in refused.stderr
    assert not (prefix / "bin/one").exists()


def test_what_cannot_be_is_refused_in_the_solvers_words(conda, prefix):
    refused = conda.change("create", prefix, "two", "one>=3")
    assert refused.returncode == 1
    assert "No candidates were found for one >=3" in refused.stderr
    assert not prefix.exists()


@pytest.mark.parametrize(
    ("name", "variables", "version"),
    [
        ("gpu", {"CONDA_OVERRIDE_CUDA": "12.4"}, "2.0"),
        ("gpu", {"CONDA_OVERRIDE_CUDA": "11.8"}, "1.0"),
        ("gpu", {"CONDA_OVERRIDE_CUDA": ""}, "1.0"),
        ("modern", {"CONDA_OVERRIDE_GLIBC": "2.17"}, "1.0"),
        ("modern", {"CONDA_OVERRIDE_GLIBC": "2.35"}, "2.0"),
    ],
)
def test_it_can_be_solved_for_another_machine(conda, prefix, name, variables, version):
    assert conda.change("create", prefix, name, **variables).returncode == 0
    assert installed(prefix)[name] == version


def test_offline_takes_only_what_is_cached(conda, prefix, tmp_path):
    refused = conda.change("create", prefix, "two", "--offline")
    assert refused.returncode == 1
    assert not prefix.exists()
    assert conda.change("create", prefix, "two").returncode == 0
    again = tmp_path / "again"
    assert conda.change("create", again, "two", "--offline").returncode == 0
    assert installed(again) == installed(prefix)
    refused = conda.change("install", again, "gpu", "--offline")
    assert refused.returncode == 1
    assert "OfflineError" in refused.stderr


def test_offline_a_list_of_files_is_enough(conda, prefix, tmp_path):
    file = packed(tmp_path / "a channel", "one")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"@EXPLICIT\n{file.as_uri()}#{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    assert conda("create", "-y", "--offline", "-p", prefix, "--file", lock).returncode == 0
    assert records(prefix)["one"]["url"] == file.as_uri()
    lock.write_text(f"@EXPLICIT\n{conda.channel}/noarch/gpu-1.0-0.conda\n")
    refused = conda("install", "-y", "--offline", "-p", prefix, "--file", lock)
    assert "OfflineError" in refused.stderr
    assert set(installed(prefix)) == {"one"}


def test_a_channel_that_is_not_there_is_an_error_with_its_url(conda, prefix):
    refused = Conda(conda.home, "http://127.0.0.1:9/conda-forge").change("create", prefix, "one")
    assert refused.returncode == 1
    assert "http://127.0.0.1:9/conda-forge" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_dry_run_says_what_it_would_do_and_does_nothing(conda, prefix):
    done = conda.change("create", prefix, "two", "--dry-run", "--json")
    actions = json.loads(done.stdout)["actions"]
    assert [package["name"] for package in actions["LINK"]] == ["one", "two"]
    assert not prefix.exists()


def test_with_json_an_error_is_an_object_too(conda, prefix):
    refused = conda.change("create", prefix, "nonsense", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["exception_name"] == "LibMambaUnsatisfiableError"


def test_somebodys_folder_is_not_made_an_environment(conda, prefix):
    prefix.mkdir(parents=True)
    (prefix / "thesis.tex").write_text("...")
    refused = conda.change("create", prefix, "one")
    assert "DirectoryNotACondaEnvironmentError" in refused.stderr
    assert [path.name for path in prefix.iterdir()] == ["thesis.tex"]


def test_cleaning_removes_the_caches_and_no_environment(conda, prefix):
    conda.change("create", prefix, "one")
    assert conda("clean", "-afy").returncode == 0
    assert not conda.cache.exists()
    assert subprocess.check_output([prefix / "bin/one"], text=True) == f"{prefix} one 2.0\n"


@pytest.mark.parametrize("arguments", [["--version"], ["list", "-p", "/nowhere"], ["clean", "-afy"]])
def test_every_command_says_that_this_is_not_conda(conda, arguments):
    assert "this is not conda but the stand-in of provision's lab" in conda(*arguments).stderr


def test_its_version_says_so_too(conda):
    assert conda("--version").stdout == "conda 26.3.2 (stand-in of provision's lab)\n"


SESSION = """
. "$1/conda.sh" && conda activate "$2" && echo "$CONDA_DEFAULT_ENV|$CONDA_PREFIX|$CONDA_SHLVL|$(command -v one)|$HOOKED"
conda deactivate && echo "[${CONDA_PREFIX-}]$CONDA_SHLVL[${HOOKED-}]$(command -v one || echo none)"
conda activate /nowhere/at/all || echo refused
"""


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox ash", "mksh"])
def test_an_environment_is_activated_and_left_again(conda, prefix, tmp_path, shell):
    conda.change("create", prefix, "one", "hooked")
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    program = f'#!/bin/sh\nexec "{sys.executable}" -m scupi_provision.lab.conda_stand_in "$@"\n'
    (root / "bin/conda").write_text(program)
    (root / "bin/conda").chmod(0o755)
    profile = files("scupi_provision.lab.conda_stand_in").joinpath("conda.sh").read_text()
    (root / "conda.sh").write_text(profile.replace("@PREFIX@", str(root)))
    words = shell.split()
    assert shutil.which(words[0]), f"{words[0]} is not installed"
    done = subprocess.run(
        [*words, "-c", SESSION, "session", root, prefix], env={"PATH": "/usr/bin:/bin", "HOME": str(conda.home)},
        text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    entered, left, refused = done.stdout.splitlines()
    assert entered == f"e|{prefix}|1|{prefix}/bin/one|{prefix}"
    assert left == "[]0[]none"
    assert refused == "refused"
    assert "EnvironmentLocationNotFound: Could not find conda environment: /nowhere/at/all" in done.stderr
