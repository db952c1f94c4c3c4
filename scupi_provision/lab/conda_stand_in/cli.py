"""Arguments as conda takes them, and what is done with them."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import rattler

from . import CONDA_VERSION
from .activation import shell_text
from .errors import CondaError
from .history import note, package_name, requested
from .linking import Change, change, distribution, in_order, installed_records, link, note_requests
from .places import environment, is_environment, package_caches, remember, root_prefix
from .solving import explicit, solve, without

_NOTICE = f"conda: this is not conda but the stand-in of provision's lab (py-rattler {rattler.__version__})"


def program() -> None:
    """The program `conda`."""
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: py-rattler's threads still run, and an interpreter that is taken down beneath them crashes now and then.
    os._exit(status)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in words
    try:
        if words[:1] == ["shell.posix"]:
            print(shell_text(words[1:]))
            return 0
        print(_NOTICE, file=sys.stderr)
        options = _parser().parse_args(words)
        result = options.run(options)
    except CondaError as error:
        if as_json:
            print(json.dumps({"exception_name": error.kind, "error": str(error), "message": str(error)}, indent=2))
        print(f"\n{error.kind}: {error}\n", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(result, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conda", description=_NOTICE)
    parser.add_argument(
        "-V", "--version", action="version", version=f"conda {CONDA_VERSION} (stand-in of provision's lab)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, words in (
        ("create", _create, "make an environment"),
        ("install", _install, "add packages to an environment"),
        ("remove", _remove, "take packages out of an environment"),
    ):
        command = commands.add_parser(name, help=words)
        _add_target(command)
        command.add_argument("packages", nargs="*", metavar="SPEC")
        command.add_argument("--file", action="append", default=[], type=Path, help="specs, or @EXPLICIT and URLs")
        command.add_argument("-c", "--channel", action="append", default=[], metavar="URL")
        for flag in ("--override-channels", "--dry-run", "--offline", "--no-lock"):
            command.add_argument(flag, action="store_true")
        command.add_argument("-y", "--yes", action="store_true")
        command.set_defaults(run=run)
    listing = commands.add_parser("list", help="the packages of an environment")
    _add_target(listing)
    for flag in ("--explicit", "--md5", "--sha256"):
        listing.add_argument(flag, action="store_true")
    listing.set_defaults(run=_list)
    cleaning = commands.add_parser("clean", help="remove caches")
    cleaning.add_argument("-a", "--all", action="store_true", required=True)
    cleaning.add_argument("-f", "--force-pkgs-dirs", action="store_true", required=True)
    cleaning.add_argument("-y", "--yes", action="store_true")
    _add_manners(cleaning)
    cleaning.set_defaults(run=_clean)
    bootstrap = commands.add_parser("constructor", help="for the installer: link the base environment")
    bootstrap.add_argument("prefix", type=Path)
    bootstrap.add_argument("channel")
    bootstrap.add_argument("packages", nargs="+")
    bootstrap.set_defaults(run=_bootstrap, json=False, quiet=False)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    target = parser.add_mutually_exclusive_group()
    target.add_argument("-p", "--prefix", type=Path)
    target.add_argument("-n", "--name")
    _add_manners(parser)


def _add_manners(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--json", action="store_true")


def _create(options: argparse.Namespace) -> object:
    prefix = _new_prefix(options)
    if prefix.exists() and not is_environment(prefix) and any(prefix.iterdir()):
        raise CondaError(
            "DirectoryNotACondaEnvironmentError",
            f"The target directory exists, but it is not a conda environment.\nTarget directory: {prefix}",
        )
    if is_environment(prefix) and not options.dry_run:
        shutil.rmtree(prefix)
    return asyncio.run(_update(options, prefix))


def _install(options: argparse.Namespace) -> object:
    return asyncio.run(_update(options, _existing_prefix(options)))


async def _update(options: argparse.Namespace, prefix: Path) -> object:
    """Make `prefix` have what is asked, besides what was asked before."""
    specs, urls = _read_specs(options)
    installed = installed_records(prefix)
    if urls:
        fetched = await explicit(urls, offline=options.offline)
        specs = [record.name.normalized for record in fetched]
        desired = [*(record for record in installed if record.name.normalized not in specs), *fetched]
        wanted = {name: name for name in specs} | requested(prefix)
    else:
        wanted = requested(prefix) | {package_name(spec): spec for spec in specs}
        desired = await solve(options.channel, list(wanted.values()), installed, offline=options.offline)
    planned = change(installed, desired)
    if _show(options, prefix, planned):
        (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
        await link(prefix, desired, offline=options.offline)
        _finish(prefix, "update", specs, planned, wanted)
        remember(prefix)
    return {"success": True, "prefix": str(prefix), "dry_run": options.dry_run, "actions": planned.actions(prefix)}


def _remove(options: argparse.Namespace) -> object:
    prefix = _existing_prefix(options)
    specs = [package_name(spec) for spec in options.packages]
    if not specs:
        raise CondaError("ArgumentError", "no package names supplied")
    installed = installed_records(prefix)
    wanted = requested(prefix)
    desired, withdrawn = without(installed, specs, list(wanted) or [record.name.normalized for record in installed])
    planned = change(installed, desired)
    if _show(options, prefix, planned):
        asyncio.run(link(prefix, desired, offline=True))
        names = list(dict.fromkeys([*specs, *withdrawn]))
        _finish(prefix, "remove", names, planned, {name: spec for name, spec in wanted.items() if name not in names})
    return {"success": True, "prefix": str(prefix), "dry_run": options.dry_run, "actions": planned.actions(prefix)}


def _show(options: argparse.Namespace, prefix: Path, planned: Change) -> bool:
    """Tell what will be done; whether to do it."""
    if not options.json and not options.quiet:
        print(f"\n## Package Plan ##\n\n  environment location: {prefix}\n\n{planned.described}")
        if not planned:
            print("# All requested packages already installed.")
    if options.dry_run:
        print("DryRunExit: Dry run. Exiting.", file=sys.stderr)
    elif not options.yes:
        raise CondaError("CondaSystemExit", "the stand-in asks no questions: give -y")
    return not options.dry_run


def _finish(prefix: Path, action: str, specs: list[str], planned: Change, wanted: dict[str, str]) -> None:
    removed, added = ([distribution(record) for record in side] for side in (planned.unlink, planned.link))
    note(prefix, action, specs, removed, added)
    note_requests(prefix, wanted)


def _list(options: argparse.Namespace) -> object:
    records = in_order(installed_records(_existing_prefix(options)))
    if options.explicit:
        print(f"# platform: {rattler.Subdir.current()}\n@EXPLICIT")
    for record in records:
        if options.explicit:
            digest = record.sha256 if options.sha256 else record.md5 if options.md5 else None
            print(record.url + (f"#{digest.hex()}" if digest else ""))
        elif not options.json:
            print(f"{record.name.normalized:<25} {record.version!s:<15} {record.build!s:<20} {record.channel}")
    return [{"name": r.name.normalized, "version": str(r.version), "build_string": str(r.build)} for r in records]


def _clean(options: argparse.Namespace) -> object:
    caches = [cache for cache in package_caches() if cache.is_dir()]
    for cache in caches:
        shutil.rmtree(cache)
        if not options.json:
            print(f"Removed {cache}")
    return {"success": True, "pkgs_dirs": [str(cache) for cache in caches]}


def _bootstrap(options: argparse.Namespace) -> object:
    """Link the base environment out of the package cache that the installer has unpacked."""
    prefix = options.prefix
    desired = asyncio.run(solve([options.channel], options.packages, [], offline=False))
    asyncio.run(link(prefix, desired, offline=False))
    wanted = {package_name(spec): spec for spec in options.packages}
    _finish(prefix, "update", options.packages, change([], desired), wanted)
    (prefix / "envs").mkdir(exist_ok=True)
    return None


def _new_prefix(options: argparse.Namespace) -> Path:
    if options.name:
        return root_prefix() / "envs" / str(options.name)
    if options.prefix is None:
        raise CondaError("ArgumentError", "one of the arguments -n/--name -p/--prefix is required")
    return Path(options.prefix).expanduser().absolute()


def _existing_prefix(options: argparse.Namespace) -> Path:
    return environment(options.name or (f"{_new_prefix(options)}/" if options.prefix else "base"))


def _read_specs(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The MatchSpecs that are asked for, or the URLs of an explicit list."""
    try:
        lines = [line for file in options.file for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise CondaError("CondaFileIOError", f"'{error.filename}'. {error.strerror}") from error
    lines = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if "@EXPLICIT" in lines:
        return [], [line for line in lines if line != "@EXPLICIT"]
    urls = [word for word in options.packages if "://" in word]
    return ([], urls) if urls else ([*options.packages, *lines], [])
