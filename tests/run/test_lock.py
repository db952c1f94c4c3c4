"""Locks and bundles: what is installed is written down, had again exactly, and had without any internet."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.errors import InputError, LockDriftError, ProvisionError, StepFailedError
from scupi_provision.events import Event, Notice, RunFinished, TaskFinished
from scupi_provision.host.lock import HostLock, LockedEnvironment, LockedPackage
from scupi_provision.run.apply import apply
from scupi_provision.run.bundle import write_bundle
from scupi_provision.run.downloads import DownloadCache
from scupi_provision.run.lock import lock
from scupi_provision.run.lock_drift import differences
from scupi_provision.run.lock_file import SiteLock, format_lock, parse_lock, read_lock
from scupi_provision.run.locked import require_fitting_lock
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

from packages import Served, index, serving_folder, wheel

INVENTORY = """
all:
  vars: {ansible_connection: local, ansible_user: me}
  hosts: {one: {}}
"""
PLAY = """
- hosts: one
  vars: {packages: [gamma]}
  tasks:
    - name: a program
      prebuilt: {name: tool, version: "1", urls: [URL/tool.tar.gz], sha256: SHA256, creates: bin/tool}
    - name: an environment
      venv: {path: ~/env}
    - name: packages
      pip: {name: "{{ packages }}", virtualenv: ~/env, index_url: URL/index}
    - name: more packages
      pip: {name: alpha, virtualenv: ~/env, index_url: URL/index}
