"""The roles ask the GPU node before they choose. Where it cannot be asked, that is what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

ROLES = Path(__file__).parents[2] / "roles"


@pytest.fixture
def gpu2_is_away(person, lab):
    """Its host key is unknown, as on a student's first day; admin1's is known."""
    lines = lab.known_hosts.read_text().splitlines(keepends=True)
    lab.known_hosts.write_text("".join(line for line in lines if not line.startswith("gpu2")))
    (person.place / "roles").symlink_to(ROLES)


@pytest.mark.parametrize(("role", "what"), [("conda", "which C library"), ("torch", "which torch suits it")])
def test_a_gpu_node_that_cannot_be_asked_is_named(person, site, account, gpu2_is_away, role, what):
    ended = person.run("apply", site(f"- hosts: admin1\n  verify: gpu2\n  roles: [{role}]\n"))
    assert ended.code == 3
    said = " ".join((ended.stdout + ended.stderr).split())
    assert "The host key of gpu2 is not known" in said
    assert f"gpu2 has not been asked, so nobody knows {what}" in said
    assert "LazyVariables" not in said
    assert not list(account.glob("miniforge3"))
