"""The lock of a home, in every shell: it appears whole, and no sweep of another host takes a part of it away."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from scupi_provision.shell.program import prelude

SHELLS = [("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)]


def in_shell(shell: tuple[str, ...], root: Path, text: str) -> list[str]:
    """What the functions of the prelude say as run 1 of ``root``; ``ln`` first tells what lies there."""
    (root / "runs" / "1").mkdir(parents=True, exist_ok=True)
    here = f"P_ROOT={root} P_RUN={root}/runs/1 P_NODE=here P_BOOT=boot P_RUN_OF=1"
    watch = f'ln() {{ ls -A {root}; command ln "$@"; }}'
    program = f"{prelude('NONCE', 'run')}{here}\n{watch}\np_lease() {{ :; }}\n{text}"
    ran = subprocess.run(
        [*shell, "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": str(root)},
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout.split()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda s: s[0])
def test_a_lock_that_another_host_of_the_home_is_just_writing_is_left_alone(shell: tuple[str, ...], tmp_path: Path):
    """Hosts with one home open its lock at the same time; a file without a word yet is nobody's leaving."""
    other = tmp_path / "runs" / "2"
    other.mkdir(parents=True)
    (other / "lock").touch()
    in_shell(shell, tmp_path, "p_sweep")
    assert (other / "lock").exists()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda s: s[0])
def test_nothing_of_a_lock_is_seen_before_it_is_whole(shell: tuple[str, ...], tmp_path: Path):
    said = in_shell(shell, tmp_path, 'p_lock "me (run 1)" && cat "$P_ROOT/lock" && p_unlock')
    assert said[:3] == ["runs", "here", "boot"]
    assert said[4:] == ["me", "(run", "1)"]
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert [path.name for path in (tmp_path / "runs" / "1").iterdir()] == ["err"]