"""


@dataclass
class Place:
    """A site, whose only host is this account, and the server that it installs from."""

    home: Path
    served: Served

    @property
    def lock(self) -> Path:
        return self.home.parent / "provision.lock"

    @property
    def bundle(self) -> Path:
        return self.home.parent / "site.bundle"

    def site(self, **request: Any) -> Any:
        folder = self.home.parent
        return load_site(RunRequest(folder / "play.yaml", folder / "inventory.yaml", **request))

    def apply(self, **request: Any) -> list[Event]:
        site = self.site(**request)
        require_fitting_lock(site)
        return list(apply(site))

    def write_lock(self) -> dict[str, Any]:
        list(lock(self.site(), self.lock))
        document: dict[str, Any] = json.loads(self.lock.read_text())
        return document

    def write_known_lock(self) -> dict[str, Any]:
        """As `write_lock` after an apply, from what is known of the sources."""
        files = sorted((self.served.folder / "files").glob("*.whl"))
        packages = [
            {"name": name, "version": version, "url": f"{self.served.url}/files/{path.name}", "sha256": digest(path)}
            for path in files
            for name, version in [path.name.split("-")[:2]]
        ]
        versions = {one["name"]: one["version"] for one in packages}
        tool = {"sha256": digest(self.served.folder / "tool.tar.gz"), "urls": [f"{self.served.url}/tool.tar.gz"]}
        environment = {"python": "", "versions": versions, "pip": packages, "conda": []}
        document = {
            "format": "provision-lock-1",
            "facts": {"one": {"architecture": platform.machine()}},
            "hosts": {"one": {"downloads": [tool], "environments": {"~/env": environment}}},
        }
        self.lock.write_text(json.dumps(document))
        return document

    def pack(self) -> None:
        list(write_bundle(read_lock(self.lock), DownloadCache(self.home.parent / "downloads"), self.bundle))

    def begin_anew(self) -> None:
        """As if nothing had ever been installed."""
        shutil.rmtree(self.home)
        self.home.mkdir()

    def imports(self, name: str) -> str:
        code = f"import {name}; print({name}.VERSION)"
        python = str(self.home / "env/bin/python")
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def code(events: list[Event]) -> int:
    return next(event.exit_code for event in events if isinstance(event, RunFinished))


def outcomes(events: list[Event]) -> list[str]:
    return [event.outcome.value for event in events if isinstance(event, TaskFinished)]


@pytest.fixture
def place(account: Path) -> Iterator[Place]:
    """The site and its sources."""
    folder = account.parent / "served"
    tool = folder / "tool-1/bin/tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho tool\n")
    tool.chmod(0o755)
    subprocess.run(["tar", "-czf", folder / "tool.tar.gz", "-C", folder, "tool-1"], check=True)
    wheels = [
        wheel(folder / "files", "alpha", "1.0"),
        wheel(folder / "files", "beta", "2.0"),
        wheel(folder / "files", "gamma", "1.0", needs="beta>=2"),
    ]
    index(folder / "index", *wheels)
    with serving_folder(folder) as served:
        (account.parent / "inventory.yaml").write_text(INVENTORY)
        (account.parent / "play.yaml").write_text(
            PLAY.replace("URL", served.url).replace("SHA256", digest(folder / "tool.tar.gz"))
        )
        yield Place(account, served)


def test_a_lock_tells_what_is_installed_and_nothing_else_is_needed_to_have_it_again(place):
    assert code(place.apply()) == 0
    document = place.write_lock()
    found = document["hosts"]["one"]
    (download,) = found["downloads"]
    assert download["urls"] == [f"{place.served.url}/tool.tar.gz"]
    packages = {one["name"]: one for one in found["environments"]["~/env"]["pip"]}
    assert {name: one["version"] for name, one in packages.items()} == {"alpha": "1.0", "beta": "2.0", "gamma": "1.0"}
    beta = place.served.folder / "files/beta-2.0-py3-none-any.whl"
    assert packages["beta"]["sha256"] == hashlib.sha256(beta.read_bytes()).hexdigest()
    assert document["facts"]["one"]["architecture"]
    assert str(place.home) not in place.lock.read_text()

    # The index has something newer now: the lock does not care, and asks no index at all.
    index(place.served.folder / "index", wheel(place.served.folder / "files", "beta", "2.1"))
    place.begin_anew()
    place.served.asked.clear()
    events = place.apply(lock=place.lock)
    assert code(events) == 0
    assert place.imports("beta") == "2.0"
    assert not [path for path in place.served.asked if path.startswith("/index")]
    assert outcomes(place.apply(lock=place.lock)) == ["ok"] * 4
    assert not list((place.home / ".provision/cache").glob("packages-*"))

    # The same host gives the same lock, byte for byte.
    text = place.lock.read_text()
    place.write_lock()
    assert place.lock.read_text() == text


def test_a_bundle_installs_without_a_single_request(place):
    place.write_known_lock()
    place.pack()
    place.served.asked.clear()
    events = place.apply(bundle=place.bundle)
    assert code(events) == 0, [event for event in events if isinstance(event, TaskFinished)]
    assert place.served.asked == []
    assert place.imports("gamma") == "1.0"
    tools = list((place.home / ".provision/store").glob("tool-1-*/bin/tool"))
    assert len(tools) == 1
    assert outcomes(place.apply(bundle=place.bundle)) == ["ok"] * 4


def test_what_the_lock_does_not_have_is_refused_before_anything_is_done(place):
    place.write_known_lock()
    with pytest.raises(LockDriftError) as refused:
        place.apply(lock=place.lock, extra={"packages": ["gamma>=2", "delta"]})
    assert "gamma>=2, delta is asked for in" in refused.value.diagnostic.detail
    assert "provision lock" in refused.value.diagnostic.hint
    assert not (place.home / "env").exists()

    playbook = place.home.parent / "play.yaml"
    playbook.write_text(playbook.read_text().replace("path: ~/env", "path: ~/other").replace(": ~/env,", ": ~/other,"))
    with pytest.raises(LockDriftError) as refused:
        place.apply(lock=place.lock)
    assert "the environment ~/other is not in the lock" in refused.value.diagnostic.detail


def test_another_version_of_a_program_is_refused(place):
    document = place.write_known_lock()
    document["hosts"]["one"]["downloads"][0]["sha256"] = "0" * 64
    place.lock.write_text(json.dumps(document))
    with pytest.raises(LockDriftError) as refused:
        place.apply(lock=place.lock)
    assert "tool.tar.gz (sha256" in refused.value.diagnostic.detail


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("glibc", "99.0", "glibc is"),
        ("nvidia_driver", "999.1", "nvidia_driver is"),
        ("architecture", "riscv64", "locked for riscv64"),
    ],
)
def test_hosts_of_another_kind_are_refused(place, name, value, told):
    document = place.write_known_lock()
    document["facts"]["one"][name] = value
    place.lock.write_text(json.dumps(document))
    with pytest.raises(LockDriftError) as refused:
        place.apply(lock=place.lock)
    assert told in refused.value.diagnostic.detail


def test_a_site_that_is_not_applied_has_nothing_to_lock(place):
    with pytest.raises(StepFailedError, match="nothing to lock yet") as refused:
        place.write_lock()
    assert "provision apply" in refused.value.diagnostic.hint
    assert not place.lock.exists()


def test_packages_of_unknown_origin_are_told(place):
    place.apply()
    by_hand = wheel(place.served.folder / "files", "omega", "9.0")
    python = place.home / "env/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", by_hand], check=True, capture_output=True)
    notices = [event.text for event in lock(place.site(), place.lock) if isinstance(event, Notice)]
    assert any("omega 9.0" in text for text in notices)


def test_a_damaged_lock_is_refused(place):
    for text in ("", "{}", '{"format": "provision-lock-9"}', '{"format": "provision-lock-1", "facts": 3, "hosts": {}}'):
        place.lock.write_text(text)
        with pytest.raises(InputError):
            place.site(lock=place.lock)
    place.lock.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        place.site(lock=place.lock)


names = st.text('abc-é/ ~"\\', min_size=1, max_size=8)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
packages = st.lists(st.builds(LockedPackage, names, names, names, hashes), max_size=3, unique_by=lambda one: one.name)
environments = st.builds(
    LockedEnvironment,
    names,
    st.dictionaries(names, names, max_size=3),
    packages.map(lambda found: tuple(sorted(found, key=lambda one: one.name))),
)
downloads = st.dictionaries(hashes, st.lists(names, min_size=1, max_size=2).map(tuple), max_size=2)
locks = st.builds(
    SiteLock,
    st.dictionaries(names, st.dictionaries(names, names | st.lists(names, max_size=2)), max_size=2),
    st.dictionaries(
        names, st.builds(HostLock, downloads, st.dictionaries(names, environments, max_size=2)), max_size=2
    ),
)


@given(locks)
def test_a_lock_survives_being_written_and_read(lock):
    assert parse_lock(format_lock(lock), "it") == lock


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({"glibc": "2.17"}, {"glibc": "2.28"}, ""),
        ({"glibc": "2.28"}, {"glibc": "2.17"}, "glibc is 2.17, locked for 2.28"),
        ({"nvidia_driver": "510.47.03"}, {"nvidia_driver": ""}, "nvidia_driver is not there"),
        ({"nvidia_driver": ""}, {"nvidia_driver": "510.47.03"}, ""),
        ({"compute_caps": ["7.0", "8.0"]}, {"compute_caps": ["8.0"]}, ""),
        ({"compute_caps": ["8.0"]}, {"compute_caps": ["7.0", "8.0"]}, "a GPU of compute capability 7.0"),
        ({"architecture": "x86_64"}, {"architecture": "aarch64"}, "locked for x86_64"),
    ],
)
def test_what_a_machine_may_differ_in(then, now, told):
    """Older is refused, newer is not: wheels and drivers are compatible forwards."""
    same = {"architecture": "x86_64", "glibc": "", "nvidia_driver": "", "cuda_driver": "", "compute_caps": []}
    found = " ".join(differences("gpu2", {**same, **then}, {**same, **now}))
    assert told in found
    assert bool(told) == bool(found)


def test_a_bundle_that_lacks_something_is_refused_with_the_list(place):
    place.write_known_lock()
    place.pack()
    with tarfile.open(place.bundle) as whole, tarfile.open(place.home.parent / "poor.bundle", "w") as poor:
        for member in whole:
            if member.name == "provision.lock":
                poor.addfile(member, whole.extractfile(member))
    with pytest.raises(InputError, match="lacks 4 of the files") as refused:
        place.site(bundle=place.home.parent / "poor.bundle")
    assert "alpha-1.0-py3-none-any.whl" in refused.value.diagnostic.detail


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_a_bundle_that_was_cut_short_is_refused(place, length):
    place.write_known_lock()
    place.pack()
    place.bundle.write_bytes(place.bundle.read_bytes()[:length])
    with pytest.raises(InputError):
        place.site(bundle=place.bundle)


def test_a_damaged_file_of_a_bundle_is_not_installed(place):
    place.write_known_lock()
    place.pack()
    content = place.bundle.read_bytes()
    place.bundle.write_bytes(content.replace(b"VERSION = '2.0'", b"VERSION = '6.6'"))
    events = place.apply(bundle=place.bundle)
    assert code(events) == 1
    assert any("is damaged" in event.message for event in events if isinstance(event, TaskFinished))
    assert place.imports("beta") == ""


def test_a_package_that_was_built_from_source_cannot_be_bundled(place):
    document = place.write_known_lock()
    document["hosts"]["one"]["environments"]["~/env"]["pip"][0]["url"] += ".tar.gz"
    place.lock.write_text(json.dumps(document))
    with pytest.raises(ProvisionError, match="built on the host") as refused:
        place.pack()
    assert "alpha 1.0" in refused.value.diagnostic.detail
    assert not place.bundle.exists()
