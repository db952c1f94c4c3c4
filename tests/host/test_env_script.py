"""What new shells read, under whatever PATH they have then. The old tutorial's line froze the PATH of one moment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from scupi_provision.host.generation import Generation

OURS = "/home/me/.provision/store/git-2.47.3-0a1b2c3d/bin"
PATHS = {
    "usual": "/usr/local/bin:/usr/bin:/bin",
    "of another node": "/opt/slurm/bin:/bin",
    "with a space and a parenthesis": "/opt/matlab (2024)/bin:/usr/bin",
    "with quotes and a dollar": '/opt/it\'s/bin:/opt/$x/bin:/opt/"y"/bin',
    "empty": "",
}
SHELLS = {name: [f"/bin/{name}"] for name in ("bash", "dash")} | {"busybox": ["busybox", "sh"]}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_the_path_of_the_moment_is_kept_and_ours_comes_first_once(tmp_path: Path, shell: list[str], path: str) -> None:
    script = tmp_path / "env.sh"
    script.write_bytes(Generation(1, {"git": OURS}).script())
    program = shutil.which(shell[0]) or pytest.fail(f"{shell[0]} is missing")
    text = f'. "{script}"; . "{script}"; printf "%s" "$PATH"'
    done = subprocess.run(
        [program, *shell[1:], "-c", text], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"{OURS}:{path}" if path else OURS, "")


def test_the_tutorials_line_does_not() -> None:
    """It is expanded when it is written: on another node it brings the first node's directories along."""
    line = subprocess.run(
        ["/bin/sh", "-c", f'echo "export PATH={OURS}:$PATH"'],
        env={"PATH": PATHS["with a space and a parenthesis"]}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    read = subprocess.run(["/bin/sh", "-c", line], env={"PATH": "/bin"}, capture_output=True, text=True, check=False)
    assert read.returncode != 0
    assert "parenthes" in read.stderr or '"("' in read.stderr
