"""The file system that a node sees: the machine's programs, a small /etc of its own, and the shared home."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import ProvisionError

_PROGRAM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr")
"""Seen as they are on this machine, read-only. On a merged /usr all but the last are links, and stay links."""

_FROM_ETC = (
    *("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d"),  # programs and libraries are found through these
    *("ssl", "ca-certificates", "pki"),  # certificates
    *("profile", "profile.d", "bash.bashrc", "bashrc", "csh.login", "inputrc", "shells"),  # what login shells read
    *("localtime", "login.defs", "protocols", "services", "perl", "terminfo"),
)
"""Of this machine's /etc a node gets what programs need to run. Accounts, hosts and keys are its own."""

_ASH = "/opt/lab/ash"
"""busybox is the shell that it is called as, and no distribution has a link for that."""

HOST_KEY = "/etc/ssh/host_key"
"""The node's private host key, as the node sees it."""

SSHD_CONFIG = "/etc/ssh/sshd_config"
"""The configuration of its server, as the node sees it."""


@dataclass(frozen=True)
class OwnedFile:
    """Something that a node has besides: a file with this text, or a folder when `text` is None."""

    path: str
    text: str | None
    owner: str
    mode: int


@dataclass(frozen=True)
class NodeSpec:
    """What a node is made of. Plain values only: it travels as JSON.

    Attributes:
        name: The host name.
        root: An empty directory of this machine, over which the node's file system is mounted.
        scratch: The node's own /tmp, a directory of this machine.
        home: The shared home, a directory of this machine.
        account: Who logs in.
        uid: Their number, also of their only group.
        account_home: Where the node has the home.
        login_shell: Their shell: bash, dash, busybox or mksh.
        host_key: The text of the private host key.
        sshd_config: The text of the server's configuration.
        hosts: The text of /etc/hosts.
        known_hosts: The text of /etc/ssh/ssh_known_hosts.
        boot_id: What the node says of its boot: two nodes have not booted together.
        hidden: Programs of this machine that the node lacks, as absolute paths.
        system_accounts: Further lines of /etc/passwd, of accounts with a group of the same name and number.
        files: What it has besides, folders before what is in them.
        daemons: What it starts before its sshd, as commands.
    """

    name: str
    root: str
    scratch: str
    home: str
    account: str
    uid: int
    account_home: str
    login_shell: str
    host_key: str
    sshd_config: str
    hosts: str
    known_hosts: str
    boot_id: str
    hidden: tuple[str, ...]
    system_accounts: str = ""
    files: tuple[OwnedFile, ...] = ()
    daemons: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def from_json(cls, text: str) -> NodeSpec:
        """The spec that travelled as `text`."""
        fields = json.loads(text)
        return cls(
            **fields
            | {
                "hidden": tuple(fields["hidden"]),
                "files": tuple(OwnedFile(**file) for file in fields["files"]),
                "daemons": tuple(map(tuple, fields["daemons"])),
            }
        )


def build_root(spec: NodeSpec) -> None:
    """Mount the node's file system at `spec.root`; the caller is root in a mount namespace of the node's own.

    Raises:
        ProvisionError: Something cannot be mounted.
    """
    root = Path(spec.root)
    _mount("-t", "tmpfs", "-o", "mode=755", "provision-lab", root)
    _show_programs(root)
    for name in ("dev", "sys"):
        (root / name).mkdir()
        _mount("--rbind", f"/{name}", root / name)
    # Terminals and shared memory of its own: those of this machine are none of the node's business.
    _mount("-t", "tmpfs", "-o", "mode=1777", "shm", root / "dev/shm")
    _mount("-t", "devpts", "-o", "newinstance,mode=620,gid=5,ptmxmode=666", "devpts", root / "dev/pts")
    _mount("--bind", root / "dev/pts/ptmx", root / "dev/ptmx")
    (root / "proc").mkdir()
    _mount("-t", "proc", "proc", root / "proc")
    _make_folders(root)
    _write_etc(root / "etc", spec)
    _add_files(root, spec)
    _bind(spec.scratch, root / "tmp")
    _bind(spec.home, root / spec.account_home.lstrip("/"))
    _bind(_file(root / "run/boot_id", spec.boot_id + "\n"), root / "proc/sys/kernel/random/boot_id")
    # Present but not executable, as the tutorial's author found python3 on gpu2.
    empty = _file(root / "run/not-here", "")
    for path in spec.hidden:
        _bind(empty, root / path.lstrip("/"))


