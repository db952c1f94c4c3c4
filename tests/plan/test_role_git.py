"""The role git: which git, from where, and with which parts, on hosts old and new. Nothing is built."""

from pathlib import Path

import pytest
from old_clusters import BARE, CENTOS_7, DEBIAN_12, without
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.shell.actions import Fetch, Run

ROLES = Path(__file__).parents[2] / "roles"


@pytest.fixture
def role(plays):
    """`role(facts, *files, **variables)`: the steps of the role on a host with these facts and files."""
    (plays.folder / "roles").symlink_to(ROLES)

    def plan(facts, *files, **variables):
        plays.memory = MemoryHost(facts=facts)
        for path in files:
            plays.memory.put(path, b"")
        plays.extra = variables
        return plays.check("- hosts: all\n  roles: [git]\n").steps

    return plan


def build_of(steps):
    """The step that builds."""
    (step,) = (step for step in steps if step.label.module == "source_build" and step.actions)
    return step


def downloads(step):
    return next(action.urls for action in step.actions if isinstance(action, Fetch))


def script(step):
    """The text of all its programs, one after another."""
    return "".join(action.argv[2] for action in step.actions if isinstance(action, Run))


def line(step, variable):
    """What the build is told under this name."""
    return next(text for text in script(step).splitlines() if text.startswith(f"{variable}="))


def failure(steps):
    (message,) = (step.message for step in steps if step.outcome.value == "failed")
    return message


@pytest.mark.parametrize(
    ("facts", "variables", "version"),
    [
        (CENTOS_7, {}, "2.47.3"),
        (DEBIAN_12, {}, "2.55.0"),
        (CENTOS_7, {"git_https": "none"}, "2.55.0"),
        (without(CENTOS_7, "curl/curl.h"), {}, "2.55.0"),
        ({**DEBIAN_12, "build_libcurl": "7.61.0"}, {}, "2.55.0"),
        ({**DEBIAN_12, "build_libcurl": "7.60.0"}, {}, "2.47.3"),
        (CENTOS_7, {"git_version": "2.51.0"}, "2.51.0"),
        (CENTOS_7, {"git_version": "2.39.5", "git_sha256": "c" * 64}, "2.39.5"),
    ],
    ids=["centos7", "debian12", "no https", "no curl", "just new enough", "just too old", "known", "own"],
)
def test_the_newest_that_the_host_can_build_is_built_unless_one_is_named(role, facts, variables, version):
    """libcurl is what decides; it does not matter where https is left out."""
    assert downloads(build_of(role(facts, **variables)))[0].endswith(f"/git-{version}.tar.xz")


def test_a_hash_of_ones_own_wins(role):
    step = build_of(role(DEBIAN_12, git_version="2.47.3", git_sha256="a" * 64))
    assert next(action.sha256 for action in step.actions if isinstance(action, Fetch)) == "a" * 64


@pytest.mark.parametrize(
    ("facts", "variables", "has", "lacks"),
    [
        (DEBIAN_12, {}, ["USE_LIBPCRE=1", "NO_RUST=1"], ["NO_CURL=1", "NO_EXPAT=1", "CSPRNG_METHOD="]),
        (without(DEBIAN_12, "curl/curl.h", "expat.h", "pcre2.h"), {}, ["NO_CURL=1", "NO_EXPAT=1"], ["USE_LIBPCRE"]),
        (CENTOS_7, {"git_version": "2.51.0"}, ["CSPRNG_METHOD="], ["NO_RUST"]),
        (CENTOS_7, {}, [], ["CSPRNG_METHOD=", "NO_RUST"]),
        ({**DEBIAN_12, "build_cargo": "yes"}, {}, ["NO_RUST=1"], []),
        ({**DEBIAN_12, "build_cargo": "yes"}, {"git_rust": True}, [], ["NO_RUST"]),
        (DEBIAN_12, {"git_rust": True}, ["NO_RUST=1"], []),
        (without(DEBIAN_12, "curl/curl.h"), {"git_environment": {"CPPFLAGS": "-I/x"}}, [], ["NO_CURL=1"]),
    ],
)
def test_parts_are_built_where_their_headers_are_and_left_out_by_name_where_not(role, facts, variables, has, lacks):
    told = line(build_of(role(facts, **variables)), "make")
    assert [word for word in has if word not in told] == []
    assert [word for word in lacks if word in told] == []


def test_an_archive_of_github_has_its_configure_made_and_its_version_told(role):
    step = build_of(role(DEBIAN_12, git_from="github", git_version="2.47.3", git_sha256="d" * 64))
    assert downloads(step) == ("https://github.com/git/git/archive/refs/tags/v2.47.3.tar.gz",)
    assert "GIT_VERSION=2.47.3" in line(step, "make")
    assert "program:autoconf" in line(step, "needs")


@pytest.mark.parametrize(
    ("facts", "variables", "words"),
    [
        (BARE, {}, ["no C compiler", "no make", "no header zlib.h", "conda_env_packages"]),
        (without(DEBIAN_12, "curl/curl.h"), {"git_https": "required"}, ["curl/curl.h", "git_https: none"]),
        (DEBIAN_12, {"git_version": "9.9"}, ["git_sha256 is not given", "2.55.0", "2.47.3"]),
        (DEBIAN_12, {"git_from": "github"}, ["git_sha256 is not given"]),
        (BARE, {"git_from": "conda"}, ["the role conda before the role git", "conda_env_packages: [git]"]),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_to_do(role, facts, variables, words):
    message = failure(role(facts, **variables))
    assert [word for word in words if word not in message] == []


def test_where_nothing_can_be_built_condas_git_is_taken_if_conda_is_there(role):
    conda = f"{HOME}/miniforge3"
    steps = role(BARE, f"{conda}/bin/conda", f"{conda}/conda-meta/history", conda_prefix=conda)
    labels = [step.label.name for step in steps if step.outcome.value in {"would_change", "known_after_apply"}]
    assert "Have an environment with conda-forge's git" in labels
    assert "Let shells find git" in labels
    assert any(step.message.startswith("git is taken from conda-forge: this host has no C compiler") for step in steps)


def test_mirrors_are_asked_first(role):
    urls = downloads(build_of(role(CENTOS_7, mirror="cn")))
    assert "ustc" in urls[0]
    assert urls[-1].startswith("https://mirrors.edge.kernel.org/")
