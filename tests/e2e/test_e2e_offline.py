"""Without internet: what one cluster has is locked, bundled, and had on another one whose sources are all dead."""

from __future__ import annotations

import json

import pytest
from newcomer import Newcomer
from scupi_provision.lab.commands import reset

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

_PATIENCE_S = 600.0
_SITE = """
- hosts: admin1
  verify: gpu2
  roles: [shell_env, conda, conda_env, torch]
"""
_DEAD = "http://127.0.0.1:9"
_NOWHERE = {
    "sources_conda": [f"{_DEAD}/conda"],
    "sources_pip": [f"{_DEAD}/simple"],
    "sources_torch": [f"{_DEAD}/whl"],
    "sources_miniforge": [f"{_DEAD}/miniforge"],
    "conda_urls": [f"{_DEAD}/Miniforge3-26.3.2-3-Linux-x86_64.sh"],
}


@pytest.fixture
def person(tmp_path):
    for name in ("home", "site"):
        (tmp_path / name).mkdir()
    person = Newcomer(tmp_path / "home", tmp_path / "lab", tmp_path / "site")
    yield person
    reset(directory=person.lab_directory)


def test_a_bundle_makes_the_same_environment_where_nothing_can_be_downloaded(person):
    """The roles' proofs run on gpu2 as always; then nothing is left to change."""
    (person.place / "site.yaml").write_text(_SITE)
    for command in (("apply", "site.yaml", "--lab"), ("lock", "site.yaml", "--lab"), ("bundle", "-o", "site.bundle")):
        ended = person.run(*command, patience_s=_PATIENCE_S)
        assert ended.code == 0, ended.stdout[-4000:] + ended.stderr
    assert person.run("lab", "reset").code == 0

    offline = ("apply", "site.yaml", "--lab", "--json", "--bundle", "site.bundle", "-e", json.dumps(_NOWHERE))
    ended = person.run(*offline, patience_s=_PATIENCE_S)
    assert ended.code == 0, ended.stdout[-4000:] + ended.stderr
    assert ended.of("Verified") or ended.of("CheckFinished")
    assert all(check["passed"] for check in ended.of("CheckFinished"))
    assert person.run(*offline).changes() == []
