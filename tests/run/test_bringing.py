"""Hosts that cannot download: the controller does it for them, when it is told to or when it must."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from scupi_provision.errors import InputError
from scupi_provision.events import Event, Notice, Outcome, Proved, TaskFinished, TaskProgress
from scupi_provision.run.blobs import Blob
from scupi_provision.run.downloads import DownloadCache
from scupi_provision.run.host_run import HostRun
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

from misbehaving import CONTENT, SHA256, Sources, serving

PLAY = """
- hosts: all
  tasks:
    - name: get it
      get_url: {{url: [{urls}], dest: ~/file, checksum: "sha256:{sha256}", mode: "0600"}}
    - name: and again
      get_url: {{url: [{urls}], dest: ~/other, checksum: "sha256:{sha256}"}}
"""
NOWHERE = "http://127.0.0.1:9/good/file.tar.xz"
"""Nobody listens there, but a proxy may know the way."""


@pytest.fixture
def sources() -> Iterator[Sources]:
    """Good sources and bad ones."""
    with serving() as made:
        yield made


def applied(plays, urls: list[str], via: str, sha256: str = SHA256) -> list[Event]:
    planning = plays.planning(PLAY.format(urls=", ".join(urls), sha256=sha256), fetch_via=via)
    stock = DownloadCache(plays.home.parent / "downloads")
    return list(HostRun("admin1", plays.session, planning, plays.snapshot(), stock=stock).apply())


def outcomes(events: list[Event]) -> list[str]:
    return [event.outcome.value for event in events if isinstance(event, TaskFinished)]


def test_by_the_controller_one_download_serves_every_task(plays, sources):
    events = applied(plays, sources("good"), "controller")
    assert outcomes(events) == ["changed", "changed"]
    assert (plays.home / "file").read_bytes() == (plays.home / "other").read_bytes() == CONTENT
    assert len(sources.asked) == 1
    assert [event.remaining for event in events if isinstance(event, Proved)] == [()]
    assert outcomes(applied(plays, sources("good"), "controller")) == ["ok", "ok"]


def test_what_the_controller_cannot_have_fails_the_task_with_every_reason(plays, sources):
    events = applied(plays, sources("missing", "flipped"), "controller")
    (failed,) = [event for event in events if isinstance(event, TaskFinished)]
    assert failed.outcome is Outcome.FAILED
    assert "on this computer" in failed.message
    assert "404" in failed.output
    assert "sha256 is" in failed.output


def test_where_the_host_can_the_controller_downloads_nothing(plays, sources):
    assert outcomes(applied(plays, sources("good"), "auto")) == ["changed", "changed"]
    assert not (plays.home.parent / "downloads").exists()


def test_where_the_host_cannot_the_controller_takes_over(plays, sources, monkeypatch):
    """The sources are reached through a proxy that only the controller knows of."""
    monkeypatch.setenv("http_proxy", sources.url)
    monkeypatch.setenv("no_proxy", "")
    events = applied(plays, [NOWHERE], "auto")
    assert outcomes(events) == ["changed", "changed"]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "this host cannot download: this computer does it and sends the files on"
    ]
    assert (plays.home / "other").read_bytes() == CONTENT


def test_a_wrong_file_is_no_reason_to_take_over(plays, sources):
    assert outcomes(applied(plays, sources("flipped"), "auto")) == ["failed"]
    assert not (plays.home.parent / "downloads").exists()


def test_how_far_it_is_is_told(plays, sources, monkeypatch):
    monkeypatch.setattr("scupi_provision.run.bringing._TOLD_EVERY_S", 0.0)
    told = [event for event in applied(plays, sources("good"), "controller") if isinstance(event, TaskProgress)]
    assert {event.phase for event in told} == {"download on this computer", "send"}
    assert "of 0 MB" in told[0].last_line


def test_another_way_is_refused_before_any_host_is_touched(tmp_path: Path):
    inventory, playbook = tmp_path / "inventory.yaml", tmp_path / "site.yaml"
    inventory.write_text("all: {hosts: {here: {ansible_connection: local, provision_fetch_via: laptop}}}\n")
    playbook.write_text("- hosts: all\n  tasks: [{ping: }]\n")
    with pytest.raises(InputError, match='"laptop" is not known') as refused:
        load_site(RunRequest(playbook, inventory))
    assert "controller, or auto" in refused.value.diagnostic.hint


def test_a_line_that_is_cut_costs_only_what_was_on_its_way(plays, tmp_path):
    """The next run goes on from what has arrived."""
    content = bytes(range(256)) * 4096 * 40  # 40 MiB: more than any buffer on the way holds
    path = tmp_path / "large"
    path.write_bytes(content)
    blob = Blob(path, hashlib.sha256(content).hexdigest(), len(content))
    for amount in plays.session.upload([blob], str(plays.home)):
        if amount.done > len(content) // 2:
            break
    plays.session.close()
    again = plays.open()
    sent = [amount.done for amount in again.upload([blob], str(plays.home))]
    again.close()
    assert 0 < sent[-1] < len(content) * 2 // 3
    assert (plays.home / ".provision/brought" / blob.sha256).read_bytes() == content
