"""`source_build`: a program built from its source tarball, in a tree of its own below `~/.provision/store`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.build_needs import check_need, with_packages
from scupi_provision.modules.contract import Field, Integer, Module, Result, Text, Words
from scupi_provision.modules.store_tree import Tree, TreeArgs, fetch_archive, find_tree, inside, paths_in_home
from scupi_provision.shell.actions import Run
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

BUILD = "~/.provision/build"
_MOST_JOBS = 16
"""Of make, unless more are asked for: a login node belongs to everybody."""


def _as_list(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Arguments = Annotated[list[Text], BeforeValidator(_as_list)]


class Args(TreeArgs):
    """Build a program from source and install it in `~/.provision/store/<name>-<version>-<hash8>`.

    The hash is over everything that the result depends on, so a changed option builds a new tree beside the old one.
    Nothing uses the tree until it is whole; `path_entry` or a link puts it to use. Registers `prefix` and `version`.
    """

    autotools: Literal["auto", "autoreconf", "never"] = Field(
        "auto",
        description="auto: when configure is missing, make it (make configure, else autoreconf -fi). autoreconf: make"
        " it anew in any case (aclocal, libtoolize, autoconf, autoheader, automake, each where the project uses it).",
    )
    subdir: Text = Field(
        "",
        description="The folder of the source tree that has the project in it. One that is not there is made, and the"
        " build runs in it, outside the source.",
    )
    configure: Arguments = Field(default=[], description="Arguments of ./configure besides --prefix.")
    configure_command: Arguments = Field(
        default=[],
        description="What configures in the place of ./configure, such as [./config, --prefix=@prefix@]; `configure` is"
        " added to it.",
    )
    make: Arguments = Field(
        default=[], description="Arguments of make besides -j; also given to make install. @prefix@ is the tree."
    )
    make_targets: Arguments = Field(default=[], description="Targets that build; none is the project's own default.")
    install_targets: Arguments = Field(default=["install"], description="Targets that install.")
    jobs: Integer | None = Field(None, description=f"make -j; the default is one for each CPU, at most {_MOST_JOBS}.")
    environment: dict[str, Text] = Field(default={}, description="Variables of the build, such as CFLAGS.")
    needs: Words = Field(
        default=[],
        description="What the host must have: program:cc, header:zlib.h, library:z, pkg:openssl>=1.1.1, or several with"
        " | between when any of them will do. All that is missing is told at once, before anything is downloaded.",
    )
    advice: Text = Field("", description="What to do where something of `needs` is missing, in words for people.")

    @field_validator("needs")
    @classmethod
    def _kinds(cls, needs: list[str]) -> list[str]:
        return [check_need(need) for need in needs]

    @field_validator("subdir")
    @classmethod
    def _below(cls, path: str) -> str:
        return inside(path)

    @field_validator("jobs")
    @classmethod
    def _some(cls, jobs: int | None) -> int | None:
        if jobs is not None and jobs < 1:
            raise ValueError("one at least")
        return jobs


def plan(args: Args, host: HostView) -> Result:
    """Plan download and build, unless the tree is there and whole."""
    tree = find_tree(args, host, not_inputs=("needs", "advice", "jobs"))
    values = {"prefix": tree.prefix, "version": args.version}
    if tree.whole:
        return Result(values=values)
    environment = tuple(sorted(args.environment.items()))
    if _needs(args):
        look = script("needs.sh", needs=words(*with_packages(_needs(args))), advice=args.advice, project=args.name)
        host.run(
            Run(look, environment=environment, phase="check", writes=()), f"look for what {args.name} is built with"
        )
    fetch_archive(args, host, tree)
    build = host.path(f"{BUILD}/{tree.key}")
    run = Run(
        _command(args, host, tree, build),
        environment=environment,
        phase="build",
        durable_key=tree.key,
        creates=tree.created(args.creates),
        writes=(tree.prefix, build),
        uses=paths_in_home(host, [*args.configure, *args.make, *args.environment.values()]),
    )
    host.run(run, f"build {args.name} {args.version} in {tree.prefix}")
    return Result(changed=True, values=values)


def _needs(args: Args) -> list[str]:
    return [*args.needs, *(["program:autoreconf"] if args.autotools == "autoreconf" else [])]


def _command(args: Args, host: HostView, tree: Tree, build: str) -> tuple[str, ...]:
    cpus = int(host.facts.raw.get("cpus", "1"))

    def arguments(texts: list[str]) -> str:
        return words(*map(tree.text, texts))

    return script(
        "tree.sh",
        "build.sh",
        archive=tree.archive,
        build=build,
        prefix=tree.prefix,
        strip=str(args.strip),
        subdir=args.subdir,
        extract=shell_source("extract.sh"),
        autotools=args.autotools,
        configurer=arguments(args.configure_command),
        configure=arguments(args.configure),
        make=arguments(args.make),
        targets=arguments(args.make_targets),
        install=arguments(args.install_targets),
        jobs=str(args.jobs or min(cpus, _MOST_JOBS)),
        creates=words(*args.creates),
        checks=arguments(args.check),
        ok=tree.ok,
    )


MODULE = Module("source_build", Args, plan, aliases=("scupi.provision.source_build",))
