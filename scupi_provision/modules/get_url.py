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
from scupi_provision.modules.web.arguments import RequestArgs
from scupi_provision.modules.web.download import finish_request, plan_request
from scupi_provision.modules.writing import destination
from scupi_provision.shell.entry import Kind

_SCHEMES = {"http", "https", "ftp", "file"}
_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
"""Sums that coreutils make, and how many hex digits they have."""


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


class Args(RequestArgs, FileArgs):
    """Download a file. With a checksum, what is there already is recognised and nothing is fetched again."""

    url: Annotated[list[Text], BeforeValidator(_list)] = Field(description="Where from; several are tried in order.")
    dest: PathText = Field(description="Where to; below it, by the URL's last part, when it is a directory.")
    checksum: Text | None = Field(
        None,
        description="`ALGORITHM:` and hex digits, or the URL of a list of sums; a plan judges sha256 with digits.",
    )
    force: Boolean = Field(default=False, description="Without a checksum: fetch again although dest exists.")
    backup: Boolean = Field(default=False, description="Keep a copy of the file that is replaced beside it.")
    timeout: Integer = Field(
        10, description="Seconds for a connection; a source that stalls is left after a minute whatever this says."
    )
    tmp_dest: PathText | None = Field(
        None,
        description="As in Ansible; the download always lies beside the file, so that one rename gives it its name.",
    )

    @field_validator("url")
    @classmethod
    def _urls(cls, urls: list[str]) -> list[str]:
        if not urls:
            raise ValueError("no URL is given")
        return [check_url(url) for url in urls]

    @field_validator("checksum")
    @classmethod
    def _known_sum(cls, value: str | None) -> str | None:
        if not value:
            return None
        algorithm, _, digest = value.partition(":")
        if algorithm.lower() not in _DIGITS:
            raise ValueError(f"sums are made by {', '.join(_DIGITS)}; {algorithm} is none of them")
        if "://" in digest:
            return f"{algorithm.lower()}:{check_url(digest)}"
        wanted = _DIGITS[algorithm.lower()]
        if not re.fullmatch(f"[0-9a-fA-F]{{{wanted}}}", digest):
            raise ValueError(f"{algorithm}: needs {wanted} hex digits")
        return f"{algorithm}:{digest}".lower()

    @property
    def sha256(self) -> str | None:
        """The digits of a SHA-256, which the plan can judge."""
        algorithm, _, digest = (self.checksum or "").partition(":")
        return digest if algorithm == "sha256" and "://" not in digest else None

    @property
    def needs_request(self) -> bool:
        """Whether a server must be told more than the URL, or a sum be made that the plan cannot judge."""
        plain = self.validate_certs and self.use_proxy and not self.headers and self.url_username is None
        plain = plain and not (self.client_cert or self.ca_path or self.ciphers)
        return not plain or (self.checksum is not None and self.sha256 is None)


def plan(args: Args, host: HostView) -> Result:
    """Plan the download, unless the file is there."""
    require_own(args, host)
    name = unquote(posixpath.basename(urlsplit(args.url[0]).path))
    path = destination(host, args.dest, name or "index.html")
    now = host.entry(path)
    if now.kind is Kind.DIRECTORY:
        raise TaskFailedError(f"{path} is a directory")
    values = {"url": args.url[0], "dest": path, "elapsed": 0}
    kept = now.kind is Kind.FILE and args.checksum is None and not args.force
    if kept:
        changed = args.mode is not None and host.set_mode(path, args.mode)
        told = {"msg": "HTTP Error 304: Not Modified", "status_code": 304}
        return Result(changed, {**values, **told, **attributes(host, path)})
    if args.needs_request:
        return plan_request(args, host, path)
    backup = backup_path(host, path) if args.backup and now.digest != args.sha256 else None
    if backup:
        host.copy(path, backup, now.mode)
        values["backup_file"] = backup
    changed = host.fetch(args.url, path, args.sha256, args.mode)
    values |= {"msg": "OK (unknown bytes)", "status_code": 200}
    return Result(changed, {**values, **attributes(host, path)}, unprovable=args.checksum is None)


MODULE = Module("get_url", Args, plan, finish_request, aliases=("ansible.builtin.get_url",))
