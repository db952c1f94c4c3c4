"""Locks and bundles of conda environments, on real packages; a stand-in for the program `conda` installs them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conda_channels import indexed, installed, packed, served
from scupi_provision.errors import LockDriftError
from scupi_provision.events import Event, RunFinished, TaskFinished
from scupi_provision.run.apply import apply
from scupi_provision.run.bundle import write_bundle
from scupi_provision.run.downloads import DownloadCache
from scupi_provision.run.lock import lock
from scupi_provision.run.lock_file import read_lock
from scupi_provision.run.locked import require_fitting_lock
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

INVENTORY = """
all:
  vars: {ansible_connection: local, ansible_user: me}
  hosts: {one: {}}
"""
PLAY = """
- hosts: one
  vars: {packages: [three]}
  tasks:
    - name: an environment
      conda_env: {path: ~/envs/work, conda: ~/conda, packages: "{{ packages }}", channel_urls: [URL]}
"""


@dataclass
class Place:
    """A site whose only host is this account, and the channel that it installs from."""

    home: Path
    channel: Path

    @property
    def folder(self) -> Path:
        return self.home.parent

    def site(self, **request: Any) -> Any:
        return load_site(RunRequest(self.folder / "play.yaml", self.folder / "inventory.yaml", **request))

    def apply(self, **request: Any) -> list[Event]:
        site = self.site(**request)
        require_fitting_lock(site)
        return list(apply(site))

    def lock(self) -> Path:
        path = self.folder / "provision.lock"
        list(lock(self.site(), path))
        return path

    def begin_anew(self) -> None:
        """As if nothing but conda had ever been installed."""
        shutil.rmtree(self.home)
        conda = self.home / "conda/bin/conda"
        conda.parent.mkdir(parents=True)
        conda.write_text(f'#!/bin/sh\nexec {sys.executable} -m scupi_provision.lab.conda_stand_in "$@"\n')
        conda.chmod(0o755)
        (self.home / "conda/conda-meta").mkdir()
        (self.home / "conda/conda-meta/history").touch()

    @property
    def environment(self) -> dict[str, str]:
        return installed(self.home / "envs/work")


def code(events: list[Event]) -> int:
    return next(event.exit_code for event in events if isinstance(event, RunFinished))


def told(events: list[Event]) -> list[str]:
    return [f"{event.message}\n{event.output}" for event in events if isinstance(event, TaskFinished)]


@pytest.fixture
def place(account: Path) -> Iterator[Place]:
    """The site; its channel is served until the folder `served` is gone."""
    channel = account.parent / "served/conda-forge"
    packed(channel, "one", "1.0")
    packed(channel, "two", "1.0", "one")
    packed(channel, "three", "1.0", "two")
    indexed(channel)
    with served(channel.parent) as url:
        (account.parent / "inventory.yaml").write_text(INVENTORY)
        (account.parent / "play.yaml").write_text(PLAY.replace("URL", url))
        made = Place(account, channel)
        made.begin_anew()
        yield made


def test_a_locked_environment_is_the_same_again_whatever_the_channel_has_by_then(place):
    events = place.apply()
    assert code(events) == 0, told(events)
    path = place.lock()
    (environment,) = json.loads(path.read_text())["hosts"]["one"]["environments"].values()
    assert [one["name"] for one in environment["conda"]] == ["one", "three", "two"]

    packed(place.channel, "one", "2.0")
    indexed(place.channel)
    place.begin_anew()
    events = place.apply(lock=path)
    assert code(events) == 0, told(events)
    assert place.environment == {"one": "1.0", "two": "1.0", "three": "1.0"}
    assert [event.outcome.value for event in place.apply(lock=path) if isinstance(event, TaskFinished)] == ["ok"]
    with pytest.raises(LockDriftError) as refused:
        place.apply(lock=path, extra={"packages": ["three", "one>=2"]})
    assert "one>=2 is asked for in" in refused.value.diagnostic.detail


def test_a_bundled_environment_needs_no_channel(place):
    place.apply()
    bundle = place.folder / "site.bundle"
    list(write_bundle(read_lock(place.lock()), DownloadCache(place.folder / "downloads"), bundle))
    place.begin_anew()
    shutil.rmtree(place.channel)
    events = place.apply(bundle=bundle)
    assert code(events) == 0, told(events)
    assert place.environment == {"one": "1.0", "two": "1.0", "three": "1.0"}
    assert not list((place.home / ".provision/cache").glob("channels-*"))
