"""Downloads of the controller: from the first good source, once, and never something else under the name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scupi_provision.errors import ProvisionError
from scupi_provision.run.blobs import Blob
from scupi_provision.run.downloads import DownloadCache, cache_folder

from misbehaving import CONTENT, SHA256, Sources, serving


@pytest.fixture
def sources() -> Iterator[Sources]:
    """Good sources and bad ones."""
    with serving() as made:
        yield made


@pytest.fixture
def cache(tmp_path: Path) -> DownloadCache:
    """An empty cache, for which a second is long."""
    return DownloadCache(tmp_path / "cache", slow_s=0.5)


def obtain(cache: DownloadCache, urls: list[str], sha256: str | None = SHA256) -> Blob:
    """What the cache gives in the end."""
    found: list[Blob] = []

    def drive() -> Iterator[object]:
        found.append((yield from cache.obtain(urls, sha256)))

    for _ in drive():
        pass
    return found[0]


def files(cache: DownloadCache) -> list[str]:
    return sorted(path.name for path in cache.folder.iterdir())


@pytest.mark.parametrize("bad", ["missing", "flipped", "portal", "cut"])
def test_a_bad_source_is_followed_by_the_next(cache, sources, bad):
    assert obtain(cache, sources(bad, "good")).path.read_bytes() == CONTENT
    assert files(cache) == [SHA256]


def test_what_is_kept_is_not_asked_for_again(cache, sources):
    obtain(cache, sources("good"))
    obtain(cache, sources("good"))
    assert len(sources.asked) == 1


def test_what_was_damaged_in_the_cache_is_downloaded_again(cache, sources):
    obtain(cache, sources("good")).path.write_bytes(b"damaged")
    assert obtain(cache, sources("good")).path.read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["missing", "flipped", "portal", "cut"])
def test_without_a_good_source_every_reason_is_told_and_nothing_has_the_name(cache, sources, bad):
    reasons = {"missing": "404", "flipped": "sha256 is", "portal": "a web page came", "cut": "cut short"}
    with pytest.raises(ProvisionError) as refused:
        obtain(cache, sources(bad))
    assert reasons[bad] in refused.value.diagnostic.detail
    assert SHA256 not in files(cache)


def test_a_download_that_was_cut_is_continued_from_another_source(cache, sources):
    with pytest.raises(ProvisionError):
        obtain(cache, sources("cut"))
    assert obtain(cache, sources("good")).path.read_bytes() == CONTENT
    assert sources.asked[-1] == ("good", f"bytes={len(CONTENT) // 2}-")


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"more"], ids=["other", "longer"])
def test_a_part_of_something_else_is_begun_anew(cache, sources, left):
    cache.folder.mkdir()
    (cache.folder / f"{SHA256}.part").write_bytes(left)
    assert obtain(cache, sources("good")).path.read_bytes() == CONTENT
    assert files(cache) == [SHA256]


def test_a_source_that_cannot_continue_sends_all_of_it(cache, sources):
    cache.folder.mkdir()
    (cache.folder / f"{SHA256}.part").write_bytes(CONTENT[:1000])
    assert obtain(cache, sources("forgetful")).path.read_bytes() == CONTENT


def test_two_hosts_that_want_the_same_file_cost_one_download(cache, sources):
    threads = [threading.Thread(target=obtain, args=(cache, sources("good"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sources.asked) == 1


def test_without_a_hash_it_gets_the_one_that_it_has(cache, sources):
    assert obtain(cache, sources("good"), None).sha256 == SHA256
    with pytest.raises(ProvisionError, match="could not be downloaded"):
        obtain(cache, sources("cut"), None)


def test_files_of_the_host_are_not_looked_for_here(cache):
    with pytest.raises(ProvisionError) as refused:
        obtain(cache, ["file:///etc/hostname"])
    assert "no address that this computer could ask" in refused.value.diagnostic.detail


def test_the_cache_is_where_the_user_s_caches_are(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache/scupi-provision/downloads"
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch")
    assert cache_folder() == Path("/scratch/scupi-provision/downloads")
