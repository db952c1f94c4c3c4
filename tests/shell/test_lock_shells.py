"""What is swept away of other runs, in every shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from scupi_provision.shell.program import prelude


@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix"), ("busybox", "ash"), ("mksh",)], ids=lambda s: s[0])
def test_a_lock_that_another_host_of_the_home_is_just_writing_is_left_alone(shell, tmp_path: Path):
    """Hosts with one home open its lock at the same time; a file without a word yet is nobody's leaving."""
    for name, text in {
        ".lock-new": "",
        ".lock-dead": "here boot 99999999 someone\n",
        ".lock-far": "there boot 99999999 someone\n",
    }.items():
        (tmp_path / name).write_text(text)
    here = f"P_ROOT={tmp_path} P_RUN={tmp_path}/runs/1 P_NODE=here P_BOOT=boot p_mine=none"
    program = f"{prelude('NONCE', 'run')}{here}\np_sweep\n"
    subprocess.run(
        [*shell, "-c", program], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, check=True, timeout=60
    )
    assert sorted(path.name for path in tmp_path.glob(".lock-*")) == [".lock-far", ".lock-new"]
