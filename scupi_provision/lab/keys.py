"""The lab's keys: made once, kept for the life of the lab, never used anywhere else."""

from __future__ import annotations

from pathlib import Path

from scupi_provision.lab.layout import ADMIN, GPU, NODES, LabLayout


def make_keys(layout: LabLayout) -> None:
    """Make the account's key and both host keys where they are missing (ed25519, OpenSSH format, mode 0600)."""
    layout.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_key(layout.client_key, "provision-lab")
    for node in NODES:
        make_key(layout.host_key(node), node)


def write_known_hosts(layout: LabLayout, admin_port: int) -> None:
    """Write known_hosts with the names a client dials: admin1 by address and port, gpu2 by name through it."""
    lines = [
        f"[127.0.0.1]:{admin_port} {_public_key(layout.host_key(ADMIN))}",
        f"{GPU} {_public_key(layout.host_key(GPU))}",
    ]
    layout.known_hosts.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_key(path: Path, comment: str) -> None:
    """Make an ed25519 key and its public half, unless it is there."""
    if path.exists():
        return
    import asyncssh  # noqa: PLC0415 - 0.3 s, needed only when the lab is made

    key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    path.with_suffix(".pub").write_bytes(key.export_public_key())
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key())


def _public_key(private: Path) -> str:
    kind, blob, *_ = private.with_suffix(".pub").read_text(encoding="utf-8").split()
    return f"{kind} {blob}"
