"""The account's home, and the keys with which one comes in: from outside to both nodes, and from node to node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from scupi_provision.lab.home import make_home
from scupi_provision.lab.keys import make_key, make_keys
from scupi_provision.lab.layout import ADMIN, NODES, LabLayout
from scupi_provision.lab.real.network import Wiring

_FIRST_UID = 61000
"""Above what distributions give to people (60000, login.defs) and below the container ranges of systemd (61184)."""


def make_entry(layout: LabLayout) -> None:
    """Make keys and home where they are missing. A home that exists is somebody's work; only its key is renewed."""
    make_keys(layout)
    uid = layout.home.stat().st_uid if layout.home.exists() else _free_uid()
    make_home(layout.home)
    folder = layout.home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    # As on clusters: one key for going from node to node lies in the shared home.
    inside = folder / "id_ed25519"
    make_key(inside, "provision-lab-inside")
    keys = (layout.client_key.with_suffix(".pub"), inside.with_suffix(".pub"))
    allowed = folder / "authorized_keys"
    lines = allowed.read_text(encoding="utf-8") if allowed.exists() else ""
    for key in keys:
        text = key.read_text(encoding="ascii")
        lines += "" if text in lines else text
    allowed.write_text(lines, encoding="utf-8")
    allowed.chmod(0o600)
    for path in (layout.home, *_below(layout.home)):
        os.chown(path, uid, uid, follow_symlinks=False)


def known_hosts(layout: LabLayout) -> str:
    """Both nodes' keys under their own names, for logins between them."""
    return "".join(f"{node} {_public_key(layout, node)}\n" for node in NODES)


def write_known_hosts(layout: LabLayout, wiring: Wiring) -> None:
    """Write known_hosts with the names a client dials: admin1 by its address, gpu2 by its name."""
    text = f"{wiring.admin} {_public_key(layout, ADMIN)}\n{known_hosts(layout)}"
    layout.known_hosts.write_text(text, encoding="ascii")


def _public_key(layout: LabLayout, node: str) -> str:
    kind, blob, *_ = layout.host_key(node).with_suffix(".pub").read_text(encoding="ascii").split()
    return f"{kind} {blob}"


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _free_uid() -> int:
    import pwd  # noqa: PLC0415 - not on Windows, where this module must be importable

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(_FIRST_UID, _FIRST_UID + len(taken) + 1) if uid not in taken)
