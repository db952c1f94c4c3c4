"""What `inspect.sh` tells of files: all that a file system keeps of each."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import Any

_PERMISSIONS = {
    "rusr": stat.S_IRUSR, "wusr": stat.S_IWUSR, "xusr": stat.S_IXUSR,
    "rgrp": stat.S_IRGRP, "wgrp": stat.S_IWGRP, "xgrp": stat.S_IXGRP,
    "roth": stat.S_IROTH, "woth": stat.S_IWOTH, "xoth": stat.S_IXOTH,
    "isuid": stat.S_ISUID, "isgid": stat.S_ISGID,
}  # fmt: skip
_KINDS = {
    "isreg": stat.S_IFREG, "isdir": stat.S_IFDIR, "islnk": stat.S_IFLNK, "isblk": stat.S_IFBLK, "ischr": stat.S_IFCHR,
    "isfifo": stat.S_IFIFO, "issock": stat.S_IFSOCK,
}  # fmt: skip
_MINOR_BITS = 8
"""Linux keeps the low 8 bits of a minor number at the end of a device number, the major number's 12 above them."""


@dataclass(frozen=True)
class Details:
    """One file, as `stat` tells of it; times are seconds since 1970.

    Attributes:
        bits: Kind and permissions together, `st_mode`.
        device_type: What a device file stands for.
    """

    bits: int
    uid: int
    gid: int
    owner: str
    group: str
    inode: int
    device: int
    links: int
    blocks: int
    block_size: int
    size: int
    device_type: int
    accessed: float
    modified: float
    changed: float

    def has_kind(self, name: str) -> bool:
        """Whether it is of a kind, by the name that `stat` registers, such as "isdir"."""
        return stat.S_IFMT(self.bits) == _KINDS[name]

    def values(self) -> dict[str, Any]:
        """What `stat` and `find` register of it, by Ansible's names, except its path."""
        return {
            "mode": f"{stat.S_IMODE(self.bits):04o}",
            **{name: self.has_kind(name) for name in _KINDS},
            **permissions(self.bits),
            "uid": self.uid,
            "gid": self.gid,
            "size": self.size,
            "inode": self.inode,
            "dev": self.device,
            "nlink": self.links,
            "atime": self.accessed,
            "mtime": self.modified,
            "ctime": self.changed,
            **({} if self.owner == "UNKNOWN" else {"pw_name": self.owner}),
            **({} if self.group == "UNKNOWN" else {"gr_name": self.group}),
        }


def permissions(bits: int) -> dict[str, bool]:
    """Each permission by the name that `stat` registers."""
    return {name: bool(bits & bit) for name, bit in _PERMISSIONS.items()}


def read_details(line: str) -> Details:
    """One line of `inspect.sh`.

    Raises:
        ValueError: It is none.
    """
    words = line.split(" ")
    raw, uid, gid, owner, group, inode, device, links, blocks, block_size, size, major, minor, *times = words
    device_type = int(major, 16) << _MINOR_BITS | int(minor, 16)
    accessed, modified, changed = map(float, times)
    return Details(
        bits=int(raw, 16),
        uid=int(uid),
        gid=int(gid),
        owner=owner,
        group=group,
        inode=int(inode),
        device=int(device),
        links=int(links),
        blocks=int(blocks),
        block_size=int(block_size),
        size=int(size),
        device_type=device_type,
        accessed=accessed,
        modified=modified,
        changed=changed,
    )


def read_tree(told: bytes) -> dict[str, Details]:
    """Everything below a folder, by its path relative to that, sorted by path.

    Raises:
        ValueError: Something came or went while the host looked.
    """
    lines, _, names = told.partition(b"names\n")
    paths = [name.decode("utf-8", "surrogateescape") for name in names.split(b"\0")[:-1]]
    details = map(read_details, lines.decode("utf-8", "surrogateescape").splitlines())
    found = {path.partition("/./")[2]: one for path, one in zip(paths, details, strict=True)}
    return dict(sorted(found.items()))
