"""What `source_build` and `prebuilt` share: a tree in the store that is made from an archive, tested and marked."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.lock import Download
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.contract import AliasChoices, Field, Integer, ModuleArgs, Text, Words
from scupi_provision.modules.downloads import CACHE, Sha256, Urls, file_name

PREFIX = "@prefix@"
"""Stands for the tree in arguments and checks: `make: [PREFIX=@prefix@]`."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_NOT_INPUTS = {"urls"}
_FORMAT = 2
"""Of what `.ok` says; another number makes every tree anew."""


def _commands(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Commands = Annotated[list[Text], BeforeValidator(_commands)]
"""A shell command, or a list of them."""


class TreeArgs(ModuleArgs):
    """The arguments of every module that makes a tree from an archive."""

    name: Text = Field(description="The program, such as git.")
    version: Text = Field(description="Its version; also a part of the tree's name.")
    urls: Urls = Field(
        description="Where the archive is; tried in order.", validation_alias=AliasChoices("urls", "url")
    )
    sha256: Sha256 = Field(description="What the archive must hash to: 64 hex digits.")
    strip: Integer = Field(1, description="Leading folders removed from the archive's names.")
    creates: Words = Field(description="What must be there afterwards, relative to the tree, such as bin/git.")
    check: Commands = Field(
        default=[],
        description="Shell commands that must succeed before the tree counts as whole. They run in the tree, with its"
        " bin first on PATH; @prefix@ is the tree.",
    )

    @field_validator("name", "version")
    @classmethod
    def _fits_in_path(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(f"{value!r} becomes part of a path; use letters, digits and . _ + -")
        return value

    @field_validator("creates")
    @classmethod
    def _inside(cls, paths: list[str]) -> list[str]:
        if not paths:
            raise ValueError("name at least one file that is in the tree")
        return [inside(path) for path in paths]


def inside(path: str) -> str:
    """`path` when it is relative and stays below where it begins; raises ValueError else."""
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path} must be relative to the tree")
    return path


@dataclass(frozen=True)
class Tree:
    """Where a tree is to be, and whether it is there.

    Attributes:
        key: `<name>-<version>-<hash8>`.
        prefix: Its path.
        archive: Where the download is kept.
        ok: The content of its `.ok`.
        whole: Whether there is nothing to do.
    """

    key: str
    prefix: str
    archive: str
    ok: str
    whole: bool

    def text(self, argument: str) -> str:
        """`argument` with the tree's path in the place of `@prefix@`."""
        return argument.replace(PREFIX, self.prefix)

    def created(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The mark and these files of the tree, as a program's postcondition."""
        return (f"{self.prefix}/.ok", *(posixpath.join(self.prefix, path) for path in paths))


def find_tree(args: TreeArgs, host: HostView, not_inputs: Iterable[str] = ()) -> Tree:
    """The tree of these arguments.

    Its name holds a hash over everything that the result depends on; arguments at their defaults are left out, so that
    new ones do not make every old tree anew.

    Args:
        args: What the tree is made from.
        host: Where.
        not_inputs: More arguments that do not change the result.
    """
    given = args.model_dump(exclude_defaults=True, exclude=_NOT_INPUTS | set(not_inputs))
    inputs = {"format": _FORMAT, **given}
    host.declare(Download(tuple(args.urls), args.sha256))
    key = store.key(f"{args.name}-{args.version}", inputs)
    prefix = host.path(f"{store.STORE}/{key}")
    archive = host.path(f"{CACHE}/{args.sha256[:16]}-{file_name(args.urls[0])}")
    return Tree(key, prefix, archive, store.manifest(inputs).decode(), store.is_whole(host, prefix, inputs))


def fetch_archive(args: TreeArgs, host: HostView, tree: Tree) -> None:
    """Plan the download, and that no earlier job's result is taken for this one's."""
    host.want(entries=[f"{tree.prefix}/.ok", CACHE, tree.archive])
    host.remove(f"{tree.prefix}/.ok")  # of other inputs
    host.mkdir(CACHE, 0o700)
    host.fetch(args.urls, tree.archive, args.sha256, 0o600)


def paths_in_home(host: HostView, texts: Iterable[str]) -> tuple[str, ...]:
    """The paths below the home that stand in these texts, such as `-I/home/me/ssl/include`: what a program reads."""
    pattern = re.compile(re.escape(host.home) + r"/[^\s:,;'\"]+")
    return tuple(dict.fromkeys(found.rstrip("/") for text in texts for found in pattern.findall(text)))
