"""`git`: a repository at a version. What is there is told by git itself, so only an apply knows whether it changes."""

from __future__ import annotations

import re
from typing import Any

from pydantic import AliasChoices, field_validator, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Integer, Module, ModuleArgs, PathText, Result, Text, Words
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script
from scupi_provision.values import UnknownValueError

_HOST_KEYS = "host keys are the account's to trust (known_hosts); StrictHostKeyChecking=no trusts anybody"


class Args(ModuleArgs):
    """Clone a repository, or bring the one that is there to a version."""

    repo: Text = Field(
        description="Where it is: a URL, an address of ssh, or a path on the host.",
        validation_alias=AliasChoices("repo", "name"),
    )
    dest: PathText | None = Field(None, description="Where it goes; may only be left out with clone: false.")
    version: Text = Field("HEAD", description="A branch, a tag or a commit; HEAD is the remote's default branch.")
    remote: Text = Field("origin", description="Name of the remote.")
    refspec: Text | None = Field(None, description="One more refspec to fetch, for commits that no branch holds.")
    clone: Boolean = Field(default=True, description="Whether it is cloned when it is not there.")
    update: Boolean = Field(default=True, description="Whether one that is there is brought to the version.")
    force: Boolean = Field(default=False, description="Whether changes of files that git knows are discarded.")
    depth: Integer | None = Field(None, description="So many commits of history only; less than 1 means all.")
    bare: Boolean = Field(default=False, description="A repository without files checked out.")
    recursive: Boolean = Field(default=True, description="Whether submodules are brought along.")
    track_submodules: Boolean = Field(default=False, description="Whether submodules follow their branches.")
    single_branch: Boolean = Field(default=False, description="Whether only the branch of `version` is cloned.")
    reference: Text | None = Field(None, description="A repository on the host from which objects are borrowed.")
    separate_git_dir: PathText | None = Field(None, description="Where git keeps its own files, apart from `dest`.")
    accept_hostkey: Boolean = Field(default=False, description=f"Refused: {_HOST_KEYS}.")
    accept_newhostkey: Boolean = Field(default=False, description="Accept the key of a host that is not known yet.")
    key_file: PathText | None = Field(None, description="A private key on the host, which ssh uses and no other.")
    ssh_opts: Text | None = Field(None, description="Options for ssh, as one text of shell words.")
    executable: PathText | None = Field(None, description="Which git; the one on the account's PATH when not given.")
    umask: Text | None = Field(None, description='The mask under which files are made, such as "0077".')
    verify_commit: Boolean = Field(
        default=False, description="Whether the version must bear a signature that gpg knows."
    )
    gpg_allowlist: Words = Field(
        default=[],
        description="Fingerprints of the keys whose signatures count.",
        validation_alias=AliasChoices("gpg_allowlist", "gpg_whitelist"),
    )
    archive: PathText | None = Field(None, description="Also pack the version into this .zip, .tar, .tar.gz or .tgz.")
    archive_prefix: Text | None = Field(None, description="What paths in the archive begin with.")

    @field_validator("accept_hostkey")
    @classmethod
    def _known_hosts_only(cls, value: object) -> object:
        if value:
            raise ValueError(f"is refused: {_HOST_KEYS}; use known_hosts, or accept_newhostkey")
        return value

    @field_validator("umask")
    @classmethod
    def _octal(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-7]{3,4}", value):
            raise ValueError('is written in octal digits, such as "0077"')
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.dest is None and self.clone:
            raise ValueError("dest is needed, unless clone is false")
        if self.archive_prefix is not None and self.archive is None:
            raise ValueError("archive_prefix goes with archive")
        if self.separate_git_dir is not None and self.bare:
            raise ValueError("separate_git_dir does not go with bare")
        if self.repo.startswith("-") or self.version.startswith("-"):
            raise ValueError("repo and version do not begin with a dash")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan one run of git: certainly a change where nothing is cloned yet, else known when it has run."""
    dest = host.path(args.dest or "~/.provision/no-repository")
    is_new = not _is_there(args, host, dest)
    values: dict[str, Any] = {"before": None} if is_new else {}
    if is_new and not args.clone and args.archive is None and re.fullmatch(r"[0-9a-f]{40}", args.version):
        return Result(changed=True, values={**values, "after": args.version})
    umask = f"umask {args.umask}\n" if args.umask else ""
    argv = script("git.sh", **_settings(args, host, dest))
    places = [dest, *(host.path(p) for p in (args.archive, args.separate_git_dir) if p)]
    action = Run(
        (*argv[:2], umask + argv[2]),
        phase="git",
        writes=() if is_new and not args.clone else tuple(places),
        fails_when_nonzero=False,
    )
    host.run(action, f"git: {args.repo} at {args.version} in {dest}")
    told = f"what git finds in {args.repo}"
    if is_new:
        return Result(changed=True, values=values, untold=told, unprovable=not args.clone)
    return Result(changed=True, unprovable=True, undecided=told)


def _is_there(args: Args, host: HostView, dest: str) -> bool:
    store = dest if args.bare else f"{dest}/.git"
    try:
        host.want(entries=[store, f"{store}/config"])
        return host.entry(f"{store}/config").exists or host.entry(store).kind is Kind.FILE
    except UnknownValueError:
        return True  # an earlier program of this plan may make it


def _address(repo: str, host: HostView) -> str:
    """A path becomes a URL, as in Ansible: git then copies objects instead of linking them, and can be shallow."""
    return f"file://{host.path(repo)}" if repo.startswith(("/", "~")) else repo


def _settings(args: Args, host: HostView, dest: str) -> dict[str, str]:
    options = [args.ssh_opts or ""]
    if args.accept_newhostkey:
        options.append("-o StrictHostKeyChecking=accept-new")
    flags = {
        "clone": args.clone,
        "update": args.update,
        "force": args.force,
        "bare": args.bare,
        "recursive": args.recursive,
        "track": args.track_submodules,
        "single": args.single_branch,
        "verify": args.verify_commit,
    }
    paths = {"separate": args.separate_git_dir, "archive": args.archive, "key_file": args.key_file}
    return {
        "git": host.path(args.executable) if args.executable else "git",
        "repo": _address(args.repo, host),
        "dest": dest,
        "version": args.version,
        "remote": args.remote,
        "refspec": args.refspec or "",
        "depth": str(args.depth) if args.depth is not None and args.depth > 0 else "",
        "reference": args.reference or "",
        "prefix": args.archive_prefix or "",
        "ssh_options": " ".join(option for option in options if option),
        "signers": " ".join(args.gpg_allowlist),
        **{name: host.path(path) if path else "" for name, path in paths.items()},
        **{name: "yes" if flag else "" for name, flag in flags.items()},
    }


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What git found and did."""
    if not runs:
        return planned
    lines = runs[-1].stdout.decode("utf-8", "replace").splitlines()
    told = dict(line.split(" ", 1) for line in lines if " " in line)
    said = runs[-1].stderr.decode("utf-8", "replace").strip()
    before, after = (None if told.get(key, "-") == "-" else told[key] for key in ("before", "after"))
    if runs[-1].status != 0:
        message = said.splitlines()[-1] if said else "git has failed"
        values = {"msg": message, "rc": runs[-1].status, "stderr": said, "before": before}
        return Result(changed=False, values=values, message=message, failed=True, unprovable=planned.unprovable)
    values = {"before": before, "after": after}
    if "remote" in told:
        values["remote_url_changed"] = True
    elif before is not None and args.update:
        values["remote_url_changed"] = False
    changed = before != after or bool({"remote", "mods", "submodules", "archived"} & told.keys())
    return Result(changed=changed, values=values, unprovable=planned.unprovable)


MODULE = Module("git", Args, plan, finish, aliases=("ansible.builtin.git",))
