"""Projects that no role knows, built from the distribution's source tarballs by a playbook alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from newcomer import CACHE
from scupi_provision.lab.apt_source import AptTarball, source_tarball

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(300)]

_BUILD_S = 240.0


@dataclass(frozen=True)
class Tarball:
    """A source tarball as upstream made it."""

    version: str
    url: str
    sha256: str


def tarball(package: str) -> Tarball:
    """The tarball of a Debian package, fetched by apt once and kept with the lab's downloads."""
    folder = CACHE / "projects" / package
    record = folder / "tarball.json"
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".apt-", dir=folder) as workspace:
            found = source_tarball(package, Path(workspace))
            assert isinstance(found, AptTarball), found.output
            kept = folder / f"{package}-{found.version}.tar.{found.suffix}"
            shutil.move(found.path, kept)
        digest = hashlib.sha256(kept.read_bytes()).hexdigest()
        record.write_text(json.dumps({"version": found.version, "url": kept.as_uri(), "sha256": digest}))
    return Tarball(**json.loads(record.read_text()))


def builds(person, playbook):
    """Check, apply and apply again: all is listed before, made once, and then nothing is left to do."""
    checked = person.run("check", playbook, "--json")
    applied = person.run("apply", playbook, "--json", patience_s=_BUILD_S)
    assert applied.code == 0, applied.stderr or applied.stdout[-4000:]
    assert sorted(applied.changes()) == sorted(checked.changes()) != []  # a build and a link may end in another order
    again = person.run("apply", playbook, "--json")
    assert (again.code, again.changes()) == (0, [])
    return applied


def phases(applied):
    """What the build was at, as people saw it."""
    return {event["phase"] for event in applied.of("TaskProgress")}


def test_a_library_is_built_outside_its_source_tree(site, person, account):
    """zlib, whose configure is not autoconf's."""
    source = tarball("zlib")
    playbook = site(
        f"""
        - source_build:
            name: zlib
            version: "{source.version}"
            url: {source.url}
            sha256: {source.sha256}
            subdir: elsewhere
            make_targets: [libz.a, minigzip]
            needs: [program:cc, program:make, program:bzip2]
            environment: {{CFLAGS: -O0}}
            creates: [lib/libz.a, include/zlib.h, lib/pkgconfig/zlib.pc]
            check: grep -qx 'prefix=@prefix@' lib/pkgconfig/zlib.pc
          register: zlib
        - file: {{path: ~/zlib, src: "{{{{ zlib.prefix }}}}", state: link}}
        """
    )
    builds(person, playbook)
    assert (account / "zlib/lib/libz.a").read_bytes().startswith(b"!<arch>")


def test_a_program_without_configure_is_built_by_autoreconf(site, person, lab):
    """htop, as its maintainers tag it: aclocal, autoconf, autoheader and automake make its configure."""
    source = tarball("htop")
    playbook = site(
        f"""
        - source_build:
            name: htop
            version: "{source.version}"
            url: {source.url}
            sha256: {source.sha256}
            autotools: autoreconf
            configure: --disable-unicode
            needs: [program:cc, program:make, "header:ncurses.h|pkg:ncurses"]
            environment: {{CFLAGS: -O0}}
            creates: bin/htop
            check: htop --version
          register: htop
        - path_entry: {{name: htop, path: "{{{{ htop.prefix }}}}/bin"}}
        """
    )
    assert "autoreconf" in phases(builds(person, playbook))
    said = person.run("lab", "ssh", "gpu2", "sh", "-c", "'. ~/.provision/current/env.sh; htop --version'").stdout
    assert said.startswith(f"htop {source.version}")
