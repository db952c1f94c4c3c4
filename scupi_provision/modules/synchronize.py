"""`synchronize`: a folder here and one on the host, made the same (`ansible.posix`), without rsync on either side."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

from pydantic import field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    ControllerTree,
    Field,
    Integer,
    Lookup,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Source,
    Text,
)
from scupi_provision.modules.controller_place import ControllerPlace, place_of
from scupi_provision.modules.pulling import Pull, pull
from scupi_provision.modules.trees import tree_below
from scupi_provision.shell.entry import Kind

_NO_EFFECT = "As in rsync; it changes nothing here."
_EXCLUDE = "--exclude="


class Args(ModuleArgs):
    """Make a folder of the host like one here, or the other way round. Files are compared by their content."""

    src: Source = Field(description="The folder or file; with a final `/`, what is in it. On the host with mode: pull.")
    dest: PathText | ControllerPlace = Field(description="Where it goes: on the host, with mode: pull here.")
    mode: Literal["push", "pull"] = Field("push", description="To the host, or from it.")
    archive: Boolean = Field(default=True, description="recursive and perms together, unless they say otherwise.")
    recursive: Boolean | None = Field(None, description="Folders, too; as `archive` when not given.")
    perms: Boolean | None = Field(None, description="Permissions, too; as `archive` when not given.")
    delete: Boolean = Field(default=False, description="Remove on the other side what is not in `src`.")
    existing_only: Boolean = Field(default=False, description="Only change files that are there.")
    checksum: Boolean = Field(default=False, description="As in rsync; files are compared by their content anyway.")
    rsync_opts: list[Text] = Field(default=[], description="Only `--exclude=PATTERN`, and options without effect here.")
    links: Boolean | None = Field(None, description="As in rsync; links here are copied as what they name.")
    copy_links: Boolean = Field(default=False, description="As in rsync; links here are copied as what they name.")
    times: Boolean | None = Field(None, description="As in rsync; times are not kept, content decides.")
    owner: Boolean | None = Field(None, description="As in rsync; files are the account's.")
    group: Boolean | None = Field(None, description="As in rsync; files are the account's.")
    compress: Boolean = Field(default=True, description=_NO_EFFECT)
    partial: Boolean = Field(default=False, description=_NO_EFFECT)
    delay_updates: Boolean = Field(default=True, description=_NO_EFFECT)
    rsync_timeout: Integer = Field(0, description=_NO_EFFECT)
    set_remote_user: Boolean = Field(default=True, description=_NO_EFFECT)
    use_ssh_args: Boolean = Field(default=False, description=_NO_EFFECT)
    ssh_connection_multiplexing: Boolean = Field(default=False, description=_NO_EFFECT)
    verify_host: Boolean = Field(default=False, description="As in Ansible; host keys are always checked here.")
    dirs: Boolean = Field(default=False, description="Only false: folders without what is in them are not supported.")
    dest_port: Integer | None = Field(None, description="Not supported: the inventory says how a host is reached.")
    private_key: Text | None = Field(None, description="Not supported: the inventory says how a host is reached.")
    rsync_path: Text | None = Field(None, description="Not supported: no rsync is run.")
    link_dest: list[Text] | None = Field(None, description="Not supported: files are copied.")

    @model_validator(mode="after")
    def _supported(self) -> Args:
        for name, why in (
            ("dest_port", "the inventory says how a host is reached"),
            ("private_key", "the inventory says how a host is reached"),
            ("rsync_path", "no rsync is run"),
            ("link_dest", "files are copied"),
            ("dirs", "use recursive"),
        ):
            if getattr(self, name):
                raise ValueError(f"{name} is not supported: {why}")
        return self

    @field_validator("rsync_opts")
    @classmethod
    def _known(cls, options: list[str]) -> list[str]:
        known = {"-v", "-h", "-q", "-z", "--no-motd", "--verbose", "--compress", "--stats", "--checksum", "-c"}
        for option in options:
            if option not in known and not option.startswith(_EXCLUDE):
                raise ValueError(f"rsync_opts: {option} is not supported; only {_EXCLUDE}PATTERN is")
        return options


def plan(args: Args, host: HostView) -> Result:
    """Plan what makes the two the same."""
    if args.mode == "pull":
        return pull(_wish(args), host)
    if not isinstance(args.src, ControllerTree):
        return _push_file(args, host)
    if not _recursive(args):
        return Result(values={"msg": f"skipping directory {args.src.path}", "rc": 0})
    return _push_tree(args, args.src, host)


def _recursive(args: Args) -> bool:
    return args.archive if args.recursive is None else args.recursive


def _keeps_modes(args: Args) -> bool:
    return args.archive if args.perms is None else args.perms


def _is_excluded(args: Args, name: str) -> bool:
    """Whether it or a folder above it is left out; as in rsync, `/` at the begin means the top."""
    for option in args.rsync_opts:
        if not option.startswith(_EXCLUDE):
            continue
        pattern = option.removeprefix(_EXCLUDE).strip("'\"").rstrip("/")
        parts = name.split("/")
        heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if pattern.startswith("/"):
            if any(fnmatchcase(head, pattern[1:]) for head in heads):
                return True
        elif any(fnmatchcase(part, pattern) for part in parts) or any(fnmatchcase(h, f"*/{pattern}") for h in heads):
            return True
    return False


def _push_file(args: Args, host: HostView) -> Result:
    if not isinstance(args.src, ControllerFile):
        raise TaskFailedError(f"{args.src} is not a file or folder here")
    path = host.path(str(args.dest))
    if str(args.dest).endswith("/") or host.entry(path, follow=True).kind is Kind.DIRECTORY:
        path = posixpath.join(path, posixpath.basename(args.src.path))
    if args.existing_only and not host.entry(path).exists:
        return Result(values={"rc": 0})
    changed = host.write(path, args.src.content, args.src.mode if _keeps_modes(args) else None, secret=args.src.secret)
    return Result(changed, {"rc": 0, "dest": path})


def _push_tree(args: Args, tree: ControllerTree, host: HostView) -> Result:
    top = host.path(str(args.dest))
    if not tree.path.endswith("/"):
        top = posixpath.join(top, posixpath.basename(tree.path))
    folders = [name for name in tree.directories if not _is_excluded(args, name)]
    files = [file for file in tree.files if not _is_excluded(args, file.path)]
    host.want(entries=[top, *(posixpath.join(top, name) for name in (*folders, *(file.path for file in files)))])
    known = host.entry(top).kind is Kind.DIRECTORY
    changed = args.delete and known and _delete(args, host, top, {*folders, *(file.path for file in files)})
    if args.existing_only:
        folders = [name for name in folders if host.entry(posixpath.join(top, name)).exists]
        files = [file for file in files if host.entry(posixpath.join(top, file.path)).exists]
    else:
        changed = host.mkdir(top) or changed
    for name in folders:
        changed = host.mkdir(posixpath.join(top, name)) or changed
    for file in files:
        mode = file.mode if _keeps_modes(args) else None
        changed = host.write(posixpath.join(top, file.path), file.content, mode, secret=file.secret) or changed
    return Result(changed, {"rc": 0, "dest": top})


def _delete(args: Args, host: HostView, top: str, kept: set[str]) -> bool:
    """Remove what is not here: the highest folder, and nothing that is left out."""
    gone: list[str] = []
    for name in sorted(tree_below(host, top)):
        if name not in kept and not _is_excluded(args, name) and not any(name.startswith(one + "/") for one in gone):
            gone.append(name)
    host.want(entries=[posixpath.join(top, name) for name in gone])
    removed = [host.remove(posixpath.join(top, name)) for name in gone]
    return any(removed)


def _wish(args: Args) -> Pull:
    if not isinstance(args.dest, ControllerPlace):
        raise TaskFailedError("dest is not a place here")
    if args.delete:
        raise TaskFailedError("delete is not supported with mode: pull: nothing is removed here")
    excluded = partial(_is_excluded, args)
    return Pull(str(args.src), args.dest, _recursive(args), _keeps_modes(args), args.existing_only, excluded)


def _is_pull(values: Any) -> bool:
    return str(values.get("mode", "push")) == "pull"


def _prepare(values: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    return place_of("dest", values, lookup) if _is_pull(values) else values


MODULE = Module(
    "synchronize",
    Args,
    plan,
    aliases=("ansible.posix.synchronize",),
    files={"src": "files"},
    prepare=_prepare,
    reads_host=_is_pull,
)
