"""`get_url`: a download, checked, under its final name only when it is whole."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, attributes, backup_path, require_own
from scupi_provision.modules.contract import Boolean, Field, Integer, Module, PathText, Result, Text
from scupi_provision.modules.writing import destination
from scupi_provision.shell.entry import Kind

_SCHEMES = {"http", "https", "ftp", "file"}


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def check_url(url: str) -> str:
    """`url` when it can be downloaded from; raises ValueError with the reason else."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or (parts.scheme != "file" and not parts.netloc):
        raise ValueError(f"{url} is not a URL to download from")
    if parts.password:
        raise ValueError("a password in a URL would be seen in logs; use a URL without one")
    return url


class Args(FileArgs):
    """Download a file. With a checksum, what is there already is recognised and nothing is fetched again."""

    url: Annotated[list[Text], BeforeValidator(_list)] = Field(description="Where from; several are tried in order.")
    dest: PathText = Field(description="Where to; below it, by the URL's last part, when it is a directory.")
    checksum: Text | None = Field(None, description="`sha256:` and 64 hex digits. What does not match is refused.")
    force: Boolean = Field(default=False, description="Without a checksum: fetch again although dest exists.")
    backup: Boolean = Field(default=False, description="Keep a copy of the file that is replaced beside it.")
    timeout: Integer = Field(
        10, description="Accepted as Ansible has it; a source that stalls is left after a minute whatever this says."
    )

    @field_validator("url")
    @classmethod
    def _urls(cls, urls: list[str]) -> list[str]:
        if not urls:
            raise ValueError("no URL is given")
        return [check_url(url) for url in urls]

    @field_validator("checksum")
    @classmethod
    def _sha256(cls, value: str | None) -> str | None:
        if not value:
            return None
        algorithm, _, digest = value.partition(":")
        if algorithm != "sha256":
            raise ValueError("only sha256:… is checked; sums of other algorithms are too weak or not on every host")
        if "://" in digest:
            raise ValueError("a checksum fetched from beside the file proves nothing; write the digits")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise ValueError("sha256: needs 64 hex digits")
        return digest.lower()


def plan(args: Args, host: HostView) -> Result:
    """Plan the download, unless the file is there."""
    require_own(args, host)
    name = unquote(posixpath.basename(urlsplit(args.url[0]).path))
    path = destination(host, args.dest, name or "index.html")
    now = host.entry(path)
    if now.kind is Kind.DIRECTORY:
        raise TaskFailedError(f"{path} is a directory")
    values = {"url": args.url[0], "dest": path}
    kept = now.kind is Kind.FILE and args.checksum is None and not args.force
    if kept:
        changed = args.mode is not None and host.set_mode(path, args.mode)
        return Result(changed, {**values, **attributes(host, path)})
    backup = backup_path(host, path) if args.backup and now.digest != args.checksum else None
    if backup:
        host.copy(path, backup, now.mode)
        values["backup_file"] = backup
    changed = host.fetch(args.url, path, args.checksum, args.mode)
    return Result(changed, {**values, **attributes(host, path)}, unprovable=args.checksum is None)


MODULE = Module("get_url", Args, plan, aliases=("ansible.builtin.get_url",))
