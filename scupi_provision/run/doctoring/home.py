"""Checks of the account's home: who may write there, what it lies on, how much fits, what its start-up files do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scupi_provision.host.finding import Finding, State
from scupi_provision.run.doctoring.node import Node, numbered

_GIB = 1024**3
_LEAST_FREE, _SMALL_FREE = _GIB // 2, 10 * _GIB
"""Bytes. An environment with torch for CUDA takes 5 to 8 GB, a build of git half of one."""
_LEAST_INODES, _SMALL_INODES = 10_000, 100_000
"""An environment with torch has some 30,000 files, conda's package cache as many again."""
_NETWORK_KINDS = ("nfs", "lustre", "gpfs", "fhgfs", "beegfs", "ceph", "cifs", "smb", "fuse", "panfs", "afs", "weka")
"""Beginnings of what GNU stat(1) calls file systems of other machines (coreutils, src/stat.c)."""
_QUOTA_NEAR = 0.9
_MANY_RUNS = 50


_OTHERS = {0o020: "the group", 0o002: "everybody", 0o022: "everybody"}
"""Who may write, by the mode's bits. Debian's sshd puts up with a group that has nobody else in it; others do not."""


# --- who may write ---------------------------------------------------------------------------------------------------


def permissions(node: Node) -> Finding:
    """sshd(8), StrictModes: with a home, ~/.ssh or authorized_keys that others may write, keys are not believed."""
    check = "permissions"
    for fact, path, right in (
        ("mode_home", "~", "go-w"),
        ("mode_ssh", "~/.ssh", "700"),
        ("mode_keys", "~/.ssh/authorized_keys", "600"),
    ):
        found = re.fullmatch(r"([0-7]+) (\d+)", node.raw.get(fact, ""))
        if not found:
            continue  # it is not there, or stat does not tell
        mode, owner = found.groups()
        if owner != node.raw.get("uid", owner):
            what = f"{path} belongs to another account (uid {owner})"
            fix = f"ask the administrator of {node.name} to give {path} to {node.raw.get('user', 'the account')}"
            return node.found(check, State.PROBLEM, what, fix)
        if others := _OTHERS.get(int(mode, 8) & 0o022):
            what = f"{path} has mode {mode}: {others} may write there, so sshd does not believe the keys (StrictModes)"
            return node.found(check, State.PROBLEM, what, f"chmod {right} {path}")
    return node.ok(check, f"home {node.raw.get('mode_home', '?').split(' ')[0]}, nobody else may write there")


def authorized(node: Node) -> Finding:
    """Whether ~/.ssh/authorized_keys is what let us in."""
    check = "authorized_keys"
    answers = list(numbered(node.raw, "authorized"))
    if "yes" in answers:
        return node.ok(check, "has the account's key")
    if not node.public_keys:
        return node.ok(check, "not asked: no key file of ours was needed")
    what = "~/.ssh/authorized_keys does not have the key, and yet it opened: another file or a server has it"
    fix = "if the key shall be the account's own, apply with `access: {own_key: true}` in the inventory"
    return node.found(check, State.NOTE, what, fix)


# --- what it lies on -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """What `stat -f` says: bytes and inodes, free and all; `kind` as stat calls the file system."""

    free: int
    total: int
    free_inodes: int
    inodes: int
    kind: str

    @property
    def is_remote(self) -> bool:
        """Whether another machine keeps it."""
        return self.kind.lower().startswith(_NETWORK_KINDS)


def space_of(node: Node) -> Space | None:
    """The space of the home, if the node could tell."""
    found = re.fullmatch(r"(\d+) (\d+) (\d+) (\d+) (\d+) (.+)", node.raw.get("space", ""))
    if not found:
        return None
    size, blocks, free, inodes, free_inodes = map(int, found.groups()[:5])
    return Space(size * free, size * blocks, free_inodes, inodes, found[6])


def file_system(node: Node) -> Finding:
    """Locks and many small files are slow or worse on network file systems."""
    check, space = "home is on", space_of(node)
    if space is None:
        return _untold(node, check)
    if not space.is_remote:
        return node.ok(check, space.kind)
    what = f"{space.kind}, of another machine: file locks are slow there or missing"
    fix = "if conda or pip waits for a lock: export CONDA_PKGS_DIRS=/tmp/$USER/conda PIP_CACHE_DIR=/tmp/$USER/pip"
    return node.found(check, State.NOTE, what, fix)


def free_space(node: Node) -> Finding:
    """Whether an environment fits."""
    check, space = "space", space_of(node)
    if space is None:
        return _untold(node, check)
    what = f"{gib(space.free)} free of {gib(space.total)}"
    if space.free >= _SMALL_FREE:
        return node.ok(check, what)
    state = State.PROBLEM if space.free < _LEAST_FREE else State.WARNING
    fix = "make room: du -xsk ~/* ~/.[!.]* | sort -n | tail; caches may go: conda clean -afy; rm -r ~/.cache/pip"
    return node.found(check, state, f"{what}; torch for CUDA takes up to 8 GiB", fix)


def inodes(node: Node) -> Finding:
    """Whether as many files fit: a full table says "No space left on device" beside gigabytes of space."""
    check, space = "files", space_of(node)
    if space is None or not space.inodes:
        return node.ok(check, "their number is not limited by the file system")
    what = f"{space.free_inodes:,} more fit (inodes)"
    if space.free_inodes >= _SMALL_INODES:
        return node.ok(check, what)
    state = State.PROBLEM if space.free_inodes < _LEAST_INODES else State.WARNING
    fix = "remove what has many files: conda clean -afy; old environments in ~/.provision/store and ~/miniforge3/envs"
    return node.found(check, state, f"only {what}; an environment with torch has 30,000", fix)


