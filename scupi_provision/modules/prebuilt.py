"""`prebuilt`: a program that comes ready made in an archive, in a tree of its own below `~/.provision/store`."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, Result
from scupi_provision.modules.store_tree import TreeArgs, fetch_archive, find_tree
from scupi_provision.shell.actions import Run
from scupi_provision.shell.program import shell_source
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words


class Args(TreeArgs):
    """Unpack a program in `~/.provision/store/<name>-<version>-<hash8>` and test it there.

    The hash is over everything that the result depends on. Nothing uses the tree until it is whole; `path_entry` or a
    link puts it to use. Registers `prefix` and `version`.
    """


def plan(args: Args, host: HostView) -> Result:
    """Plan download and unpacking, unless the tree is there and whole."""
    tree = find_tree(args, host)
    values = {"prefix": tree.prefix, "version": args.version}
    if tree.whole:
        return Result(values=values)
    fetch_archive(args, host, tree)
    command = script(
        "tree.sh",
        "prebuilt.sh",
        archive=tree.archive,
        prefix=tree.prefix,
        strip=str(args.strip),
        extract=shell_source("extract.sh"),
        creates=words(*args.creates),
        checks=words(*map(tree.text, args.check)),
        ok=tree.ok,
    )
    run = Run(command, phase="unpack", durable_key=tree.key, creates=tree.created(args.creates), writes=(tree.prefix,))
    host.run(run, f"unpack {args.name} {args.version} in {tree.prefix}")
    return Result(changed=True, values=values)


MODULE = Module("prebuilt", Args, plan, aliases=("scupi.provision.prebuilt",))
