"""`unarchive`: unpack an archive into a directory that is there."""

from __future__ import annotations

import hashlib
import json
import posixpath

from pydantic import field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import OwnedArgs, require_own
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Mode,
    Module,
    PathText,
    Result,
    Source,
    Text,
    Words,
)
from scupi_provision.modules.downloads import CACHE
from scupi_provision.modules.programs import exists
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

STAMPS = "~/.provision/unpacked"


class Args(OwnedArgs):
    """Unpack a tar or zip archive of the controller, or of the host with remote_src.

    Without `creates`, a stamp below `~/.provision/unpacked` remembers that this archive, by its hash, was unpacked into
    this directory with these options. It does not count when the directory is new or empty.
    """

    src: Source = Field(description="The archive: .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz, .zip.")
    dest: PathText = Field(description="An existing directory.")
    remote_src: Boolean = Field(default=False, description="`src` is on the host already.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is unpacked.")
    extra_opts: Words = Field(default=[], description="More options for tar (or unzip), such as --strip-components=1.")
    exclude: Words = Field(default=[], description="Members that are left out (tar patterns).")
    include: Words = Field(default=[], description="The only members that are unpacked.")
    mode: Mode | None = Field(
        None, description="Not supported: a plan cannot look into an archive. Use `file` after it."
    )
    list_files: Boolean = Field(default=False, description="Not supported: a plan cannot look into an archive.")

    @field_validator("mode", "list_files")
    @classmethod
    def _unseen(cls, value: object) -> object:
        if value:
            raise ValueError("is not supported: a plan cannot look into an archive")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if isinstance(self.src, str) and "://" in self.src:
            raise ValueError("src is a URL; download it with get_url first, with its checksum")
        if self.include and self.exclude:
            raise ValueError("include and exclude cannot be used together")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan to unpack, unless `creates` or the stamp says that it has been done."""
    require_own(args, host)
    directory = host.resolve(args.dest)
    values = {"dest": directory, "src": args.src.path if isinstance(args.src, ControllerFile) else args.src}
    if args.creates is not None and exists(host, args.creates):
        return Result(values=values, message=f"not unpacked, since {args.creates} exists")
    if host.entry(directory).kind is not Kind.DIRECTORY:
        raise TaskFailedError(f"{directory} is not a directory; make it first (file: state: directory)")
    digest = _digest(args, host)
    stamp = f"{STAMPS}/{_key(args, directory, digest)}"
    if args.creates is None and host.entry(stamp).exists and _holds_something(host, directory):
        return Result(values=values)
    archive = _archive(args, host, digest)
    _unpack(args, host, archive, directory)
    host.mkdir(STAMPS, 0o700)
    host.write(stamp, f"{archive}\n{directory}\n".encode(), 0o600)
    return Result(changed=True, values=values)


def _digest(args: Args, host: HostView) -> str:
    if isinstance(args.src, ControllerFile):
        return hashlib.sha256(args.src.content).hexdigest()
    if not isinstance(args.src, str):
        raise TaskFailedError("src is a folder; an archive is one file")
    entry = host.entry(args.src, follow=True)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{host.path(args.src)} does not exist, or is not a file")
    if entry.digest is None:
        raise UnknownValueError(f"the content of {args.src}")
    return entry.digest


def _key(args: Args, directory: str, digest: str) -> str:
    inputs = json.dumps([directory, digest, args.extra_opts, args.include, args.exclude])
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def _holds_something(host: HostView, directory: str) -> bool:
    try:
        return bool(host.names(posixpath.join(directory, "*")))
    except UnknownValueError:
        return True  # a program of this plan works in it


def _archive(args: Args, host: HostView, digest: str) -> str:
    if not isinstance(args.src, ControllerFile):
        return host.resolve(str(args.src))
    path = host.path(f"{CACHE}/{digest[:16]}-{posixpath.basename(args.src.path)}")
    host.mkdir(CACHE, 0o700)
    host.write(path, args.src.content, 0o600)
    return path


def _unpack(args: Args, host: HostView, archive: str, directory: str) -> None:
    zipped = archive.endswith((".zip", ".whl"))
    if zipped and (args.include or args.exclude):
        raise TaskFailedError("include and exclude work with tar archives only")
    options = [*args.extra_opts, *(f"--exclude={name}" for name in args.exclude), *args.include]
    host.extract(archive, directory, options=options)


MODULE = Module("unarchive", Args, plan, aliases=("ansible.builtin.unarchive",), files={"src": "files"})
