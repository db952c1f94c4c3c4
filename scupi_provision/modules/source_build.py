"""`source_build`: a program built from its source tarball, in a tree of its own below `~/.provision/store`."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.contract import AliasChoices, Field, Integer, Module, ModuleArgs, Result, Text, Words
from scupi_provision.modules.get_url import check_url
from scupi_provision.shell.actions import Run
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

CACHE = "~/.provision/cache"
BUILD = "~/.provision/build"
_PREFIX = "@prefix@"
"""Stands for the tree in arguments, for programs without configure: `make: [PREFIX=@prefix@]`."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def _as_list(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Arguments = Annotated[list[Text], BeforeValidator(_as_list)]


class Args(ModuleArgs):
    """Build a program from source and install it in `~/.provision/store/<name>-<version>-<hash8>`.

    The hash is over everything that the result depends on, so a changed option builds a new tree beside the old one.
    Nothing uses the tree until it is whole; `path_entry` or a link puts it to use. Registers `prefix` and `version`.
    """

    name: Text = Field(description="The program, such as git.")
    version: Text = Field(description="Its version; also a part of the tree's name.")
    urls: Words = Field(
        description="Where the source tarball is; tried in order.", validation_alias=AliasChoices("urls", "url")
    )
    sha256: Text = Field(description="What the tarball must hash to: 64 hex digits.")
    configure: Arguments = Field(default=[], description="Arguments of ./configure besides --prefix.")
    make: Arguments = Field(
        default=[], description="Arguments of make besides -j; also given to make install. @prefix@ is the tree."
    )
    install_targets: Arguments = Field(default=["install"], description="Targets that install.")
    autotools: Literal["auto", "never"] = Field(
        "auto", description="auto: when configure is missing, make it (make configure, else autoreconf -fi)."
    )
    environment: dict[str, Text] = Field(default={}, description="Variables of the build, such as CFLAGS.")
    creates: Words = Field(description="What must be there afterwards, relative to the tree, such as bin/git.")
    needs: Words = Field(
        default=[],
        description="What the host must have: program:cc, header:zlib.h. All that is missing is told at once.",
    )
    strip: Integer = Field(1, description="Leading folders removed from the tarball's names.")

    @field_validator("name", "version")
    @classmethod
    def _fits_in_path(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(f"{value!r} becomes part of a path; use letters, digits and . _ + -")
        return value

    @field_validator("urls")
    @classmethod
    def _urls(cls, urls: list[str]) -> list[str]:
        if not urls:
            raise ValueError("no URL is given")
        return [check_url(url) for url in urls]

    @field_validator("sha256")
    @classmethod
    def _digest(cls, value: str) -> str:
        value = value.removeprefix("sha256:").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise ValueError("64 hex digits are needed, as sha256sum prints them")
        return value

    @field_validator("creates")
    @classmethod
    def _inside(cls, paths: list[str]) -> list[str]:
        if not paths:
            raise ValueError("name at least one file that the build installs")
        for path in paths:
            if path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"{path} must be relative to the tree")
        return paths

    @field_validator("needs")
    @classmethod
    def _kinds(cls, needs: list[str]) -> list[str]:
        for need in needs:
            if not re.fullmatch(r"(program|header):[^\s:]+", need):
                raise ValueError(f"{need!r} is neither program:NAME nor header:FILE.h")
        return needs


def plan(args: Args, host: HostView) -> Result:
    """Plan download and build, unless the tree is there and whole."""
    inputs = _inputs(args)
    key = store.key(f"{args.name}-{args.version}", inputs)
    prefix = host.path(f"{store.STORE}/{key}")
    archive = host.path(f"{CACHE}/{args.sha256[:16]}-{posixpath.basename(urlsplit(args.urls[0]).path)}")
    values = {"prefix": prefix, "version": args.version}
    if store.is_whole(host, prefix, inputs):
        return Result(values=values)
    host.want(entries=[f"{prefix}/.ok", CACHE, archive])
    host.remove(f"{prefix}/.ok")  # of other inputs: no earlier job's result may be taken for this one's
    host.mkdir(CACHE, 0o700)
    host.fetch(args.urls, archive, args.sha256, 0o600)
    build = host.path(f"{BUILD}/{key}")
    command = script(
        "build.sh",
        archive=archive,
        build=build,
        prefix=prefix,
        strip=str(args.strip),
        extract=shell_source("extract.sh"),
        needs=words(*args.needs),
        autotools=args.autotools,
        configure=words(*(text.replace(_PREFIX, prefix) for text in args.configure)),
        make=words(*(text.replace(_PREFIX, prefix) for text in args.make)),
        install=words(*args.install_targets),
        jobs=host.facts.raw.get("cpus", "1"),
        creates=words(*args.creates),
        ok=store.manifest(inputs).decode(),
    )
    run = Run(
        command,
        environment=tuple(sorted(args.environment.items())),
        phase="build",
        durable_key=key,
        creates=(f"{prefix}/.ok", *(posixpath.join(prefix, path) for path in args.creates)),
        writes=(prefix, build),
    )
    host.run(run, f"build {args.name} {args.version} in {prefix}")
    return Result(changed=True, values=values)


def _inputs(args: Args) -> dict[str, Any]:
    """What the result depends on. Mirrors and `needs` do not change it."""
    return {"format": 1, **args.model_dump(exclude={"urls", "needs"})}


MODULE = Module("source_build", Args, plan, aliases=("scupi.provision.source_build",))
