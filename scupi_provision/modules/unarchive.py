"""`unarchive`: unpack an archive into a directory that is there."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re

from pydantic import model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.archive_names import left, members_of
from scupi_provision.modules.archive_source import archive_format, bring, download, place
from scupi_provision.modules.archive_source import digest as digest_of
from scupi_provision.modules.attributes import FileArgs, attributes, require_own
from scupi_provision.modules.checksums import told_or_unknown
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Integer,
    Module,
    PathText,
    Result,
    Source,
    Text,
    Words,
)
from scupi_provision.modules.programs import exists
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

STAMPS = "~/.provision/unpacked"
_OF_OTHERS = re.compile(r".*: ([UG]id) differs$")
"""What tar finds where it was not root that unpacked."""
_MODE = re.compile(r".*: Mode differs$")


class Args(FileArgs):
    """Unpack a tar or zip archive of the controller, or of the host with remote_src.

    Whether it is unpacked already is what GNU tar finds on the host. For zip, and where there is another tar, a stamp
    below `~/.provision/unpacked` remembers that this archive, by its hash, was unpacked into this directory with these
    options; it does not count when the directory is new or empty.
    """

    src: Source = Field(description="The archive: .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz, .tar.zst, .zip; or its URL.")
    dest: PathText = Field(description="An existing directory.")
    remote_src: Boolean = Field(default=False, description="`src` is on the host already, or a URL.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is unpacked.")
    extra_opts: Words = Field(default=[], description="More options for tar (or unzip), such as --strip-components=1.")
    exclude: Words = Field(default=[], description="Members that are left out (tar patterns).")
    include: Words = Field(default=[], description="The only members that are unpacked.")
    keep_newer: Boolean = Field(default=False, description="Leave files that are newer than those of the archive.")
    list_files: Boolean = Field(default=False, description="Whether `files`, the names in the archive, is registered.")
    decrypt: Boolean = Field(default=True, description="Whether an archive of the controller in a vault is opened.")
    validate_certs: Boolean = Field(default=True, description="Only true: what a URL names is always checked.")
    io_buffer_size: Integer = Field(65536, description="As in Ansible; it changes nothing here.")

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if isinstance(self.src, str) and "://" in self.src and not self.remote_src:
            raise ValueError("src is a URL; that needs remote_src: true")
        if not self.validate_certs:
            raise ValueError("validate_certs: false is not supported")
        if self.include and self.exclude:
            raise ValueError("include and exclude cannot be used together")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan to unpack, unless `creates`, tar or the stamp says that it has been done."""
    require_own(args, host)
    directory = host.resolve(args.dest)
    values = {"src": args.src.path if isinstance(args.src, ControllerFile) else args.src}
    if args.creates is not None and exists(host, args.creates):
        return Result(
            values={**values, "dest": directory, "msg": f"skipped, since {args.creates} exists"}, skipped=True
        )
    if host.entry(directory).kind is not Kind.DIRECTORY:
        raise TaskFailedError(f"Destination '{directory}' is not a directory; make it first (file: state: directory)")
    download(args.src, host)
    digest = digest_of(args.src, host)
    handler = {"zip": "ZipArchive", "gzip": "TgzArchive"}.get(archive_format(args.src), "TarArchive")
    values |= {"handler": handler, **attributes(host, directory, "dest")}
    if args.list_files:
        values["files"] = told_or_unknown(host, lambda: _members(args, host))
    stamp = f"{STAMPS}/{_key(args, directory, digest)}"
    if (
        args.creates is None
        and _holds_something(host, directory)
        and _is_unpacked(args, host, directory, stamp, digest)
    ):
        return Result(_modes(args, host, directory), values)
    archive = bring(args.src, host, digest)
    _unpack(args, host, archive, directory)
    host.mkdir(STAMPS, 0o700)
    host.write(stamp, f"{archive}\n{directory}\n".encode(), 0o600)
    return Result(changed=True, values=values)


def _members(args: Args, host: HostView) -> list[str]:
    if isinstance(args.src, ControllerFile):
        found = members_of(args.src.path, args.src.content)
    else:
        path = place(args.src, host, "")
        found = (
            host.inspect("members", path, archive_format(args.src), roots=(path,))
            .decode("utf-8", "replace")
            .splitlines()
        )
    return left(found, args.include, args.exclude)


def _is_unpacked(args: Args, host: HostView, directory: str, stamp: str, digest: str) -> bool:
    archive = place(args.src, host, digest)
    stamped = host.entry(stamp).exists
    if archive_format(args.src) == "zip" or not host.entry(archive).exists:
        return stamped
    try:
        words = (archive, directory, archive_format(args.src), *_options(args), *args.include)
        said = host.inspect("differs", *words, roots=(archive, directory)).decode("utf-8", "replace").splitlines()
    except UnknownValueError:
        return stamped
    if not said:
        return stamped
    ignored = [line for line in said if _OF_OTHERS.match(line) or (args.mode is not None and _MODE.match(line))]
    return said[-1:] == ["same"] or len(ignored) == len(said)


def _modes(args: Args, host: HostView, directory: str) -> bool:
    """Give everything that was unpacked the mode."""
    if args.mode is None:
        return False
    paths = [posixpath.join(directory, name) for name in _members(args, host)]
    host.want(entries=paths)
    changes = [host.set_mode(path, args.mode) for path in paths]
    return any(changes)


def _key(args: Args, directory: str, digest: str) -> str:
    inputs = json.dumps([directory, digest, args.extra_opts, args.include, args.exclude])
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def _holds_something(host: HostView, directory: str) -> bool:
    try:
        return bool(host.names(posixpath.join(directory, "*")))
    except UnknownValueError:
        return True  # a program of this plan works in it


def _options(args: Args) -> list[str]:
    return [*args.extra_opts, *(f"--exclude={name}" for name in args.exclude)]


def _unpack(args: Args, host: HostView, archive: str, directory: str) -> None:
    newer = {"zip": ["-u"]}.get(archive_format(args.src), ["--keep-newer-files"]) if args.keep_newer else []
    if archive_format(args.src) == "zip":
        excluded = ["-x", *args.exclude] if args.exclude else []
        host.extract(archive, directory, options=[*args.extra_opts, *newer], members=[*args.include, *excluded])
    else:
        host.extract(archive, directory, options=[*_options(args), *newer], members=args.include)
    if args.mode is not None:
        paths = [posixpath.join(directory, name) for name in _members(args, host)]
        host.run(Run(("chmod", args.mode.text, "--", *paths)), f"mode {args.mode.text} of what was unpacked")


MODULE = Module("unarchive", Args, plan, aliases=("ansible.builtin.unarchive",), files={"src": "files"})
