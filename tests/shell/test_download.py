"""The downloader against sources that refuse, cut, flip, stall, cannot continue, or answer with a login page."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word

from misbehaving import CONTENT, SHA256, Sources, serving

WAYS = {"dash": "curl", "bash": "wget", "mksh": "curl", "busybox": "busybox"}
"""Every shell with one of the programs that download."""


@pytest.fixture
def sources() -> Iterator[Sources]:
    """Good sources and bad ones."""
    with serving() as made:
        yield made


@dataclass
class Downloader:
    """Runs the script in one shell, where one program that downloads is installed."""

    shell: list[str]
    tools: Path
    folder: Path

    @property
    def part(self) -> Path:
        return self.folder / "it's a file.part"

    def __call__(self, urls: list[str], sha256: str = SHA256, limit: int = 20) -> subprocess.CompletedProcess[str]:
        settings = {"part": str(self.part), "sha256": sha256, "limit": str(limit), "window": "2"}
        text = "".join(f"{name}={word(value)}\n" for name, value in settings.items())
        script = f"{text}set -- {' '.join(map(word, urls))}\n{shell_source('download.sh')}"
        environment = {"PATH": str(self.tools), "HOME": str(self.folder)}
        return subprocess.run(
            [*self.shell, "-c", script], env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def is_whole(self) -> bool:
        return self.part.read_bytes() == CONTENT


@pytest.fixture(params=WAYS)
def download(request: pytest.FixtureRequest, tmp_path: Path) -> Downloader:
    """`download(urls)` by every pair of WAYS."""
    shell, program = request.param, WAYS[request.param]
    if program == "busybox":
        tools = request.getfixturevalue("applets")
        return Downloader([str(tools / "ash")], tools, tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in (program, "sleep", "stat", "sha256sum", "head", "tr", "cat", "rm", "mv"):
        found = shutil.which(name)
        assert found, f"{name} is not installed"
        (tools / name).symlink_to(found)
    found = shutil.which(shell)
    assert found, f"{shell} is not installed"
    return Downloader([found], tools, tmp_path)


def test_a_good_source(download, sources):
    assert download(sources("good")).returncode == 0
    assert download.is_whole()
    assert [path.name for path in download.folder.iterdir() if path.is_file()] == [download.part.name]


@pytest.mark.parametrize("bad", ["missing", "flipped", "portal", "cut"])
def test_a_bad_source_is_followed_by_the_next(download, sources, bad):
    done = download(sources(bad, "good"))
    assert done.returncode == 0, done.stderr
    assert download.is_whole()
    assert f"{sources.url}/{bad}" in done.stderr


@pytest.mark.parametrize("bad", ["missing", "flipped", "portal", "cut"])
def test_without_a_good_source_nothing_passes_for_the_file(download, sources, bad):
    assert download(sources(bad)).returncode != 0
    assert not download.part.exists() or not download.is_whole()


@pytest.mark.parametrize(("bad", "status"), [("flipped", 1), ("portal", 75), ("cut", 75)])
def test_the_status_tells_whether_another_computer_might_do_better(download, sources, bad, status):
    """That is, whether any source gave an answer of its own."""
    assert download(["http://127.0.0.1:9/nobody-listens", *sources(bad)]).returncode == status


def test_a_login_page_is_recognised(download, sources):
    assert "a web page came in place of the file" in download(sources("portal")).stderr


def test_a_stalling_source_is_left_in_time_and_what_it_gave_is_continued(download, sources):
    done = download(sources("stalling", "good"))
    assert done.returncode == 0, done.stderr
    assert download.is_whole()
    assert "too slow" in done.stderr
    folder, wanted = sources.asked[-1]
    assert folder == "good"
    assert int(wanted.removeprefix("bytes=").removesuffix("-")) > 100_000  # curl keeps a last few KiB to itself


def test_a_part_is_continued(download, sources):
    download.part.write_bytes(CONTENT[:100_000])
    assert download(sources("good")).returncode == 0
    assert sources.asked == [("good", "bytes=100000-")]


def test_a_whole_part_is_taken_without_asking_anybody(download, sources):
    download.part.write_bytes(CONTENT)
    assert download(sources("good")).returncode == 0
    assert sources.asked == []


@pytest.mark.parametrize(
    "start", [b"<html>an interrupted login page", b"x" * (len(CONTENT) + 5)], ids=["other", "longer"]
)
def test_a_part_of_something_else_is_started_anew(download, sources, start):
    download.part.write_bytes(start)
    done = download(sources("good"))
    assert done.returncode == 0, done.stderr
    assert download.is_whole()


def test_a_source_that_cannot_continue_sends_all_of_it(download, sources):
    download.part.write_bytes(CONTENT[:1000])
    done = download(sources("forgetful"))
    assert done.returncode == 0, done.stderr
    assert download.is_whole()


def test_a_source_without_the_file_does_not_cost_what_is_there_already(download, sources):
    download.part.write_bytes(CONTENT[:100_000])
    assert download(sources("missing", "good")).returncode == 0
    assert sources.asked[-1] == ("good", "bytes=100000-")


def test_without_a_hash_what_an_earlier_run_left_is_not_trusted(download, sources):
    download.part.write_bytes(b"old")
    assert download(sources("good"), sha256="").returncode == 0
    assert download.is_whole()


def test_its_time_is_limited(download, sources):
    done = download(sources("stalling"), limit=1)
    assert done.returncode == 75
    assert "its time was over" in done.stderr


def test_a_host_without_a_program_to_download_says_so(tmp_path):
    done = Downloader(["/bin/sh"], tmp_path, tmp_path)(["http://127.0.0.1:9/x"])
    assert done.returncode == 69
    assert "neither curl nor wget" in done.stderr
