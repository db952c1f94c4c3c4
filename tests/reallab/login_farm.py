"""One sshd of OpenSSH for many accounts, each with a home of its own and whatever login shell it likes.

The accounts exist only for this server: it runs in a mount namespace with an /etc/passwd of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hostile_logins import HOSTILE, PROFILE
from loopback import free_port, wait_for_port
from scupi_provision.transport.base import Hop

_FIRST_UID = 61_000
_SSHD = "/usr/sbin/sshd"
_START = """
mount --make-rprivate / &&
mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group && mount --bind "$1/shadow" /etc/shadow &&
exec "$2" -D -E "$1/log" -f "$1/config"
"""

_INVENTORY = """\
all:
  vars:
    provision_known_hosts: {known_hosts}
    provision_login_timeout: {patience_s}
  hosts:
    admin1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}
accounts:
{accounts}"""


@dataclass(frozen=True)
class Farm:
    """The running server.

    Attributes:
        port: On loopback.
        known_hosts: Has its key.
        key: Opens every account.
        homes: The folder of the homes, named like the accounts.
    """

    port: int
    known_hosts: Path
    key: Path
    homes: Path

    def home(self, account: str) -> Path:
        """The home of an account."""
        return self.homes / account

    def hop(self, account: str, **changes: float) -> Hop:
        """The login of an account."""
        return Hop("admin1", "127.0.0.1", self.port, account, (self.key,), (self.known_hosts,), **changes)

    def inventory(self, accounts: Sequence[str], patience_s: float) -> str:
        """The text of an inventory with these accounts."""
        return _INVENTORY.format(
            port=self.port,
            known_hosts=self.known_hosts,
            patience_s=patience_s,
            accounts="".join(f'  - {{id: "{name}", key: "{self.key}"}}\n' for name in accounts),
        )

    def processes(self, account: str) -> list[str]:
        """The command lines of what runs as an account, without its connections."""
        uid = self.home(account).stat().st_uid
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if entry.stat().st_uid == uid:
                    found.append(entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode().strip())
        return [each for each in found if each and not each.startswith("sshd: ")]


@contextmanager
def farming(accounts: Sequence[tuple[str, str]], **options: str) -> Iterator[Farm]:
    """A server for these accounts (name and login shell); homes are empty but for what logs in."""
    with tempfile.TemporaryDirectory(prefix="provision-farm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the accounts must reach their homes: they could not below pytest's own directories
        with _serving(folder, accounts, options) as farm:
            yield farm


@contextmanager
def _serving(folder: Path, accounts: Sequence[tuple[str, str]], options: dict[str, str]) -> Iterator[Farm]:
    homes = folder / "homes"
    homes.mkdir()
    for name in ("client", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    for uid, (name, _) in enumerate(accounts, _FIRST_UID):
        _make_home(homes / name, uid, (folder / "client.pub").read_bytes())
    port = free_port()
    _write_files(folder, accounts, {"Port": str(port), **options})
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    # In a namespace of its own for processes, too: what logins leave behind ends with the server.
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _START, "farm", folder, _SSHD]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for_port(port)
        yield Farm(port, known, folder / "client", homes)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _make_home(home: Path, uid: int, key: bytes) -> None:
    home.mkdir(mode=0o755)
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh/authorized_keys").write_bytes(key)
    for path in (home, *home.rglob("*")):
        os.chown(path, uid, uid)


def _write_files(folder: Path, accounts: Sequence[tuple[str, str]], options: dict[str, str]) -> None:
    numbered = list(enumerate(accounts, _FIRST_UID))
    passwd = [f"{name}:x:{uid}:{uid}::{folder}/homes/{name}:{shell}" for uid, (name, shell) in numbered]
    group = [f"{name}:x:{uid}:" for uid, (name, _) in numbered]
    shadow = [f"{name}:*:::::::" for _, (name, _) in numbered]
    for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow)):
        (folder / name).write_text(Path("/etc", name).read_text() + "\n".join(lines) + "\n")
    settings = {
        "ListenAddress": "127.0.0.1",
        "HostKey": str(folder / "host"),
        "PidFile": "none",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "MaxStartups": "100",
        "Subsystem": "sftp internal-sftp",
        **options,
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))


def installed(shell: str) -> str:
    """Where a login shell is on this machine."""
    return shutil.which(shell) or f"/not/installed/{shell}"


def settle(farm: Farm) -> None:
    """Give every account of `HOSTILE` its files."""
    for each in HOSTILE:
        write(farm, each.name, each.file, each.content)
        if each.shell == "bash":
            write(farm, each.name, ".profile", PROFILE)


def write(farm: Farm, account: str, name: str, content: bytes) -> None:
    """Give an account a file in its home."""
    home = farm.home(account)
    path = home / name
    path.write_bytes(content)
    os.chown(path, home.stat().st_uid, home.stat().st_gid)


@contextmanager
def hostile_farm() -> Iterator[Farm]:
    """All accounts of `HOSTILE`, each with its files."""
    accounts = [(each.name, each.shell if "/" in each.shell else installed(each.shell)) for each in HOSTILE]
    with farming(accounts) as farm:
        settle(farm)
        yield farm