def quota(node: Node) -> Finding:
    """What `quota -w` or `lfs quota -q` says in its last line: blocks (KiB), soft, hard, …, files, soft, hard."""
    check = "quota"
    for line in (node.raw.get("quota", ""), node.raw.get("lfs_quota", "")):
        numbers = [int(word.rstrip("*")) for word in line.split()[1:] if re.fullmatch(r"\d+\*?", word)]
        if len(numbers) < 6:
            continue
        for (used, soft, hard), unit in ((numbers[:3], "KiB"), (numbers[-3:], "files")):
            limit = hard or soft
            if limit and used >= limit * _QUOTA_NEAR:
                state = State.PROBLEM if used >= limit else State.WARNING
                fix = f"remove what is not needed, or ask the administrator of {node.name} for a larger quota"
                return node.found(check, state, f"{used:,} of {limit:,} {unit} are used", fix)
        return node.ok(check, f"{numbers[0]:,} KiB used of {numbers[2] or numbers[1] or 'any number'}")
    return node.ok(check, "none is told here")


# --- start-up files --------------------------------------------------------------------------------------------------

_ASSIGNS = re.compile(r"(?:^|[;&]|\bexport)\s*PATH=(.*)")
_REFERS = re.compile(r"\$\{?PATH\b")


def startup_files(node: Node) -> Finding:
    """Lines that set PATH anew: `echo "export PATH=…:$PATH" >> ~/.bashrc` freezes the PATH of that moment."""
    check = "start-up files"
    if said := node.raw.get("bashrc_syntax"):
        what = f"~/.bashrc is no valid shell: {said}"
        return node.found(check, State.PROBLEM, what, f"provision rescue {node.raw.get('user', '')}".strip())
    for told in numbered(node.raw, "path_line"):
        file, line, text = [*told.split(" ", 2), "", ""][:3]
        value = _frozen(text)
        if value is None:
            continue
        fix = f'in line {line} of ~/{file}, put $PATH in place of the old list: export PATH="/the/new/bin:$PATH"'
        if not {"/bin", "/usr/bin"} & set(value.strip("\"'").split(":")):
            what = f"~/{file}:{line} sets a PATH without /usr/bin: no command is found after it"
            return node.found(check, State.PROBLEM, what, f"provision rescue {node.raw.get('user', '')}".strip())
        return node.found(check, State.WARNING, f"~/{file}:{line} freezes PATH: it ignores every later change", fix)
    return node.ok(check, "no line freezes PATH")


def _frozen(text: str) -> str | None:
    """The value that a line gives PATH when that has nothing of the PATH before it."""
    if text.lstrip().startswith("#") or not (found := _ASSIGNS.search(text)):
        return None
    value = found[1].split(" #")[0].strip()
    return value if value and not _REFERS.search(value) and "$(" not in value and "`" not in value else None


# --- what provision has here -----------------------------------------------------------------------------------------


def generation(node: Node) -> Finding:
    """Whether new shells find what was applied."""
    check, target = "environment", node.raw.get("current", "")
    if not target:
        return node.ok(check, "nothing was applied yet")
    if "current_reads" in node.raw:
        return node.ok(check, f"~/.provision/current is {target}")
    what = f"~/.provision/current leads to {target}, where no env.sh can be read: new shells find nothing"
    return node.found(check, State.PROBLEM, what, "provision rollback, or provision apply site.yaml again")


def lock(node: Node) -> Finding:
    """Who is at work in this home."""
    check = "lock"
    state, _, owner = node.raw.get("lock", "").partition(" ")
    host, _, _, who = [*owner.split(" ", 3), "", "", ""][:4]
    if not state:
        return node.ok(check, "nobody is at work here")
    if state == "dead":
        what = f"left by a run that is no more: {who or owner}"
        return node.found(check, State.WARNING, what, "run provision apply again: it takes the lock over and finishes")
    if state == "elsewhere":
        return node.ok(check, f"held by a run on {host}, where its state is seen: {who}")
    return node.ok(check, f"a run is at work here: {who}")


def leftovers(node: Node) -> Finding:
    """Logs of runs that ended badly stay, for people to read."""
    check = "logs"
    _, _, dead = node.raw.get("runs", "0 0").partition(" ")
    if not dead.isdecimal() or int(dead) <= _MANY_RUNS:
        return node.ok(check, f"{dead if dead.isdecimal() else 0} of runs that failed or were cut off")
    return node.found(check, State.WARNING, f"{dead} of old runs", "read or remove them: rm -r ~/.provision/runs/*")


def gib(count: int) -> str:
    """Bytes for people."""
    return f"{count / _GIB:,.1f} GiB" if count >= _GIB else f"{count / 1024**2:,.0f} MiB"


def _untold(node: Node, check: str) -> Finding:
    return Finding(node.name, check, State.UNSEEN, "the node's stat does not tell (no -f)", "df -k ~; df -i ~")


CHECKS = (
    permissions,
    authorized,
    startup_files,
    file_system,
    free_space,
    inodes,
    quota,
    generation,
    lock,
    leftovers,
)
"""In the order in which they are told."""
