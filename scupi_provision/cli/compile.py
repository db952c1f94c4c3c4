"""`provision compile`: the playbook as one script for a person who has only a shell on the login node."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

_MIB = 1024 * 1024


def compile_command(
    playbook: options.Playbook,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    account: options.Account = None,
    inventory: options.Inventory = None,
    extra_vars: options.ExtraVars = [],  # noqa: B006 - typer copies it
    limit: options.Limit = None,
    tags: options.Tags = "",
    skip_tags: options.SkipTags = "",
    lab: options.UseLab = False,
    look: Annotated[Path | None, typer.Option("--look", help="What the script of --look-script has printed.")] = None,
    look_script: Annotated[
        bool, typer.Option("--look-script", help="Write a script that looks at the account instead.")
    ] = False,
    paste: Annotated[bool, typer.Option("--paste", help="As lines to be pasted into a terminal.")] = False,
    with_secrets: Annotated[bool, typer.Option("--with-secrets", help="Also what no_log hides.")] = False,
    max_size: Annotated[int, typer.Option("--max-size", min=1, help="MiB that the script may have.")] = 8,
) -> None:
    """Write a script that does what apply would: for a web shell on the login node, where only sh is to be had."""

    def work() -> int:
        from scupi_provision.report.compiled import describe  # noqa: PLC0415
        from scupi_provision.run import compile as verbs  # noqa: PLC0415
        from scupi_provision.run.site import load_site  # noqa: PLC0415

        request = options.make_request(
            playbook,
            inventory=inventory,
            limit=limit,
            lab=lab,
            extra_vars=extra_vars,
            tags=tags,
            skip_tags=skip_tags,
        )
        wish = verbs.Wish(
            account,
            out.name,
            look=None if look is None else _text(look),
            pasted=paste,
            with_secrets=with_secrets,
            max_size=max_size * _MIB,
        )
        site = load_site(request, dials=False)
        compiled = verbs.look_script(site, wish) if look_script else verbs.compile_site(site, wish)
        _write(out, compiled.text, secret=with_secrets)
        print("\n".join(describe(compiled, out)))
        return 0

    raise typer.Exit(guarded(work))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _write(path: Path, text: str, *, secret: bool) -> None:
    """Readable by its owner alone, from the first byte, when secrets stand in it."""
    content = text.encode("utf-8", "surrogateescape")
    try:
        if secret:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        else:
            path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
