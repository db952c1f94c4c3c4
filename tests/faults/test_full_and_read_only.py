"""A real file system that is full or read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_plays import RealPlays, tree
from scupi_provision.errors import StepFailedError

_SIZE_KIB = 512


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A home on a file system of half a mebibyte."""
    home = tmp_path / "small"
    home.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_KIB}k,mode=755", "provision-test", home]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    yield home
    subprocess.run(["umount", "--lazy", home], check=True)


@pytest.fixture
def plays(small: Path, tmp_path: Path) -> Iterator[RealPlays]:
    (tmp_path / "site").mkdir()
    made = RealPlays(tmp_path / "site", home=small)
    yield made
    made.close()


TWO_LARGE = f"""
- copy: {{dest: ~/one, content: "{"x" * 300_000}"}}
- copy: {{dest: ~/two, content: "{"y" * 300_000}"}}
- copy: {{dest: ~/three, content: small}}
"""


def test_a_disk_that_is_full(plays: RealPlays, small: Path) -> None:
    """Refused with the reason, nothing torn, the lock is free; with room again, the next apply does it."""
    (small / "two").write_text("as it was")
    with pytest.raises(StepFailedError) as caught:
        plays.apply(TWO_LARGE)
    assert "full" in caught.value.diagnostic.detail
    assert tree(small) == {"two": (0o644, b"as it was")}
    assert not (small / ".provision/lock").exists()
    subprocess.run(["mount", "-o", "remount,size=4m", small], check=True)
    plays.close()
    plays.session = plays.open()
    assert plays.apply(TWO_LARGE).proved
    assert [path for path in small.rglob("*") if "blob" in path.name or path.name.startswith(".provision-")] == []


def test_a_disk_that_fills_in_the_middle(plays: RealPlays, small: Path) -> None:
    """Small contents, which travel inside the program: the file that does not fit is as it was."""
    (small / "last").write_text("as it was")
    (small / "ballast").write_bytes(b"x" * (_SIZE_KIB - 80) * 1024)
    text = "\n".join(f"- copy: {{dest: ~/{name}, content: '{'x' * 50_000}'}}" for name in ("first", "last"))
    applied = plays.apply(text)
    assert applied.outcomes == ["copy: changed", "copy: failed"]
    assert "cannot write" in applied.messages[-1]
    assert (small / "last").read_text() == "as it was"
    assert len((small / "first").read_text()) == 50_000
    (small / "ballast").unlink()
    assert plays.apply(text).proved


def test_a_home_that_is_read_only(plays: RealPlays, small: Path) -> None:
    """A check works, an apply says why it does not."""
    (small / "f").write_text("as it was")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    text = "- copy: {dest: ~/f, content: new}\n"
    assert plays.check(text).steps[0].outcome.value == "would_change"
    with pytest.raises(StepFailedError) as caught:
        plays.apply(text)
    assert "writable" in caught.value.diagnostic.detail
    assert tree(small) == {"f": (0o644, b"as it was")}