def _show_programs(root: Path) -> None:
    for name in _PROGRAM_FOLDERS:
        source = Path("/", name)
        if source.is_symlink():
            (root / name).symlink_to(source.readlink())
        elif source.is_dir():
            (root / name).mkdir()
            _mount("--rbind", source, root / name)
            _mount("-o", "remount,bind,ro", root / name)


def _make_folders(root: Path) -> None:
    # sshd locks itself into one of the three empty ones: Debian's, Red Hat's, upstream's.
    for name in ("run/sshd", "var/empty/sshd", "var/log", "root", "public/home"):
        (root / name).mkdir(parents=True)
    (root / "root").chmod(0o700)
    if busybox := shutil.which("busybox"):
        (root / _ASH.lstrip("/")).parent.mkdir(parents=True)
        (root / _ASH.lstrip("/")).symlink_to(busybox)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir()
        (root / name).chmod(0o1777)


def _write_etc(etc: Path, spec: NodeSpec) -> None:
    etc.mkdir()
    for name in _FROM_ETC:
        source = Path("/etc", name)
        if source.is_dir():
            shutil.copytree(source, etc / name, symlinks=True)
        elif source.is_file():
            shutil.copy2(source, etc / name)
    _file(
        etc / "passwd",
        f"{_accounts('passwd')}{spec.system_accounts}{spec.account}:x:{spec.uid}:{spec.uid}::{_home_and_shell(spec)}\n",
    )
    groups = "".join(f"{line.split(':')[0]}:x:{line.split(':')[3]}:\n" for line in spec.system_accounts.splitlines())
    _file(etc / "group", f"{_accounts('group')}{groups}{spec.account}:x:{spec.uid}:\n")
    # A star is no password at all; an exclamation mark would be a locked account, which sshd refuses.
    _file(etc / "shadow", f"root:*:::::::\n{spec.account}:*:::::::\n", mode=0o600)
    _file(etc / "hosts", spec.hosts)
    _file(etc / "hostname", spec.name + "\n")
    _file(etc / "resolv.conf", "")
    _file(etc / "nsswitch.conf", "".join(f"{base}: files\n" for base in ("passwd", "group", "shadow", "hosts")))
    (etc / "ssh").mkdir()
    _file(etc / "ssh/ssh_known_hosts", spec.known_hosts)
    _file(etc / "ssh/sshd_config", spec.sshd_config)
    _file(etc / "ssh/host_key", spec.host_key, mode=0o600)


def _add_files(root: Path, spec: NodeSpec) -> None:
    """Owners are the node's own accounts, which may have another number than this machine's of the same name."""
    lines = (root / "etc/passwd").read_text(encoding="utf-8").splitlines()
    numbers = {name: (int(uid), int(gid)) for name, _, uid, gid, *_ in (line.split(":") for line in lines)}
    for file in spec.files:
        path = root / file.path.lstrip("/")
        if file.text is None:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(file.mode)
        else:
            _file(path, file.text, file.mode)
        os.chown(path, *numbers[file.owner])


def _home_and_shell(spec: NodeSpec) -> str:
    shell = _ASH if spec.login_shell == "busybox" else shutil.which(spec.login_shell)
    return f"{spec.account_home}:{shell}"


def _accounts(base: str) -> str:
    """This machine's system accounts (sshd's own among them), without its people."""
    lines = Path("/etc", base).read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.count(":") >= 2 and _is_system(line.split(":")[2]))


def _is_system(number: str) -> bool:
    return number.isdecimal() and int(number) < 1000


def _file(path: Path, text: str, mode: int = 0o644) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def _bind(source: str | Path, target: Path) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    _mount("--bind", source, target)


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProvisionError(
            f"cannot mount {arguments[-1]} for the lab",
            detail=done.stderr.strip(),
            hint="in a container, give it CAP_SYS_ADMIN (docker run --privileged)",
        )
